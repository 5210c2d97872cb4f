"""How the console shows API providers, their models, and the keys that were handed out."""

from typing import Any

import pytest
from django.test import Client

from models_registry.models import Provider
from tests.checks.world import ApiWorld
from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from usage.models import Lease

PROVIDERS, MODELS, LEASES = "models_registry.provider", "models_registry.registeredmodel", "usage.lease"
OF_A_GPU = ("GPU", "Loading", "Operations", "Unload")


@pytest.fixture
def browser(db: None, django_user_model: Any) -> Client:
    return signed_in(django_user_model.objects.create_superuser("olivia"))


def provider_page(api: ApiWorld, browser: Client) -> str:
    return text_of(browser.get(page(PROVIDERS, "change", api.provider.pk)))


class TestTheProvider:
    def test_a_good_one_tells_since_when_and_how_steadily(self, api: ApiWorld, browser: Client):
        api.run_for(601)
        shown = provider_page(api, browser)
        assert "Answers" in shown
        assert "since 2026-11-24 18:00:00" in shown
        assert "It answers well: 3 passed checks in a row" in shown
        assert "Next check" in shown

    def test_one_failed_check_is_told_and_is_no_verdict(self, api: ApiWorld, browser: Client):
        api.settle()
        api.server.feel(500)
        api.run_for(301)
        shown = provider_page(api, browser)
        assert "It has a fault of its own: 1 failed check (HTTP 500: not now)" in shown
        assert "Answers" in shown
        assert "Fails its checks" not in shown

    def test_a_failing_one_tells_why_and_since_when(self, api: ApiWorld, browser: Client):
        api.settle()
        api.server.keys = set()
        api.run_for(3600)
        shown = provider_page(api, browser)
        assert "Fails its checks" in shown
        assert "since 2026-11-24 18:06:00" in shown
        assert "It refuses the key: 13 failed checks in a row (HTTP 401: Incorrect API key provided: …" in shown

    def test_the_list_tells_the_outcome_in_words(self, api: ApiWorld, browser: Client):
        api.server.feel(429)
        api.settle()
        Provider.objects.update(flaps=4)
        assert "limits our requests, fell 4 times lately" in text_of(browser.get(page(PROVIDERS, "changelist")))

    def test_pressing_the_button_records_what_is_heard(self, api: ApiWorld, browser: Client):
        api.add("gpt-mini")
        api.switch_on("gpt-mini")
        answer = browser.post(page(PROVIDERS, "do", api.provider.pk, "check-now"), follow=True)
        assert "It offers 2 models." in text_of(answer)
        assert api.status("gpt-mini") == "active"


class TestItsModel:
    @pytest.fixture
    def shown(self, api: ApiWorld, browser: Client) -> Any:
        api.add("gpt-mini")

        def look() -> str:
            return text_of(browser.get(page(MODELS, "change", api.model("gpt-mini").pk)))

        return look

    def test_it_says_nothing_of_a_gpu(self, api: ApiWorld, shown: Any):
        api.bring_up("gpt-mini")
        told = shown().partition("gpt-mini Active")[2]
        assert "Who is using it" in told
        assert [word for word in OF_A_GPU if word in told] == []

    def test_it_waits_for_a_check_and_not_for_a_server(self, api: ApiWorld, shown: Any):
        api.switch_on("gpt-mini")
        assert "It waits for a check of its provider." in shown()

    def test_an_error_says_what_mends_it(self, api: ApiWorld, shown: Any):
        api.server.feel(503)
        api.switch_on("gpt-mini")
        api.run_for(61)
        assert "It recovers by itself once they pass again." in shown()

    def test_its_leases_end_without_an_unload(self, api: ApiWorld, browser: Client):
        api.add("gpt-mini")
        api.bring_up("gpt-mini")
        api.use("gpt-mini")
        api.switch_off("gpt-mini")
        listed = text_of(browser.get(page(MODELS, "changelist")))
        assert "Its leases end by 18:01:00." in listed
        assert "unloaded" not in listed

    def test_its_form_can_be_saved(self, api: ApiWorld, browser: Client):
        api.add("gpt-mini")
        path = page(MODELS, "change", api.model("gpt-mini").pk)
        form = browser.get(path).context["adminform"].form
        sent = {name: form[name].value() or "" for name in form.fields} | {"description": "small", "tags": ""}
        browser.post(path, sent)
        assert api.model("gpt-mini").description == "small"
        assert "gpu_memory_mb" not in form.fields


class TestItsLeases:
    def test_the_key_that_was_handed_out_is_a_column_and_a_filter(self, api: ApiWorld, browser: Client):
        api.add("gpt-mini")
        api.bring_up("gpt-mini")
        api.use("gpt-mini", may_have_key=True)
        api.use("gpt-mini")
        listed = text_of(browser.get(page(LEASES, "changelist")))
        assert "Key handed out" in listed
        assert listed.count("…cdef") == 1
        for value, with_key in (("yes", True), ("no", False)):
            rows = browser.get(page(LEASES, "changelist"), {"key": value}).context["cl"].result_list
            assert [bool(lease.key_hint) for lease in rows] == [with_key]
        assert "…cdef" in text_of(browser.get(page(LEASES, "change", Lease.objects.exclude(key_hint="").get().pk)))

    def test_who_may_not_see_leases_does_not(self, api: ApiWorld):
        assert signed_in(staff("visitor")).get(page(LEASES, "changelist")).status_code == 403

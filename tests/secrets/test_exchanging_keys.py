"""A provider's key is exchanged with no gap: the new one is entered as second, made the first, the old one removed."""

from typing import Any

import pytest
from django.test import Client as Browser

from models_registry.models import AuditEntry, Provider
from models_registry.refusals import KeyUnreadable, NoSecondKey
from models_registry.services.credentials import promote_key
from models_registry.services.providers import update_provider
from tests.api.calls import Caller, done, refused
from tests.console.pages import page, text_of
from tests.secrets.arranging import CANARY, CANARY_2, OTHER_INSTALLATION, an_api_provider, fresh

pytestmark = pytest.mark.django_db
KIM = "user:kim"


@pytest.fixture
def provider(tasks: list[str]) -> Provider:
    return an_api_provider()


def keys(provider: Provider) -> tuple[str, str]:
    row = fresh(provider)
    return row.api_key, row.api_key_2


def test_the_second_becomes_the_first_and_the_first_the_second(provider: Provider) -> None:
    promoted = promote_key(provider, actor=KIM)
    assert keys(provider) == (CANARY_2, CANARY)
    assert promoted.edition == provider.edition + 1


@pytest.mark.parametrize(("before", "after"), [(0, 0), (1, 2), (2, 1)])
def test_which_key_answers_stays_known(provider: Provider, before: int, after: int) -> None:
    Provider.objects.filter(pk=provider.pk).update(key_in_use=before)
    assert promote_key(provider, actor=KIM).key_in_use == after


def test_it_is_on_record_without_either_key(provider: Provider) -> None:
    promote_key(provider, actor=KIM)
    entry = AuditEntry.objects.get()
    assert (entry.action, entry.actor) == ("key_promoted", KIM)
    assert entry.changes == {"api_key": {"secret": "changed"}, "api_key_2": {"secret": "changed"}}


def test_without_a_second_key_or_with_one_that_nobody_can_read_nothing_changes(
    provider: Provider, settings: Any
) -> None:
    single = an_api_provider("single", base_url="http://127.0.0.1:10/v1", api_key_2="")
    with pytest.raises(NoSecondKey):
        promote_key(single, actor=KIM)
    ours, settings.CREDENTIAL_KEYS = settings.CREDENTIAL_KEYS, [OTHER_INSTALLATION]
    with pytest.raises(KeyUnreadable):
        promote_key(provider, actor=KIM)
    settings.CREDENTIAL_KEYS = ours
    assert keys(provider) == (CANARY, CANARY_2)
    assert not AuditEntry.objects.exists()


def test_a_client_that_manages_promotes_it_once_for_each_edition(provider: Provider, manager: Caller) -> None:
    seen = manager.get("providers/cloud/")["ETag"]
    shown = done(manager.post("providers/cloud/promote-key/", headers={"If-Match": seen}))
    assert (shown["api_key_hint"], shown["api_key_2_hint"]) == ("…wxyz", "…abcd")
    refused(manager.post("providers/cloud/promote-key/", headers={"If-Match": seen}), 409, "edit_conflict")
    assert keys(provider) == (CANARY_2, CANARY)
    update_provider(fresh(provider), {"api_key_2": ""}, actor=KIM)
    refused(manager.post("providers/cloud/promote-key/"), 409, "no_second_key")


def test_in_the_console_it_is_a_button(browser: Browser, provider: Provider) -> None:
    answered = browser.post(page("models_registry.provider", "do", provider.pk, "promote-key"), follow=True)
    assert "the second key is now the first" in text_of(answered)
    assert keys(provider) == (CANARY_2, CANARY)


def test_the_masks_saved_back_change_neither_key(provider: Provider, manager: Caller) -> None:
    done(manager.patch("providers/cloud/", {"api_key": "…abcd", "api_key_2": "…wxyz", "drain_s": 5}))
    assert keys(provider) == (CANARY, CANARY_2)
    assert set(AuditEntry.objects.get(name="cloud").changes) == {"drain_s"}


def test_the_mask_of_a_key_that_was_exchanged_meanwhile_is_no_key(provider: Provider, manager: Caller) -> None:
    promote_key(provider, actor=KIM)
    refused(manager.patch("providers/cloud/", {"api_key": "…abcd", "api_key_2": "…wxyz"}), 400, "invalid")
    assert keys(provider) == (CANARY_2, CANARY)


def test_a_form_saved_as_it_was_shown_keeps_both_keys(browser: Browser, provider: Provider) -> None:
    form = browser.get(page("models_registry.provider", "change", provider.pk)).context["adminform"].form
    sent = {name: form[name].value() for name in form.fields if form[name].value() not in (None, False)}
    assert CANARY not in str(sent)
    for typed in ({"api_key": "", "api_key_2": ""}, {"api_key": "…abcd", "api_key_2": "…wxyz"}):
        form = browser.get(page("models_registry.provider", "change", provider.pk)).context["adminform"].form
        fresh_values = {name: form[name].value() for name in ("edition", "seen")}
        saved = browser.post(page("models_registry.provider", "change", provider.pk), sent | typed | fresh_values)
        assert saved.status_code == 302, text_of(saved)
        assert keys(provider) == (CANARY, CANARY_2)


def test_removing_one_is_said_explicitly(browser: Browser, provider: Provider, manager: Caller) -> None:
    browser.post(page("models_registry.provider", "do", provider.pk, "remove-second-key"))
    assert keys(provider) == (CANARY, "")
    done(manager.patch("providers/cloud/", {"api_key": ""}))
    assert keys(provider) == ("", "")
    assert [entry.changes for entry in AuditEntry.objects.filter(name="cloud").order_by("id")] == [
        {"api_key_2": {"secret": "removed"}},
        {"api_key": {"secret": "removed"}},
    ]

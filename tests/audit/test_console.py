"""The audit trail in the console: one list, and the history of each row."""

import pytest
from django.test import Client as Browser

from models_registry.models import AuditEntry
from models_registry.services import providers
from models_registry.services.registration import update_model
from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from tests.monitoring.world import World

AUDIT = "models_registry.auditentry"


@pytest.fixture
def told(everything: World) -> World:
    changes = {"drain_s": 5, "api_key": "sk-canary-0123456789"}
    providers.update_provider(everything.provider, changes, actor="client:ops")
    return everything


def test_the_list_tells_who_changed_what(browser: Browser, told: World) -> None:
    shown = text_of(browser.get(page(AUDIT)))
    for text in ("Changed", "gpu", "client:ops", "Drain time (s): 60 → 5", "API key: set"):
        assert text in shown
    assert "canary" not in shown


def test_an_entry_has_a_page_and_leads_to_its_row(browser: Browser, told: World) -> None:
    shown = browser.get(page(AUDIT, "change", AuditEntry.objects.get().pk))
    assert "API key : set" in text_of(shown)
    assert page("models_registry.provider", "change", told.provider.pk) in shown.content.decode()


def test_a_choice_is_told_in_the_words_of_its_form(browser: Browser, told: World) -> None:
    update_model(told.model("embedder"), {"activation_policy": "on_demand"}, actor="user:kim")
    assert "Activation: Manual → On demand" in text_of(browser.get(page(AUDIT)))
    korean = text_of(browser.get(page(AUDIT), headers={"accept-language": "ko"}))
    assert "활성화 방식: 수동 → 요청 시" in korean


def test_it_is_filtered_and_searched(browser: Browser, told: World) -> None:
    for query, found in (
        ({"action__exact": "changed"}, 1),
        ({"action__exact": "deleted"}, 0),
        ({"kind__exact": "window"}, 0),
        ({"actor": "client:ops"}, 1),
        ({"q": "GPU"}, 1),
        ({"q": "nothing"}, 0),
    ):
        assert browser.get(page(AUDIT), query).context["cl"].result_count == found, query


def test_the_history_of_a_row_tells_its_own_entries(browser: Browser, told: World) -> None:
    shown = text_of(browser.get(page("models_registry.provider", "history", told.provider.pk)))
    assert "Drain time (s) : 60 → 5" in shown
    assert "client:ops" in shown
    model = told.model("embedder")
    assert "client:ops" not in text_of(browser.get(page("models_registry.registeredmodel", "history", model.pk)))


@pytest.mark.parametrize("label", ["models_registry.window", "usage.client"])
def test_every_audited_row_has_a_history(browser: Browser, told: World, label: str) -> None:
    row = browser.get(page(label)).context["cl"].result_list[0]
    assert browser.get(page(label, "history", row.pk)).status_code == 200


def test_nobody_writes_it_and_not_everybody_reads_it(browser: Browser, told: World) -> None:
    entry = AuditEntry.objects.get()
    assert browser.get(page(AUDIT, "add")).status_code == 403
    assert browser.get(page(AUDIT, "delete", entry.pk)).status_code == 403
    assert browser.post(page(AUDIT, "change", entry.pk), {"actor": "nobody"}).status_code == 403
    assert signed_in(staff("ed", "view_provider")).get(page(AUDIT)).status_code == 403
    assert signed_in(staff("kim", "view_auditentry")).get(page(AUDIT)).status_code == 200

"""Whatever a query string asks a list for, there is a list: of all rows, where it makes no sense."""

import pytest
from django.test import Client as Browser

from tests.console.pages import page

NO_ID = "9" * 20
SENSELESS = {
    "usage.usagerecord": [f"model={NO_ID}", f"client__id__exact={NO_ID}", "occurred_at__gte=0001-01-01"],
    "usage.lease": [f"client={NO_ID}", "model=\0"],
    "models_registry.registeredmodel": [f"provider={NO_ID}"],
    "models_registry.auditentry": ["at__gte=0001-01-01"],
}


@pytest.mark.parametrize(("label", "query"), [(label, one) for label, some in SENSELESS.items() for one in some])
def test_a_list_is_shown_without_it(browser: Browser, label: str, query: str) -> None:
    answer = browser.get(f"{page(label)}?{query}", follow=True)
    assert answer.status_code == 200


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("label", ["usage.usagerecord", "usage.lease"])
@pytest.mark.parametrize("query", ["model=x", "nothing=1"])
def test_an_export_leads_back_to_the_list(browser: Browser, kind: str, label: str, query: str) -> None:
    answer = browser.get(f"{page(label, 'export', kind)}?{query}")
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{page(label)}?e=1")

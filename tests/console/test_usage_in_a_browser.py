"""Charts are drawn, by day and by night, on wide screens and narrow ones; files arrive."""

from datetime import timedelta
from decimal import Decimal

import pytest

from modelmanager.console.usage.charts import AMBER, BLUE, CYAN, GREEN, RED, VIOLET
from modelmanager.lib.clock import now
from models_registry.models import ConfigVersion, ModelPrice, Provider, RegisteredModel
from tests.console.browsing import Watched
from tests.console.calls import reported
from tests.console.pages import page as address
from usage.models import Client

pytestmark = [pytest.mark.browser, pytest.mark.slow]

OVERVIEW = "/admin/usage/statistics/"
# The colours that a canvas shows, where it is not transparent.
COLOURS = """canvas => {
    const points = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
    const seen = new Set();
    for (let at = 0; at < points.length; at += 4) {
        if (points[at + 3] === 255) seen.add((points[at] << 16) | (points[at + 1] << 8) | points[at + 2]);
    }
    return [...seen].map(colour => "#" + colour.toString(16).padStart(6, "0"));
}"""
TOO_WIDE = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(autouse=True)
def pages(transactional_db: None) -> list[str]:
    """The pages about a model, its client and all, who called for ten days, twice a day in vain."""
    provider = Provider.objects.create(
        name="gpu", kind="triton", base_url="http://127.0.0.1:1", server_key="127.0.0.1:1", allow_private_network=True
    )
    model = RegisteredModel.objects.create(name="bge-m3", remote_name="bge-m3", provider=provider, on_gpu=True)
    config = ConfigVersion.objects.create(model=model, number=1, values={})
    RegisteredModel.objects.filter(pk=model.pk).update(config=config, created_at=now() - timedelta(days=60))
    ModelPrice.objects.create(model=model, since=now() - timedelta(days=60), input_price=Decimal("2"))
    client = Client.objects.create(name="chatbot")
    for days_ago in range(10):
        at = now() - timedelta(days=days_ago)
        reported(client, "bge-m3", at=at, times=10 + days_ago, input_tokens=300, output_tokens=40)
        reported(client, "bge-m3", at=at, times=2, outcome="error", error_code="upstream_502", latency_us=2_000_000)
    return [
        address("models_registry.registeredmodel", "look", model.pk, "usage"),
        address("usage.client", "look", client.pk, "usage"),
        OVERVIEW,
    ]


def colours(watched: Watched) -> list[set[str]]:
    """The colours that each chart shows, once the script has given it a size."""
    watched.page.wait_for_selector("canvas.chart[style*='height']")
    return [set(canvas.evaluate(COLOURS)) for canvas in watched.page.query_selector_all("canvas.chart")]


def test_every_page_draws_its_charts_in_the_light_and_in_the_dark(watched: Watched, pages: list[str]) -> None:
    for scheme in ("light", "dark"):
        watched.page.emulate_media(color_scheme=scheme)
        for path in pages:
            watched.open(path)
            assert ("dark" in (watched.page.get_attribute("html", "class") or "")) == (scheme == "dark")
            calls, latency, tokens, cost = colours(watched)
            assert calls >= {BLUE, RED}
            assert latency >= {BLUE, AMBER}
            assert tokens >= {CYAN, VIOLET}
            assert GREEN in cost


def test_a_narrow_screen_scrolls_tables_and_not_the_page(watched: Watched, pages: list[str]) -> None:
    watched.page.set_viewport_size({"width": 390, "height": 800})
    for path in [*pages, address("usage.usagerecord"), "/admin/"]:
        watched.open(path)
        watched.page.wait_for_load_state("networkidle")
        assert watched.page.evaluate(TOO_WIDE) <= 0, path


def test_days_of_ones_own_are_chosen_and_taken_along(watched: Watched) -> None:
    page = watched.page
    watched.open(OVERVIEW)
    assert not page.is_visible("#id_since")
    page.select_option("#id_period", "own")
    day = (now() - timedelta(days=3)).date().isoformat()
    page.fill("#id_since", day)
    page.fill("#id_until", day)
    page.fill("#id_tz", "UTC")
    with page.expect_navigation():
        page.click("#span [type=submit]")
    assert "Calls\n15\n" in page.inner_text(".mm-totals")
    with page.expect_download() as arriving:
        page.click("#span a:has-text('XLSX')")
    assert arriving.value.suggested_filename == f"usage_{day}_{day}.xlsx"


def test_the_table_behind_the_charts_opens(watched: Watched, pages: list[str]) -> None:
    page = watched.page
    watched.open(pages[0])
    assert not page.is_visible("#table-periods table")
    page.click("summary:has-text('The charts as a table')")
    page.wait_for_selector("#table-periods table", state="visible")


def test_the_first_page_leads_to_the_statistics(watched: Watched) -> None:
    watched.open("/admin/")
    with watched.page.expect_navigation():
        watched.page.click("#usage-today")
    watched.page.wait_for_selector("h1:has-text('Usage')")

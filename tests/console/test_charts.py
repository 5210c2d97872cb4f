"""What stands where there is nothing to draw."""

from django.test import Client as Browser

from modelmanager.console.usage.charts import Chart
from modelmanager.lib.clock import now
from tests.console.calls import called, priced
from tests.console.pages import page, text_of
from tests.monitoring.world import World

NO_COST, NO_TOKENS = "Nothing was charged", "No tokens were reported"


def of(values: list[float], nothing: str) -> Chart:
    return Chart("Cost", "bar", ["11-25", "11-26"], [("Cost", "#10b981", values)], "0.0000 altogether.", nothing)


def test_zeros_are_blank_only_where_words_stand_for_them() -> None:
    assert of([0, 0.0], NO_COST).is_blank
    assert not of([0, 0.1], NO_COST).is_blank
    assert not of([0, 0.0], "").is_blank


def test_a_model_without_prices_is_told_where_to_enter_them(browser: Browser, world: World) -> None:
    for name in ("free", "dear"):
        world.add(name)
    priced(world, "dear", "0.5", "1.5")
    called(world, "free", at=now())
    called(world, "dear", at=now(), input_tokens=1000)

    free, dear = (
        text_of(browser.get(page("models_registry.registeredmodel", "look", world.model(name).pk, "usage")))
        for name in ("free", "dear")
    )

    assert (NO_COST in free, NO_TOKENS in free) == (True, True)
    assert (NO_COST in dear, NO_TOKENS in dear) == (False, False)

"""A version that the server does not serve: told soon, and no reason to keep others from its GPU."""

import pytest
from django.utils import translation

from models_registry.vocabulary import Observed
from monitoring.models import Outcome
from tests.monitoring.world import World
from usage.refusals import ModelError


@pytest.fixture
def mistaken(world: World) -> World:
    """A server that serves `chat` as version 1 only, registered and switched on as version 9."""
    world.add("chat", remote_version="9")
    world.switch_on("chat")
    return world


def test_the_load_ends_after_ten_seconds_with_what_is_served_instead(mistaken: World):
    mistaken.run_for(12)

    model = mistaken.model("chat")
    assert mistaken.outcomes() == [("load", "chat", Outcome.FAILED)]
    assert (model.status_word, model.error_code, model.observed) == ("error", "load_failed", Observed.READY)
    assert "serves version 1 of it, not 9" in model.error_message


def test_it_is_not_loaded_beside_itself(mistaken: World):
    mistaken.run_for(900)
    assert mistaken.posts() == [("load", "chat")]
    assert mistaken.error("chat") == "load_failed"


def test_using_it_is_refused_with_the_reason_and_is_no_news(mistaken: World):
    mistaken.run_for(12)
    known = mistaken.codes("chat")

    for _request in range(3):
        with translation.override("en"), pytest.raises(ModelError, match="version 1 of it, not 9"):
            mistaken.use("chat")
        mistaken.settle()

    assert mistaken.codes("chat") == known


def test_switched_off_and_corrected_it_can_be_used(mistaken: World):
    mistaken.run_for(12)
    mistaken.switch_off("chat")
    mistaken.settle()
    assert (mistaken.resident(), mistaken.status("chat")) == ([], "registered")

    mistaken.put("chat", remote_version="1")
    mistaken.switch_on("chat")
    mistaken.settle()
    assert mistaken.use("chat").lease_id

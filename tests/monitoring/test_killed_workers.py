"""A process that dies at any point leaves nothing stuck: the next look carries on, and posts nothing twice."""

from collections.abc import Callable

import pytest

from monitoring import operations, outcomes
from monitoring.models import Outcome
from tests.monitoring.world import World


class Killed(BaseException):
    """kill -9, as far as one process can show it: nothing of ours catches this."""


def kill(*_args: object, **_kwargs: object) -> None:
    raise Killed


def and_kill(work: Callable[..., object]) -> Callable[..., None]:
    def do(*args: object, **kwargs: object) -> None:
        work(*args, **kwargs)
        raise Killed

    return do


def die(world: World, monkeypatch: pytest.MonkeyPatch, owner: object, name: str, by: Callable[..., object]) -> None:
    """One look by a process that is killed in `name`."""
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, by)
        with pytest.raises(Killed):
            world.look()


@pytest.fixture
def asked(shared_world: World) -> World:
    world = shared_world
    world.add("chat", load_s=2, unload_s=1)
    world.switch_on("chat")
    return world


@pytest.fixture
def loaded(shared_world: World) -> World:
    world = shared_world
    world.add("chat", load_s=2, unload_s=1)
    world.bring_up("chat")
    world.switch_off("chat")
    world.fake.posts.clear()
    return world


def test_after_claiming_a_load_it_is_posted_by_the_next_look(asked: World, monkeypatch: pytest.MonkeyPatch):
    die(asked, monkeypatch, operations, "_post", kill)
    assert asked.posts() == []
    asked.look()
    assert asked.posts() == [("load", "chat")]
    asked.settle()
    assert asked.outcomes() == [("load", "chat", Outcome.SUCCEEDED)]


def test_before_sending_a_load_it_is_lost_and_loaded_anew(asked: World, monkeypatch: pytest.MonkeyPatch):
    die(asked, monkeypatch, asked.fake, "post_load", kill)
    asked.run_for(9)
    assert asked.posts() == []  # posted as far as anybody knows: it is not posted again

    asked.run_for(30)

    assert [outcome for _kind, _name, outcome in asked.outcomes()] == [Outcome.LOST, Outcome.SUCCEEDED]
    assert asked.posts() == [("load", "chat")]
    assert asked.status("chat") == "recovered"


def test_after_sending_a_load_it_is_watched_to_its_end(asked: World, monkeypatch: pytest.MonkeyPatch):
    die(asked, monkeypatch, asked.fake, "post_load", and_kill(asked.fake.post_load))
    asked.run_for(5)
    assert asked.posts() == [("load", "chat")]
    assert asked.outcomes() == [("load", "chat", Outcome.SUCCEEDED)]
    assert asked.status("chat") == "active"


def test_after_sending_a_load_that_fails(asked: World, monkeypatch: pytest.MonkeyPatch):
    asked.fake.add("chat", load_s=2, failure="CUDA out of memory")
    die(asked, monkeypatch, asked.fake, "post_load", and_kill(asked.fake.post_load))
    asked.run_for(5)
    assert asked.outcomes() == [("load", "chat", Outcome.FAILED)]
    assert asked.error("chat") == "load_failed"


def test_after_claiming_an_unload(loaded: World, monkeypatch: pytest.MonkeyPatch):
    die(loaded, monkeypatch, operations, "_post", kill)
    loaded.settle()
    assert loaded.posts() == [("unload", "chat")]
    assert loaded.resident() == []


def test_before_sending_an_unload(loaded: World, monkeypatch: pytest.MonkeyPatch):
    die(loaded, monkeypatch, loaded.fake, "post_unload", kill)
    loaded.run_for(40)
    assert loaded.posts() == [("unload", "chat")]
    assert loaded.outcomes()[1:] == [("unload", "chat", Outcome.LOST), ("unload", "chat", Outcome.SUCCEEDED)]


def test_after_sending_an_unload(loaded: World, monkeypatch: pytest.MonkeyPatch):
    die(loaded, monkeypatch, loaded.fake, "post_unload", and_kill(loaded.fake.post_unload))
    loaded.settle()
    assert loaded.posts() == [("unload", "chat")]
    assert loaded.outcomes()[1:] == [("unload", "chat", Outcome.SUCCEEDED)]


@pytest.mark.parametrize("name", ["_aftermath", "change_facts"])
def test_while_recording_the_outcome_all_of_it_or_nothing_is_stored(
    asked: World, monkeypatch: pytest.MonkeyPatch, name: str
):
    asked.look()
    asked.advance(3)
    die(asked, monkeypatch, outcomes, name, kill)
    assert asked.outcomes() == [("load", "chat", Outcome.RUNNING)]
    assert asked.model("chat").observed == "loading"
    asked.settle()
    assert asked.outcomes() == [("load", "chat", Outcome.SUCCEEDED)]


def test_between_the_claim_of_a_model_and_its_operation_nothing_is_stored(
    asked: World, monkeypatch: pytest.MonkeyPatch
):
    die(asked, monkeypatch, operations, "_insert", kill)
    assert asked.operations() == []
    assert asked.model("chat").observed != "loading"
    asked.settle()
    assert asked.posts() == [("load", "chat")]


def test_a_claim_that_nobody_could_post_ends_with_its_time(asked: World, monkeypatch: pytest.MonkeyPatch):
    """The server went away just after: an operation without a post has a deadline, too."""
    die(asked, monkeypatch, operations, "_post", kill)
    asked.fake.down = True
    asked.run_for(310, step=5)
    assert asked.outcomes() == [("load", "chat", Outcome.CANCELLED)]
    asked.fake.down = False
    asked.run_for(15)
    assert asked.status("chat") == "active"


def test_the_killed_look_is_taken_again_within_five_seconds(asked: World, monkeypatch: pytest.MonkeyPatch):
    die(asked, monkeypatch, asked.fake, "observe", kill)
    wake_at = asked.provider_row().wake_at
    assert wake_at is not None and wake_at <= asked.at(5)

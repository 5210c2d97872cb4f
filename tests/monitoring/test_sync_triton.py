"""`manage.py sync_triton`: asks each server, brings it in line, says what it found, and exits with 0, 1 or 2."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from models_registry.models import Provider
from monitoring import sync
from monitoring.management.commands.sync_triton import Command
from tests.monitoring.world import World


@pytest.fixture
def waiting_moves_the_clock(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(sync.time, "sleep", world.advance)
    return world


def sync_triton(*args: str, **options: Any) -> tuple[str, int]:
    """What it prints, and its exit code."""
    out = StringIO()
    try:
        call_command("sync_triton", *args, stdout=out, **options)
    except SystemExit as end:
        return out.getvalue(), int(str(end.code))
    except CommandError as error:
        return str(error), error.returncode
    return out.getvalue(), 0


def test_what_is_wanted_is_loaded_and_it_is_in_sync(waiting_moves_the_clock: World):
    world = waiting_moves_the_clock
    world.add("chat", load_s=1)
    world.add("embed")
    world.switch_on("chat")

    out, code = sync_triton()

    assert code == 0
    assert world.posts() == [("load", "chat")]
    assert "gpu: answers" in out
    assert "ok chat" in out and "server says ready" in out
    assert "ok embed" in out and "not wanted" in out
    assert "!!" not in out


def test_one_that_cannot_be_loaded_is_shown_and_exits_with_1(waiting_moves_the_clock: World):
    world = waiting_moves_the_clock
    world.add("broken", failure="CUDA out of memory")
    world.switch_on("broken")
    out, code = sync_triton("--patience", "5")
    assert code == 1
    assert "!! broken" in out and "load_failed" in out


def test_a_silent_server_exits_with_1(world: World):
    world.fake.down = True
    out, code = sync_triton()
    assert (code, "gpu: no answer: connection refused" in out) == (1, True)


def test_no_server_at_all_is_in_sync(db: None):
    out, code = sync_triton()
    assert (out.strip(), code) == ("No enabled Triton server is registered.", 0)


class TestDryRun:
    def test_it_writes_nothing_and_posts_nothing(self, world: World):
        world.add("chat")
        world.add("ghost")
        world.fake.forget("ghost")
        world.switch_on("chat")
        before = list(Provider.objects.values()), [world.model(n).revision for n in ("chat", "ghost")]

        with CaptureQueriesContext(connection) as queries:
            out, code = sync_triton("--dry-run")

        assert code == 1
        assert not [q["sql"] for q in queries if q["sql"].split()[0] in ("UPDATE", "INSERT", "DELETE")]
        assert world.posts() == []
        assert (list(Provider.objects.values()), [world.model(n).revision for n in ("chat", "ghost")]) == before
        assert "!! chat" in out and "next: load chat" in out
        assert "!! ghost" in out and "missing" in out

    def test_it_plans_from_what_the_server_says_now_not_from_what_was_believed(self, world: World):
        world.add("chat")
        world.bring_up("chat")
        world.fake.unload_behind_our_back("chat")
        out, code = sync_triton("--dry-run")
        assert (code, "next: load chat" in out) == (1, True)
        assert "believed ready" in out and "server says unloaded" in out and "not_loaded" in out

    def test_it_knows_of_a_switch_that_ran_out(self, world: World):
        world.add("chat")
        world.switch_on("chat", until=world.at(60))
        world.settle()
        world.advance(61)
        out, _code = sync_triton("--dry-run")
        assert "not wanted" in out and "next: unload chat" in out

    def test_it_names_who_has_to_give_way(self, world: World):
        world.add("chat")
        world.add("embed")
        world.bring_up("chat")
        world.switch_on("embed")
        out, _code = sync_triton("--dry-run")
        assert "next: unload chat for embed" in out

    def test_in_line_it_exits_with_0(self, world: World):
        world.add("chat")
        world.bring_up("chat")
        assert sync_triton("--dry-run")[1] == 0


class TestOnlyOne:
    def test_provider(self, waiting_moves_the_clock: World):
        waiting_moves_the_clock.add("chat")
        out, code = sync_triton("--provider", "gpu")
        assert (code, "gpu: answers" in out) == (0, True)

    def test_model_is_reported_alone(self, waiting_moves_the_clock: World):
        world = waiting_moves_the_clock
        world.add("broken", failure="CUDA out of memory")
        world.add("chat")
        world.switch_on("broken")
        out, code = sync_triton("--model", "chat", "--patience", "1")
        assert (code, "broken" in out) == (0, False)


@pytest.mark.parametrize(
    "args", [("--provider", "nobody"), ("--model", "nobody"), ("--patience", "-1"), ("--patience", "nan")]
)
def test_bad_arguments_exit_with_2(world: World, args: tuple[str, ...]):
    assert sync_triton(*args)[1] == 2


@pytest.mark.parametrize("args", [("--patience", "soon"), ("--wrong",), ("gpu",)])
def test_arguments_it_does_not_know_exit_with_2(args: tuple[str, ...], capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        Command().run_from_argv(["manage.py", "sync_triton", *args])
    assert end.value.code == 2
    assert "error:" in capsys.readouterr().err


def test_a_disabled_provider_named_is_a_bad_argument(world: World):
    Provider.objects.update(enabled=False)
    assert sync_triton("--provider", "gpu")[1] == 2
    assert sync_triton()[1] == 0


def test_a_model_of_another_server_is_a_bad_argument(world: World):
    world.add("chat")
    Provider.objects.create(name="other", kind="triton", base_url="http://127.0.0.1:1", server_key="127.0.0.1:1")
    assert sync_triton("--provider", "other", "--model", "chat")[1] == 2

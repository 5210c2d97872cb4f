"""`manage.py check_providers`, and the button's call: one free check now, which counts as a scheduled one."""

import io
from collections.abc import Iterator

import pytest
from django.core.management import CommandError, call_command

from models_registry.models import Provider
from tests.api.calls import a_caller, done
from tests.checks.server import Moody
from tests.checks.world import ApiWorld


def run(*names: str) -> tuple[int, list[str], str]:
    """Exit status, lines of the table, progress."""
    out, err = io.StringIO(), io.StringIO()
    status = 0
    try:
        call_command("check_providers", *names, stdout=out, stderr=err)
    except SystemExit as end:
        status = int(end.code or 0)
    return status, out.getvalue().splitlines(), err.getvalue()


@pytest.fixture
def two(shared_api: ApiWorld) -> Iterator[tuple[ApiWorld, Moody]]:
    """A second provider beside `openai`: `mirror`."""
    with Moody() as mirror:
        shared_api.add_provider("mirror", mirror)
        yield shared_api, mirror


def test_it_shows_each_provider_and_its_progress(two: tuple[ApiWorld, Moody]):
    status, table, progress = run()
    assert status == 0
    assert table[0].split() == ["PROVIDER", "KIND", "OUTCOME", "MS", "BELIEVED", "DETAIL"]
    assert [line.split()[:3] for line in table[1:]] == [["mirror", "openai", "ok"], ["openai", "openai", "ok"]]
    assert table[1].endswith("It offers 2 models.")
    assert "2 of 2: " in progress


def test_it_counts_as_a_check(two: tuple[ApiWorld, Moody]):
    world, mirror = two
    world.add("gpt-mini")
    world.switch_on("gpt-mini")
    run("openai")
    assert world.status("gpt-mini") == "active"
    assert (len(world.server.asked), len(mirror.asked)) == (1, 0)
    assert world.server.billed == []


def test_it_fails_when_one_fails(two: tuple[ApiWorld, Moody]):
    world, mirror = two
    mirror.feel(500)
    status, table, _progress = run()
    assert status == 1
    assert table[1].split()[:5:2] == ["mirror", "provider_down", "unknown"]
    assert "HTTP 500" in table[1]
    assert world.health().health_state == "ok"


def test_being_limited_is_no_failure(two: tuple[ApiWorld, Moody]):
    two[1].feel(429)
    status, table, _progress = run("mirror")
    assert (status, table[1].split()[2]) == (0, "rate_limited")


def test_a_triton_server_is_checked_too(two: tuple[ApiWorld, Moody]):
    address = "127.0.0.1:9"
    Provider.objects.create(
        name="gpu", kind="triton", base_url=f"http://{address}", server_key=address, allow_private_network=True
    )
    status, table, _progress = run("gpu")
    assert (status, table[1].split()[:3]) == (1, ["gpu", "triton", "unreachable"])


@pytest.mark.parametrize("names", [["nowhere"], ["openai", "nowhere"], ["mirror"]])
def test_wrong_names_and_disabled_providers_are_refused(two: tuple[ApiWorld, Moody], names: list[str]):
    Provider.objects.filter(name="mirror").update(enabled=False)
    with pytest.raises(CommandError) as refusal:
        run(*names)
    assert refusal.value.returncode == 2
    assert two[0].server.asked == []


def test_disabled_ones_are_left_out(two: tuple[ApiWorld, Moody]):
    Provider.objects.filter(name="mirror").update(enabled=False)
    _status, table, _progress = run()
    assert len(table) == 2
    Provider.objects.update(enabled=False)
    assert run()[1] == ["No enabled provider is registered."]


class TestByTheApi:
    def test_it_is_recorded(self, api: ApiWorld):
        api.add("gpt-mini")
        api.switch_on("gpt-mini")
        found = done(a_caller("ops", "manage").post("providers/openai/check/"))
        assert found.pop("latency_ms") > 0
        assert found == {"ok": True, "detail": "It offers 2 models.", "server_version": "", "outcome": "ok"}
        assert api.status("gpt-mini") == "active"

    def test_health_tells_what_is_believed(self, api: ApiWorld):
        ops = a_caller("ops", "manage")
        api.settle()
        api.server.feel(500)
        api.run_for(301)
        shown = done(ops.get("providers/openai/"))["health"]
        assert (shown["state"], shown["outcome"], shown["consecutive_failures"]) == ("ok", "provider_down", 1)
        assert shown["error"] == "HTTP 500: not now"
        api.run_for(61)
        shown = done(ops.get("providers/openai/"))["health"]
        assert (shown["state"], shown["flaps"]) == ("failing", 1)
        assert shown["since"] == "2026-11-24T09:06:00Z"

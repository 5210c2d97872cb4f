"""However many workers there are, and however they end: each provider is checked once, and none waits for another."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections

from models_registry.models import Provider
from models_registry.services import checking
from models_registry.services.providers import check_provider, update_provider
from monitoring import checks, tasks
from tests.checks.server import Moody
from tests.checks.world import ApiWorld

SOON_S = 30.0


def in_threads(number: int, work: Callable[[], Any]) -> None:
    """Run `work` in so many threads at once, each with its own connections."""
    start = threading.Barrier(number)

    def run() -> None:
        start.wait()
        try:
            work()
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _n in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SOON_S)
        assert not thread.is_alive()


@pytest.fixture
def stretch(settings: Any) -> None:
    """A watch ends by itself after half a second."""
    settings.STRETCH_S = 0.5


class TestTwoWorkers:
    def test_looks_at_the_same_moment_make_one_check(self, shared_api: ApiWorld):
        shared_api.server.hang(0.3)
        in_threads(4, lambda: checks.look(shared_api.provider.pk))
        assert len(shared_api.server.asked) == 1
        assert shared_api.health().consecutive_successes == 1

    @pytest.mark.usefixtures("stretch")
    def test_two_watches_make_one_check(self, shared_api: ApiWorld):
        in_threads(2, tasks.watch)
        assert len(shared_api.server.asked) == 1

    def test_of_two_answers_at_once_one_counts(self, shared_api: ApiWorld):
        """A button that is pressed while the schedule checks."""
        shared_api.server.feel(500)
        rows = [Provider.objects.get() for _n in range(3)]
        in_threads(3, lambda: check_provider(rows.pop()))
        assert len(shared_api.server.asked) == 3
        assert shared_api.health().consecutive_failures == 1

    def test_an_answer_with_the_former_key_counts_for_nothing(self, shared_api: ApiWorld):
        shared_api.server.hang(0.5)
        shared_api.server.keys = set()
        old = Provider.objects.get()
        checker = threading.Thread(target=lambda: (checking.check(old), connections.close_all()))
        checker.start()
        _wait_until(lambda: bool(shared_api.server.asked))
        update_provider(Provider.objects.get(), {"api_key": "sk-new-0123456789"}, actor="user:kim")
        checker.join(SOON_S)
        assert shared_api.health().checked_at is None


class TestAWorkerThatIsKilled:
    def test_its_check_is_made_again_by_the_next(self, api: ApiWorld, monkeypatch: pytest.MonkeyPatch):
        """Killed while it asks: nothing it would have written is there, and the alarm goes off again."""
        api.add("gpt-mini")
        api.switch_on("gpt-mini")

        def killed(*_args: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(checks, "check", killed)
            checks.look(api.provider.pk)

        api.settle()
        assert api.status("gpt-mini") == "activating"
        api.run_for(60)
        assert api.status("gpt-mini") == "active"

    def test_killed_between_provider_and_models_the_next_check_tells_the_models(
        self, api: ApiWorld, monkeypatch: pytest.MonkeyPatch
    ):
        api.add("gpt-mini")
        api.switch_on("gpt-mini")

        def killed(*_args: object, **_more: object) -> None:
            raise KeyboardInterrupt

        with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
            patch.setattr(checking, "_record_facts", killed)
            checks.look(api.provider.pk)

        assert api.health().health_state == "ok"
        api.run_for(301)
        assert api.status("gpt-mini") == "active"

    def test_a_lost_alarm_is_set_again_by_the_poll(self, api: ApiWorld):
        api.settle()
        Provider.objects.update(wake_at=None)
        api.advance(301)
        api.poll()
        asked = len(api.server.asked)
        api.settle()
        assert len(api.server.asked) == asked + 1


class TestAProviderThatHangs:
    @pytest.fixture
    def beside(self, shared_api: ApiWorld) -> Iterator[tuple[ApiWorld, Moody]]:
        """A second provider, which answers at once."""
        with Moody() as quick:
            shared_api.add_provider("quick", quick)
            yield shared_api, quick

    @pytest.mark.slow
    @pytest.mark.usefixtures("stretch")
    def test_it_delays_no_other(self, beside: tuple[ApiWorld, Moody]):
        world, _quick = beside
        world.server.hang(3)
        watching = threading.Thread(target=lambda: (tasks.watch(), connections.close_all()))
        started = time.perf_counter()
        watching.start()
        try:
            _wait_until(lambda: Provider.objects.get(name="quick").checked_at is not None)
            assert time.perf_counter() - started < 2.5
            assert world.health().checked_at is None
        finally:
            watching.join(SOON_S)
        assert world.health().health_state == "ok"

    def test_it_is_given_up_after_its_time_out(self, api: ApiWorld, settings: Any):
        settings.API_PATIENCE_S = 0.3
        api.server.hang(2)
        api.settle()
        assert api.health().health_code == "unreachable"
        assert api.health().health_error == "no answer in time"


def _wait_until(condition: Callable[[], bool]) -> None:
    ends = time.perf_counter() + SOON_S
    while not condition():
        assert time.perf_counter() < ends
        time.sleep(0.02)

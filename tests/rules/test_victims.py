"""Who gives way for a model that wants to enter: nobody in use, nobody of higher priority, and as few as possible."""

import time

import pytest

from models_registry.vocabulary import Observed
from monitoring.rules.plan import plan
from monitoring.rules.values import Load, Nothing, Server, Unload
from tests.rules.candidates import AT, ONE, act, ago, ready, soon, wanted


class TestVictims:
    def test_an_idle_model_of_the_same_priority_gives_way(self):
        assert act(ready(1), wanted(2)) == Unload(1, for_model=2)

    def test_one_of_higher_priority_does_not(self):
        assert act(ready(1, priority=1), wanted(2)) == Nothing()

    def test_not_even_for_a_waiting_lease(self):
        assert act(ready(1, priority=1), wanted(2, waiting_lease=True)) == Nothing()

    def test_a_leased_one_does_not(self):
        assert act(ready(1, open_leases=1), wanted(2, priority=9)) == Nothing()

    def test_a_pinned_one_does_not(self):
        assert act(ready(1, pinned=True), wanted(2, priority=9)) == Nothing()

    def test_one_that_is_about_to_be_used_does_not(self):
        assert act(ready(1, expected=True), wanted(2, priority=9)) == Nothing()

    @pytest.mark.parametrize("observed", [Observed.LOADING, Observed.UNLOADING])
    def test_one_that_is_at_work_does_not(self, observed: Observed):
        assert act(ready(1, observed=observed), wanted(2, priority=9)) == Nothing()

    def test_one_whose_unload_was_refused_a_moment_ago_does_not(self):
        assert act(ready(1, retry_at=soon(5)), wanted(2)) == Nothing()

    class TestInItsWindow:
        def test_it_stays_for_the_same_priority(self):
            assert act(ready(1, in_window=True), wanted(2)) == Nothing()

        def test_it_gives_way_to_strictly_higher_priority(self):
            assert act(ready(1, in_window=True), wanted(2, priority=1)) == Unload(1, for_model=2)

        def test_it_gives_way_to_a_waiting_lease(self):
            assert act(ready(1, in_window=True), wanted(2, waiting_lease=True)) == Unload(1, for_model=2)

        def test_but_not_to_a_waiting_lease_of_lower_priority(self):
            """No victim is ever of higher priority than the one it gives way to."""
            assert act(ready(1, in_window=True, priority=1), wanted(2, waiting_lease=True)) == Nothing()

        def test_whoever_cannot_have_its_room_keeps_nobody_else_waiting(self):
            night = ready(1, in_window=True, size_mb=4)
            idle = ready(2, size_mb=4)
            large = wanted(3, size_mb=8, queued_at=ago(100))  # would need the room of both
            server = Server(max_loaded=None, memory_mb=8)
            assert act(night, idle, large, wanted(4, size_mb=4), server=server) == Unload(2, for_model=4)

    class TestWhichOnes:
        def test_the_least_recently_used(self):
            server = Server(max_loaded=3)
            found = act(
                ready(1, last_used_at=ago(5)),
                ready(2, last_used_at=ago(50)),
                ready(3, last_used_at=ago(20)),
                wanted(4),
                server=server,
            )
            assert found == Unload(2, for_model=4)

        def test_one_never_used_goes_before_all(self):
            found = act(ready(1, last_used_at=ago(500)), ready(2), wanted(3), server=Server(max_loaded=2))
            assert found == Unload(2, for_model=3)

        def test_as_few_as_possible(self):
            server = Server(max_loaded=None, memory_mb=100)
            small = [ready(i, size_mb=20, last_used_at=ago(100 - i)) for i in (1, 2, 3)]
            big = ready(4, size_mb=40, last_used_at=ago(1))
            assert act(*small, big, wanted(5, size_mb=40), server=server) == Unload(4, for_model=5)

        def test_the_oldest_of_several_smallest_groups(self):
            server = Server(max_loaded=None, memory_mb=100)
            residents = [ready(i, size_mb=25, last_used_at=ago(100 - i)) for i in (1, 2, 3, 4)]
            assert act(*residents, wanted(5, size_mb=50), server=server) == Unload(1, for_model=5)

        def test_nobody_leaves_when_even_all_of_them_would_not_do(self):
            server = Server(max_loaded=None, memory_mb=100)
            held = ready(1, size_mb=60, open_leases=1)
            assert act(held, ready(2, size_mb=40), wanted(3, size_mb=50), server=server) == Nothing()

    def test_only_the_first_of_the_queue_takes_victims(self):
        server = Server(max_loaded=None, memory_mb=100)
        found = act(
            ready(1, size_mb=60, open_leases=1, leased_until=soon(30)),
            ready(2, size_mb=40),
            wanted(3, size_mb=60, priority=5),
            wanted(4, size_mb=30),
            server=server,
        )
        assert found == Nothing()

    def test_one_that_can_never_get_room_holds_up_nobody_behind_it(self):
        server = Server(max_loaded=None, memory_mb=100)
        found = act(
            ready(1, size_mb=60, pinned=True),
            ready(2, size_mb=40),
            wanted(3, size_mb=60, priority=5),
            wanted(4, size_mb=30),
            server=server,
        )
        assert found == Unload(2, for_model=4)

    def test_a_crowd_is_planned_in_no_time(self):
        server = Server(max_loaded=None, memory_mb=4000)
        crowd = [ready(i, size_mb=50 + i % 7, last_used_at=ago(i), priority=i % 3) for i in range(1, 61)]
        held = [ready(i, size_mb=100, open_leases=1) for i in range(61, 66)]
        queue = [wanted(i, size_mb=2900, priority=5, queued_at=ago(i)) for i in range(70, 90)]
        began = time.perf_counter()
        act(*crowd, *held, *queue, server=server)
        assert time.perf_counter() - began < 1.0


def test_for_the_next_try_of_a_failed_load_nobody_gives_way():
    again = wanted(2, failures=1)
    assert plan(ONE, [ready(1), again], AT).action == Nothing()
    assert plan(ONE, [again], AT).action == Load(2)


def test_it_takes_room_when_a_request_waits_for_it():
    asked = wanted(2, failures=1, waiting_lease=True)
    assert plan(ONE, [ready(1), asked], AT).action == Unload(1, for_model=2)


def test_it_keeps_nobody_behind_it_from_making_room():
    again, other = wanted(2, failures=1, priority=9), wanted(3)
    assert plan(ONE, [ready(1), again, other], AT).action == Unload(1, for_model=3)

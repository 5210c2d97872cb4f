"""What to do next on a server: one test or more per rule."""

from datetime import datetime

import pytest

from models_registry.vocabulary import ErrorCode, Observed
from monitoring.rules.plan import back_off_s, queue_of
from monitoring.rules.values import Candidate, Load, Nothing, Server, Unload, Wait, Waiting
from tests.rules.candidates import AT, act, ago, ready, soon, unwanted, waits, wanted


class TestRest:
    def test_nothing_registered(self):
        assert act() == Nothing()

    def test_all_as_wanted(self):
        off = Candidate(2, "m2", wanted=False, observed=Observed.UNLOADED)
        assert act(ready(1), off) == Nothing()


class TestRule0ABusyServer:
    def test_nothing_is_posted_into_it(self):
        busy = Server(max_loaded=5, busy=("someones",))
        assert act(wanted(1), unwanted(2), server=busy) == Wait(("someones",))

    def test_waiters_are_told_their_place_all_the_same(self):
        assert waits(wanted(1), server=Server(max_loaded=5, busy=("x",)))[1].position == 1


class TestRule2WhatIsNotWantedLeaves:
    def test_without_a_lease_at_once(self):
        assert act(unwanted(1, drain_until=soon(60))) == Unload(1)

    def test_a_leased_one_drains_first(self):
        assert act(unwanted(1, open_leases=1, drain_until=soon(1))) == Nothing()

    @pytest.mark.parametrize("drain_until", [AT, ago(1)])
    def test_when_its_time_is_over_its_leases_are_revoked(self, drain_until: datetime):
        assert act(unwanted(1, open_leases=2, drain_until=drain_until)) == Unload(1, revoke=True)

    def test_a_leased_one_without_a_deadline_stays(self):
        assert act(unwanted(1, open_leases=1)) == Nothing()

    def test_before_anything_enters(self):
        assert act(wanted(1), unwanted(2), server=Server(max_loaded=5)) == Unload(2)

    def test_one_removed_from_disk_while_loaded_leaves_too(self):
        assert act(unwanted(1, error_code=ErrorCode.MISSING)) == Unload(1)

    def test_an_unload_that_the_server_refused_is_held_back_for_a_while(self):
        assert act(unwanted(1, retry_at=soon(1))) == Nothing()
        assert act(unwanted(1, retry_at=AT)) == Unload(1)

    @pytest.mark.parametrize("observed", [Observed.UNKNOWN, Observed.ABSENT, Observed.UNLOADED])
    def test_what_is_not_loaded_needs_no_unload(self, observed: Observed):
        assert act(Candidate(1, "m1", wanted=False, observed=observed)) == Nothing()


class TestRule3WhatIsWantedEnters:
    def test_an_empty_server_loads_it(self):
        assert act(wanted(1)) == Load(1)

    def test_one_whose_error_may_be_tried_again(self):
        assert act(wanted(1, error_code=ErrorCode.NOT_LOADED)) == Load(1)
        assert act(wanted(1, error_code=ErrorCode.ACTIVATION_TIMEOUT)) == Load(1)

    def test_a_missing_one_is_never_tried(self):
        assert act(wanted(1, error_code=ErrorCode.MISSING)) == Nothing()

    def test_back_off_is_kept(self):
        assert act(wanted(1, failures=1, retry_at=soon(1))) == Nothing()
        assert act(wanted(1, failures=1, retry_at=AT)) == Load(1)

    def test_five_failures_are_enough(self):
        assert act(wanted(1, failures=4)) == Load(1)
        assert act(wanted(1, failures=5)) == Nothing()

    def test_one_held_back_stands_in_nobodys_way(self):
        assert act(wanted(1, priority=9, retry_at=soon(1)), wanted(2)) == Load(2)

    class TestTheBestFirst:
        def test_a_waiting_lease_goes_before_priority(self):
            assert act(wanted(1, priority=9), wanted(2, waiting_lease=True)) == Load(2)

        def test_priority_goes_before_waiting_longest(self):
            assert act(wanted(1, queued_at=ago(99)), wanted(2, priority=1)) == Load(2)

        def test_then_who_waits_longest(self):
            assert act(wanted(1), wanted(2, queued_at=ago(99))) == Load(2)

        def test_then_the_older_model(self):
            assert [c.id for c in queue_of([wanted(3), wanted(1), wanted(2)], AT)] == [1, 2, 3]

    class TestTheLimits:
        def test_the_number_of_models(self):
            assert act(ready(1), wanted(2, priority=-1), server=Server(max_loaded=2)) == Load(2)
            assert act(ready(1), ready(2), wanted(3, priority=-1), server=Server(max_loaded=2)) == Nothing()

        def test_the_memory(self):
            server = Server(max_loaded=None, memory_mb=100)
            assert act(ready(1, size_mb=60), wanted(2, size_mb=40, priority=-1), server=server) == Load(2)
            assert act(ready(1, size_mb=60), wanted(2, size_mb=41, priority=-1), server=server) == Nothing()

        def test_both_hold(self):
            server = Server(max_loaded=1, memory_mb=100)
            assert act(ready(1, size_mb=1), wanted(2, size_mb=1, priority=-1), server=server) == Nothing()

        def test_a_foreign_resident_counts_as_one(self):
            assert act(wanted(1), server=Server(max_loaded=1, foreign=("stranger",))) == Nothing()
            assert act(wanted(1), server=Server(max_loaded=2, foreign=("stranger",))) == Load(1)

        def test_one_removed_from_disk_while_loaded_is_counted(self):
            assert act(ready(1, error_code=ErrorCode.MISSING, pinned=True), wanted(2)) == Nothing()

        def test_others_use_room_that_is_free_while_the_best_is_blocked(self):
            server = Server(max_loaded=None, memory_mb=100)
            leased = ready(1, size_mb=50, open_leases=1)
            assert act(leased, wanted(2, size_mb=60, priority=5), wanted(3, size_mb=50), server=server) == Load(3)


class TestBackOff:
    def test_it_doubles_up_to_five_minutes(self):
        assert [back_off_s(n) for n in range(1, 8)] == [10, 20, 40, 80, 160, 300, 300]


class TestWhyEachWaiterWaits:
    def test_who_holds_the_room_until_when_and_the_place_in_the_queue(self):
        held = ready(1, open_leases=1, leased_until=soon(30))
        found = waits(held, wanted(2, queued_at=ago(9)), wanted(3))
        assert found[2] == Waiting(("m1",), soon(30), 1, None)
        assert found[3] == Waiting(("m1",), soon(30), 2, None)

    def test_a_drain_deadline_comes_before_the_lease(self):
        held = unwanted(1, open_leases=1, leased_until=soon(300), drain_until=soon(20))
        assert waits(held, wanted(2))[2].until == soon(20)

    def test_nobody_is_named_when_an_idle_one_is_about_to_give_way(self):
        assert waits(ready(1), wanted(2))[2].held_by == ()

    def test_who_stays_for_one_that_nobody_gives_way_to_is_named(self):
        found = waits(ready(1), wanted(2, failures=1, queued_at=ago(9)), wanted(3, load_s=7))
        assert (found[2].held_by, found[2].until) == (("m1",), None)
        assert (found[3].held_by, found[3].expected_ready_at) == ((), soon(7))

    def test_strangers_are_named(self):
        assert waits(wanted(1), server=Server(max_loaded=1, foreign=("stranger",)))[1].held_by == ("stranger",)

    def test_past_loads_tell_when_it_may_be_ready(self):
        held = ready(1, open_leases=1, leased_until=soon(30))
        found = waits(held, wanted(2, load_s=5, queued_at=ago(9)), wanted(3, load_s=7))
        assert found[2].expected_ready_at == soon(35)
        assert found[3].expected_ready_at == soon(42)

    def test_without_past_loads_nothing_is_promised(self):
        assert waits(wanted(1))[1].expected_ready_at is None

    def test_one_held_back_is_not_in_the_queue(self):
        assert waits(wanted(1, retry_at=soon(5)), wanted(2))[2].position == 1
        assert 1 not in waits(wanted(1, retry_at=soon(5)), wanted(2))

"""Hand-over from a model that is in use: after a bounded wait, by rank, and only while somebody waits."""

from datetime import datetime, timedelta
from typing import Any

from monitoring.rules.plan import plan, queue_of
from monitoring.rules.values import Candidate, Drain, Keep, Load, Nothing, Server, Unload
from tests.rules.candidates import AT, ago, ready, soon, wanted

ONE = Server(max_loaded=1, hand_over_after_s=60)
TWO = Server(max_loaded=2, hand_over_after_s=60)


def asked(id: int, waited_s: float, **more: Any) -> Candidate:
    return wanted(id, waiting_lease=True, queued_at=ago(waited_s), **more)


def in_use(id: int, **more: Any) -> Candidate:
    return ready(id, **{"open_leases": 1, "last_used_at": ago(1), **more})


def draining(id: int, until: datetime, **more: Any) -> Candidate:
    return in_use(id, drain_until=until, **more)


def test_before_its_time_a_request_waits_for_what_is_in_use():
    assert plan(ONE, [in_use(1), asked(2, 59)], AT).action == Nothing()


def test_then_the_model_in_use_hands_over():
    assert plan(ONE, [in_use(1), asked(2, 60)], AT).action == Drain(1, for_model=2)


def test_a_switch_alone_makes_nobody_hand_over():
    assert plan(ONE, [in_use(1), wanted(2, queued_at=ago(600))], AT).action == Nothing()


def test_while_it_drains_nothing_more_is_done():
    assert plan(ONE, [draining(1, soon(30)), asked(2, 90)], AT).action == Nothing()


def test_its_last_lease_gone_it_is_unloaded_for_the_one_that_waits():
    idle = draining(1, soon(30), open_leases=0)
    assert plan(ONE, [idle, asked(2, 90)], AT).action == Unload(1, for_model=2)


def test_past_the_drain_deadline_its_leases_are_revoked():
    assert plan(ONE, [draining(1, ago(1)), asked(2, 130)], AT).action == Unload(1, for_model=2, revoke=True)


def test_when_nobody_waits_any_more_it_stays():
    assert plan(ONE, [draining(1, soon(30))], AT).action == Keep(1)
    assert plan(ONE, [draining(1, soon(30)), wanted(2, queued_at=ago(90))], AT).action == Keep(1)


def test_what_is_not_wanted_drains_on_whoever_waits():
    assert plan(ONE, [draining(1, soon(30), wanted=False)], AT).action == Nothing()


def test_pinned_and_higher_priority_hand_over_to_nobody():
    assert plan(ONE, [in_use(1, pinned=True), asked(2, 600)], AT).action == Nothing()
    assert plan(ONE, [in_use(1, priority=50), asked(2, 600)], AT).action == Nothing()


def test_waiting_raises_the_rank_by_one_a_minute_so_that_nobody_starves():
    assert plan(ONE, [in_use(1, priority=5), asked(2, 299)], AT).action == Nothing()
    assert plan(ONE, [in_use(1, priority=5), asked(2, 300)], AT).action == Drain(1, for_model=2)
    assert plan(ONE, [ready(1, priority=5), asked(2, 300)], AT).action == Unload(1, for_model=2)


def test_rank_orders_the_queue_too():
    young, old = asked(1, 10, priority=3), asked(2, 250)
    assert [c.id for c in queue_of([young, old], AT)] == [2, 1]
    assert [c.id for c in queue_of([young, asked(2, 100)], AT)] == [1, 2]


def test_one_model_hands_over_where_one_is_enough_and_the_least_recently_used_first():
    first, second = in_use(1, last_used_at=ago(5)), in_use(2, last_used_at=ago(20))
    assert plan(TWO, [first, second, asked(3, 60)], AT).action == Drain(2, for_model=3)


def test_the_one_that_drains_already_is_enough():
    first, second = draining(1, soon(30)), in_use(2, last_used_at=ago(20))
    assert plan(TWO, [first, second, asked(3, 60)], AT).action == Nothing()


def test_an_idle_model_gives_way_before_one_in_use_hands_over():
    assert plan(TWO, [in_use(1, last_used_at=ago(50)), ready(2), asked(3, 60)], AT).action == Unload(2, for_model=3)


def test_several_hand_over_where_the_memory_of_one_is_not_enough():
    server = Server(max_loaded=None, memory_mb=10, hand_over_after_s=60)
    models = [in_use(1, size_mb=4), in_use(2, size_mb=4), asked(3, 60, size_mb=9)]
    first = plan(server, models, AT).action
    assert isinstance(first, Drain)
    models[first.model_id - 1] = draining(first.model_id, soon(60), size_mb=4)
    second = plan(server, models, AT).action
    assert isinstance(second, Drain)
    assert {first.model_id, second.model_id} == {1, 2}


def test_where_there_is_room_nobody_hands_over():
    assert plan(TWO, [in_use(1), asked(2, 60)], AT).action == Load(2)


def test_one_that_could_never_fit_makes_nobody_hand_over():
    server = Server(max_loaded=None, memory_mb=10, hand_over_after_s=60)
    models = [in_use(1, size_mb=6, pinned=True), in_use(2, size_mb=4), asked(3, 600, size_mb=5)]
    assert plan(server, models, AT).action == Nothing()


def test_the_rank_of_one_nobody_waits_for_does_not_rise():
    assert wanted(1, queued_at=ago(6000), priority=2).rank(AT) == 2
    assert asked(1, 6000, priority=2).rank(AT + timedelta(seconds=1)) == 102


class TestRoomForALargeOne:
    """100 MB; the large one needs all of it, and one of the two that held it has gone already."""

    MEMORY = Server(max_loaded=None, memory_mb=100, hand_over_after_s=60)

    def test_while_the_rest_of_its_room_is_handed_over_a_smaller_one_does_not_take_it(self):
        leaving, large, small = draining(1, soon(30), size_mb=50), asked(2, 90, size_mb=100), asked(3, 10, size_mb=50)
        assert plan(self.MEMORY, [leaving, large, small], AT).action == Nothing()

    def test_one_that_fits_beside_it_may_enter(self):
        leaving, large, small = draining(1, soon(30), size_mb=50), asked(2, 90, size_mb=90), asked(3, 10, size_mb=10)
        assert plan(self.MEMORY, [leaving, large, small], AT).action == Load(3)

    def test_before_its_time_room_that_is_free_is_used(self):
        held, large, small = in_use(1, size_mb=50), asked(2, 30, size_mb=100), asked(3, 10, size_mb=50)
        assert plan(self.MEMORY, [held, large, small], AT).action == Load(3)

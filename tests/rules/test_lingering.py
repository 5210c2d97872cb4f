"""An idle model is kept a little for its next request while the server does little else than swap."""

from datetime import timedelta

import pytest

from monitoring.rules.plan import plan
from monitoring.rules.room import pressure
from monitoring.rules.values import Action, Candidate, Load, Nothing, Server, Unload
from tests.rules.candidates import AT, ago, ready, soon, wanted
from tests.rules.test_hand_over import asked, draining

# Three quarters of the time goes to swapping: it lingers for 8 · 0.5 loads.
PRESSED = Server(max_loaded=1, hand_over_after_s=60, pressure=0.75)


def act(*candidates: Candidate, server: Server = PRESSED) -> Action:
    return plan(server, candidates, AT).action


def test_a_model_just_used_stays_for_some_loads_of_the_newcomer():
    newcomer = asked(2, 10, load_s=3)
    assert act(ready(1, last_used_at=ago(11.9)), newcomer) == Nothing()
    assert act(ready(1, last_used_at=ago(12)), newcomer) == Unload(1, for_model=2)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5])
def test_a_server_that_swaps_at_most_half_of_its_time_hands_over_at_once(share: float):
    calm = Server(max_loaded=1, pressure=share)
    assert act(ready(1, last_used_at=AT), asked(2, 1, load_s=3), server=calm) == Unload(1, for_model=2)


def test_it_lingers_the_longer_the_more_time_goes_to_swapping():
    resident, newcomer = ready(1, last_used_at=ago(20)), asked(2, 10, load_s=3)
    assert act(resident, newcomer) == Unload(1, for_model=2)
    assert act(resident, newcomer, server=Server(max_loaded=1, pressure=1.0)) == Nothing()


def test_never_against_a_request_that_has_waited_long_enough():
    assert act(ready(1, last_used_at=AT), asked(2, 60, load_s=30)) == Unload(1, for_model=2)


def test_nor_for_a_model_that_no_request_waits_for_so_that_a_person_is_obeyed_at_once():
    assert act(ready(1, last_used_at=AT), wanted(2, load_s=30)) == Unload(1, for_model=2)


def test_nor_one_that_was_told_to_hand_over_never_used_or_for_one_of_unknown_load_time():
    newcomer = asked(2, 70, load_s=30)
    assert act(draining(1, soon(9), open_leases=0, last_used_at=AT), newcomer) == Unload(1, for_model=2)
    assert act(ready(1, last_used_at=None), asked(2, 1, load_s=30)) == Unload(1, for_model=2)
    assert act(ready(1, last_used_at=AT), asked(2, 1, load_s=None)) == Unload(1, for_model=2)


def test_another_idle_model_gives_way_instead():
    two = Server(max_loaded=2, pressure=0.75)
    both = ready(1, last_used_at=ago(1)), ready(2, last_used_at=ago(30))
    assert act(*both, asked(3, 1, load_s=3), server=two) == Unload(2, for_model=3)


def test_free_room_is_used_all_the_same():
    assert act(ready(1, last_used_at=AT), asked(2, 1, load_s=3), server=Server(max_loaded=2, pressure=1.0)) == Load(2)


def test_whoever_waits_is_told_for_whom_and_until_when():
    told = plan(PRESSED, [ready(1, last_used_at=ago(2)), asked(2, 1, load_s=3)], AT).waits[2]
    assert (told.held_by, told.until, told.expected_ready_at) == (("m1",), soon(10), soon(13))


class TestPressure:
    def test_it_is_the_share_of_the_last_minute_that_operations_took(self):
        assert pressure([(ago(30), ago(24)), (ago(12), ago(9))], AT) == 9 / 60

    def test_what_was_before_does_not_count_and_what_still_runs_does(self):
        assert pressure([(ago(600), ago(300)), (ago(66), ago(57)), (ago(3), None)], AT) == 6 / 60

    def test_it_is_told_in_twentieths(self):
        assert pressure([(ago(30), ago(20))], AT) == pressure([(ago(30), ago(21))], AT) == 0.15

    def test_it_is_never_more_than_all_of_it(self):
        assert pressure([(ago(300), AT + timedelta(seconds=9))], AT) == 1

"""What a person sees of the programs' logs."""

import io

from modelmanager.embedded.console import LONGEST_LINE, Console, Follower


def shown(*lines: str) -> list[str]:
    follower = Follower()
    return [text for line in lines if (text := follower.worth_showing(line))]


def test_events_are_shown_as_they_are() -> None:
    assert shown("2026-11-24 14:17:03,123 INFO modelmanager.events: chat-small: registered → activating") == [
        "chat-small: registered → activating"
    ]


def test_chatter_is_not_shown() -> None:
    assert not shown(
        "2026-11-24 14:17:03,123 INFO django-q: Process-1 ready for work at 12",
        "[2026-11-24 14:17:03 +0900] [12] [INFO] Booting worker with pid: 13",
        "I1124 14:17:03.123456 12 model_lifecycle.cc:472] loading: chat:1",
        "just a word",
    )


def test_errors_are_shown_with_their_traceback() -> None:
    assert shown(
        "2026-11-24 14:17:03,123 ERROR django.request: Internal Server Error: /x",
        "Traceback (most recent call last):",
        "ValueError: no",
        "2026-11-24 14:17:04,123 INFO django-q: fine again",
        "    unrelated",
    ) == ["ERROR: Internal Server Error: /x", "Traceback (most recent call last):", "ValueError: no"]


def test_refusals_in_the_request_log_are_not_shown() -> None:
    assert not shown(
        "2026-11-24 14:17:03,123 WARNING django.request: Not Found: /x",
        "2026-11-24 14:17:03,123 ERROR django.request: Service Unavailable: /api/v1/leases/",
    )


def test_a_traceback_without_a_log_record_is_shown() -> None:
    assert shown("Traceback (most recent call last):", "ImportError: x") == [
        "Traceback (most recent call last):",
        "ImportError: x",
    ]


def test_tritons_errors_are_shown_without_their_tables_and_without_what_no_gpu_or_an_event_tells() -> None:
    assert shown(
        'E1124 14:17:03.123456 12 server.cc:254] "No server context available. Exiting immediately."',
        "  File model.py",
        "I1124 14:17:03.123456 12 server.cc:631]",
        "+------+",
        'E1124 14:17:03.123456 12 cuda.cc:1] "CudaDriverHelper has not been initialized."',
        "E1124 14:17:03.123456 12 model_lifecycle.cc:654] \"failed to load 'chat' version 1: Internal: no\"",
    ) == ['ERROR: "No server context available. Exiting immediately."']


def test_of_a_step_that_talks_to_people_every_line_is_shown_and_its_log_as_usual() -> None:
    follower = Follower(talks_to_people=True)
    assert follower.worth_showing("Created the admin account.") == "Created the admin account."
    assert follower.worth_showing("2026-11-24 14:17:03,123 INFO modelmanager.events: x: registered") == "x: registered"
    assert not follower.worth_showing("2026-11-24 14:17:03,123 INFO other: chatter")


def test_a_line_has_time_and_speaker_and_is_cut() -> None:
    out = io.StringIO()
    Console(out).say("worker", "x" * 1000)
    stamp, who, text = out.getvalue().rstrip("\n").split(maxsplit=2)
    assert len(stamp) == 8
    assert who == "worker"
    assert len(text) == LONGEST_LINE
    assert text.endswith("…")


def test_a_closed_console_is_silent_instead_of_fatal() -> None:
    out = io.StringIO()
    out.close()
    Console(out).say("web", "still here")

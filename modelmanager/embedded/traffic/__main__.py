"""What `make demo-traffic` runs: SECONDS and HISTORY_DAYS choose how much."""

import os
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from model_manager_client import ModelManager

from modelmanager.embedded.environment import BadValue, read_environment, whole_number
from modelmanager.embedded.traffic.history import past_calls
from modelmanager.embedded.traffic.story import SYSTEMS, System
from modelmanager.embedded.traffic.systems import LiveSystem
from modelmanager.embedded.traffic.tally import Tally
from modelmanager.embedded.traffic.target import NoTarget, Target

BAD_VALUE, FAILED = 2, 1
TOLD_EVERY_S = 5.0
HISTORY_WITHIN_S = 300.0
LAST_WORDS_S = 2.0

Managers = Mapping[System, ModelManager]


@dataclass(frozen=True, slots=True)
class Choices:
    """Seconds of live traffic, in which a day passes, and days of history before it."""

    data_dir: Path
    seconds: int
    history_days: int
    zone: ZoneInfo


def read_choices(environ: Mapping[str, str]) -> Choices:
    """Raises BadValue."""
    return Choices(
        read_environment(environ).data_dir,
        whole_number(environ, "SECONDS", default=60, least=0, most=86_400),
        whole_number(environ, "HISTORY_DAYS", default=14, least=0, most=365),
        ZoneInfo(environ.get("TIME_ZONE") or "Asia/Seoul"),
    )


def main() -> int:
    """Exit status 0 after its time or Ctrl-C, 1 when there is nothing to call, 2 for a bad variable."""
    try:
        chosen = read_choices(os.environ)
        run(chosen, Target.running(chosen.data_dir))
    except BadValue as refusal:
        print(refusal, file=sys.stderr)
        return BAD_VALUE
    except NoTarget as refusal:
        print(refusal, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        print("\nEnded.")
    return 0


def run(chosen: Choices, target: Target) -> None:
    """History, then live traffic, then a summary. Raises NoTarget."""
    names, changed = target.let_demo_models_come_on_demand()
    if changed:
        say(f"On demand from now on: {', '.join(changed)}.")
    systems = [system for system in SYSTEMS if any(use.model in names for use in system.uses)]
    with ExitStack() as stack:
        managers = {system: stack.enter_context(connected(target, system)) for system in systems}
        if chosen.history_days:
            tell_history(managers, chosen)
        if chosen.seconds:
            play(managers, chosen.seconds)
    say(f"See what it left behind: {target.url}/admin/")


def connected(target: Target, system: System) -> ModelManager:
    """The client as that system has it: its own key, its own spool."""
    spool = target.folder(system) / "spool"
    return ModelManager(target.url, target.key_of(system), spool_dir=spool, instance="demo-traffic")


def tell_history(managers: Managers, chosen: Choices) -> None:
    """Report what the systems did in past days; the second time all of it is known already."""
    until, began = datetime.now(UTC), time.monotonic()
    say(f"Reporting the calls of the last {chosen.history_days} days …")
    for system, manager in managers.items():
        for call in past_calls(system, until=until, days=chosen.history_days, zone=chosen.zone):
            manager.report(**asdict(call))
        is_all = manager.flush(timeout_s=HISTORY_WITHIN_S)
        told = manager.counts
        rest = "" if is_all else "; the rest waits in the spool"
        say(f"{system.name}: {told.accepted} reported, {told.duplicates} known, {told.rejected} refused{rest}")
    say(f"History took {time.monotonic() - began:.1f} s.")


def play(managers: Managers, seconds: float) -> None:
    """Let a day pass in `seconds`; Ctrl-C ends it at once, with its summary."""
    tally, over = Tally(), threading.Event()
    threads = [LiveSystem(system, one, day_s=seconds, tally=tally, over=over) for system, one in managers.items()]
    say(f"A day in {seconds} s. Ctrl-C ends it.")
    for thread in threads:
        thread.start()
    try:
        follow(tally, seconds)
    finally:
        over.set()
        end(threads)
        say("In all:", *tally.table())


def follow(tally: Tally, seconds: float) -> None:
    """A line every few seconds."""
    began = time.monotonic()
    while (passed := time.monotonic() - began) < seconds:
        time.sleep(min(TOLD_EVERY_S, seconds - passed))
        passed = min(seconds, time.monotonic() - began)
        minutes = round(passed / seconds * 24 * 60)
        say(f"{passed:4.0f} s, {minutes // 60:02}:{minutes % 60:02} o'clock · {tally.line()}")


def end(threads: Iterable[threading.Thread]) -> None:
    """Let them release what they hold; who waits for a model is left."""
    deadline = time.monotonic() + LAST_WORDS_S
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))


def say(*lines: str) -> None:
    print(*lines, sep="\n", flush=True)


if __name__ == "__main__":
    sys.exit(main())

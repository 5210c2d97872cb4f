"""`manage.py doctor`: every wait with its owner, age and deadline, and what to do."""

from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand

from modelmanager.lib.clock import now
from monitoring.doctor import Finding, examine


class Command(BaseCommand):
    """Exit codes: 0 nothing is stuck, 1 something is."""

    help = "Names every wait with its owner, age and deadline, and what to do. Exits with 1 when something is stuck."

    def handle(self, *args: Any, **options: Any) -> None:
        at = now()
        found = examine(at)
        for finding in found:
            self.stdout.write(_line(finding, at))
        stuck = sum(finding.stuck for finding in found)
        self.stdout.write(f"{stuck} stuck, {len(found) - stuck} waiting." if found else "Nothing waits.")
        if stuck:
            raise SystemExit(1)


def _line(finding: Finding, at: datetime) -> str:
    mark = "!!" if finding.stuck else ".."
    age = f", for {_span((at - finding.since).total_seconds())}" if finding.since else ""
    return (
        f"{mark} {finding.subject}: {finding.what}{age}{_until(finding.deadline, at)}."
        f" Ends by: {finding.owner}. Do: {finding.advice}."
    )


def _until(deadline: datetime | None, at: datetime) -> str:
    if deadline is None:
        return ""
    left = (deadline - at).total_seconds()
    return f", {_span(left)} left" if left >= 0 else f", overdue by {_span(-left)}"


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"

"""How long a model was in each status, and whether it was there when it was to be."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from modelmanager.console import amounts
from modelmanager.console.badges import NOTHING, STATUS_LOOK
from modelmanager.console.usage.span import Span
from modelmanager.lib.refusals import Invalid
from models_registry.models import RegisteredModel
from models_registry.vocabulary import Status
from usage.rules.status_time import StatusTime
from usage.services.status_times import Range, models_in, status_times

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Part:
    """One status that the model was in."""

    status: Status
    tone: str
    took: str
    percent: float

    @property
    def share(self) -> str:
        """Its part of the whole time."""
        return amounts.share(self.percent, 100)


@dataclass(frozen=True)
class Availability:
    """What a stretch of time held for one model."""

    parts: list[Part]
    availability: str
    wanted: str
    errors: int
    to_recover: str


def availability(model: RegisteredModel, span: Span, at: datetime) -> Availability | None:
    """Of what has passed of the stretch of time; None where nothing has, or where it is too long. Three statements."""
    try:
        asked = Range.of(span.since, span.until, at=at)
    except Invalid:
        return None
    models = list(models_in(asked).filter(pk=model.pk))
    return _told(status_times(models, asked)[model.pk]) if models else None


def _told(time: StatusTime) -> Availability:
    whole = sum(time.spent.values(), timedelta())
    to_recover = time.mean_time_to_recover
    return Availability(
        parts=[
            Part(status, STATUS_LOOK[status][0], amounts.span(spent / SECOND), 100 * (spent / whole))
            for status, spent in time.spent.items()
            if spent
        ],
        availability=NOTHING if time.availability is None else amounts.share(time.availability, 1),
        wanted=amounts.span(time.wanted / SECOND),
        errors=time.errors,
        to_recover=NOTHING if to_recover is None else amounts.span(to_recover / SECOND),
    )

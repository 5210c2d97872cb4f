"""What a client reports: calls that it made, as it tells them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from modelmanager.lib.refusals import Invalid

MOST_AT_ONCE = 1000


class Report(NamedTuple):
    """One call. `lease` is an id and `config` a version's number of that model, where the client tells them."""

    event_id: str
    model: str
    occurred_at: datetime
    latency_us: int
    outcome: str
    input_tokens: int = 0
    output_tokens: int = 0
    error_code: str = ""
    lease: int | None = None
    config: int | None = None


class Fault(NamedTuple):
    """What is wrong with a field of the report of that number, from 0 on; without a field with the whole report."""

    number: int
    field: str
    code: str
    detail: str


@dataclass(frozen=True)
class Batch:
    """The reports of one request, all accepted or none: a list at `prefix` in the body, or a `single` one."""

    reports: Sequence[Report]
    prefix: str = ""
    single: bool = False

    def refuse(self, faults: Sequence[Fault]) -> None:
        """Raise Invalid with the faults, if there are any; fields are named as `3.latency_ms`."""
        if faults:
            raise Invalid(*(self._told(fault) for fault in faults))

    def _told(self, fault: Fault) -> dict[str, str]:
        parts = (self.prefix, "" if self.single else str(fault.number), fault.field)
        return {"field": ".".join(filter(None, parts)), "code": fault.code, "detail": fault.detail}

"""Usage records in a partition for each month, for tables of a hundred million rows: on MySQL and MariaDB only.

Every unique key of a partitioned table holds what it is partitioned by. So the key of an event holds its time, too:
it keeps apart whoever sends the same report at the same moment, and an event that is stored already is found by the
look-up before, whatever its time. What it no longer refuses is one event id with two times sent twice at once.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from django.db import connection
from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from usage.models import UsageRecord
from usage.record_sql import RECORDS, stored
from usage.refusals import NoPartitions
from usage.services.rebuilding import first_of

MONTHS_AHEAD = 3
REST = "later"
KEYS = (
    "DROP PRIMARY KEY, ADD PRIMARY KEY (id, occurred_at), "
    "DROP INDEX usage_once, ADD UNIQUE INDEX usage_once (client_id, event_id, occurred_at)"
)


def partition_records() -> int:
    """Give each month a partition, three months ahead; how many were added. The first time copies the table, and
    nothing can be reported meanwhile: callers keep what they could not send. Raises NoPartitions on SQLite.
    """
    if connection.vendor != "mysql":
        raise NoPartitions(_("Only MySQL and MariaDB know partitions."))
    known = [name for name, _until in partitions()]
    first = first_of(UsageRecord.objects.all(), "occurred_at") or now()
    wanted = [month for month in _months(first, now()) if _name(month) not in known]
    if not known:
        _run(f"ALTER TABLE {RECORDS} {KEYS} PARTITION BY RANGE COLUMNS (occurred_at) ({_listed(wanted)})")
    elif wanted := [month for month in wanted if _name(month) > max(known[:-1], default="")]:
        _run(f"ALTER TABLE {RECORDS} REORGANIZE PARTITION {REST} INTO ({_listed(wanted)})")
    return len(wanted)


def drop_months(until: datetime) -> int:
    """Drop the months that ended by `until`; how many records went. Nothing where there are no partitions."""
    removed = 0
    for name, end in partitions():
        if end is not None and end <= until:
            removed += _run(f"SELECT COUNT(*) FROM {RECORDS} PARTITION ({name})")  # noqa: S608  names are ours
            _run(f"ALTER TABLE {RECORDS} DROP PARTITION {name}")
    return removed


def partitions() -> list[tuple[str, datetime | None]]:
    """The partitions, by name and end, in the order of time; none on SQLite, or before they were made."""
    if connection.vendor != "mysql":
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT partition_name, partition_description FROM information_schema.partitions "
            "WHERE table_schema = DATABASE() AND table_name = %s AND partition_name IS NOT NULL "
            "ORDER BY partition_ordinal_position",
            [RECORDS],
        )
        return [(name, None if name == REST else _time(end)) for name, end in cursor.fetchall()]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.strip("'")).replace(tzinfo=UTC)


def _months(first: datetime, at: datetime) -> Iterator[datetime]:
    """The beginnings of the months from that of `first` to three after that of `at`, in UTC."""
    month = first.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    last = at.astimezone(UTC).year * 12 + at.astimezone(UTC).month + MONTHS_AHEAD
    while month.year * 12 + month.month <= last:
        yield month
        month = _next(month)


def _next(month: datetime) -> datetime:
    return month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)


def _name(month: datetime) -> str:
    return f"m{month:%Y%m}"


def _listed(months: list[datetime]) -> str:
    parts = [f"PARTITION {_name(month)} VALUES LESS THAN ('{stored(_next(month))}')" for month in months]
    return ", ".join([*parts, f"PARTITION {REST} VALUES LESS THAN (MAXVALUE)"])


def _run(statement: str) -> int:
    """Run a statement; the number it tells, if it tells any."""
    with connection.cursor() as cursor:
        cursor.execute(statement)
        found = cursor.fetchone() if cursor.description else None
    return int(found[0]) if found else 0

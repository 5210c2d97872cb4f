"""Re-encrypting what the database holds with the newest of the installation's keys.

Every encrypted column of every table is found by itself. Values are replaced in small transactions, each only
while it still is what was read, so that nothing written meanwhile is lost, and a rotation that was killed goes
on by being started again: what is done already is recognised and passed over.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import connection, models
from django.db.models import ExpressionWrapper, F, Q, QuerySet, TextField

from modelmanager.lib.encrypted_field import EncryptedTextField, encrypted, opened
from modelmanager.lib.retry import retrying_transaction

CHUNK = 200


@dataclass(frozen=True)
class Column:
    """One encrypted column of one table."""

    table: type[models.Model]
    name: str

    def __str__(self) -> str:
        return f"{self.table._meta.label}.{self.name}"

    def values(self) -> "QuerySet[Any]":
        """All rows that hold a value, deleted ones too, with their ciphertext as `stored`."""
        stored = ExpressionWrapper(F(self.name), output_field=TextField())
        rows: QuerySet[Any] = QuerySet(model=self.table)
        return rows.annotate(stored=stored).exclude(Q(stored="") | Q(stored__isnull=True)).order_by("pk")


@dataclass
class Tally:
    """What was found in one column; `lost` are the rows (id, name) whose value no key opens."""

    current: int = 0
    older: int = 0
    replaced: int = 0
    lost: list[tuple[Any, str]] = field(default_factory=list)

    @property
    def seen(self) -> int:
        return self.current + self.older + self.replaced + len(self.lost)


def encrypted_columns() -> list[Column]:
    """Every encrypted column of the installation."""
    tables = (table for table in apps.get_models(include_auto_created=True) if not table._meta.proxy)
    return [
        Column(table, found.name)
        for table in tables
        for found in table._meta.local_concrete_fields
        if isinstance(found, EncryptedTextField)
    ]


def look_through(column: Column) -> Tally:
    """Tell which keys the values of a column need; changes nothing."""
    tally = Tally()
    for rows in _chunks(column):
        _count(column, rows, tally)
    return tally


def rotate(column: Column, *, after_chunk: Callable[[Tally], None] = lambda tally: None) -> Tally:
    """Re-encrypt all values of a column that need an older key; those that no key opens are left as they are.

    Afterwards `older` is 0: a value that was edited in the meantime is looked at again.
    """
    tally = Tally()
    for rows in _chunks(column):
        while rows:
            older = _count(column, rows, tally)
            replaced = _replace(column, older)
            tally.older -= len(older)
            tally.replaced += len(replaced)
            edited = [pk for pk, *_values in older if pk not in replaced]
            rows = list(column.values().filter(pk__in=edited).values_list("pk", "stored")) if edited else []
        after_chunk(tally)
    return tally


def _chunks(column: Column) -> Iterator[list[tuple[Any, str]]]:
    """All (id, ciphertext), a few at a time, by ascending id."""
    last: Any = None
    while True:
        rows = column.values() if last is None else column.values().filter(pk__gt=last)
        found = list(rows.values_list("pk", "stored")[:CHUNK])
        if not found:
            return
        yield found
        last = found[-1][0]


def _count(column: Column, rows: list[tuple[Any, str]], tally: Tally) -> list[tuple[Any, str, str]]:
    """Count the values by the key they need; (id, ciphertext, text) of those that need an older one."""
    older = []
    for pk, stored in rows:
        text, key_number = opened(stored)
        if key_number is None:
            tally.lost.append((pk, str(QuerySet(model=column.table).get(pk=pk))))
        elif key_number == 0:
            tally.current += 1
        else:
            tally.older += 1
            older.append((pk, stored, text))
    return older


@retrying_transaction
def _replace(column: Column, older: list[tuple[Any, str, str]]) -> set[Any]:
    """Replace each value that is still what was read; the ids of those."""
    meta: Any = column.table._meta
    quote = connection.ops.quote_name
    name, key = quote(meta.get_field(column.name).column), quote(meta.pk.column)
    # In plain SQL: the field would encrypt what it is to be compared with.
    replace = f"UPDATE {quote(meta.db_table)} SET {name} = %s WHERE {key} = %s AND {name} = %s"  # noqa: S608
    replaced = set()
    with connection.cursor() as cursor:
        for pk, stored, text in older:
            cursor.execute(replace, [encrypted(text), pk, stored])
            if cursor.rowcount:
                replaced.add(pk)
    return replaced

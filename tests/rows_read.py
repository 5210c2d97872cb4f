"""What a database has to look at for an answer."""

from collections.abc import Callable
from typing import Any

from django.db import connection


def rows_read(work: Callable[[], object]) -> int:
    """How many rows, of tables and of indexes, MariaDB looks at for the work."""
    before = _count()
    work()
    return _count() - before


def learn_sizes(*tables: Any) -> None:
    """Have MariaDB know how large these tables have become: it plans by that. Ends the transaction."""
    with connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"ANALYZE TABLE {table._meta.db_table}")
            cursor.fetchall()


def _count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SHOW SESSION STATUS LIKE 'Handler_read%'")
        return sum(int(number) for _name, number in cursor.fetchall())

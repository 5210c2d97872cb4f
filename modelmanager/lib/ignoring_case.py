"""Searching without regard to case, also where the database's collation minds it."""

from typing import Any

from django.db import models
from django.db.models.lookups import IContains


class Contains(IContains):
    """`icontains` of MySQL and MariaDB leaves case to the collation, and `utf8mb4_bin` minds it."""

    def as_mysql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Both sides in lower case."""
        column, column_values = self.process_lhs(compiler, connection)
        wanted, wanted_values = self.process_rhs(compiler, connection)
        return f"LOWER({column}) LIKE LOWER({wanted})", (*column_values, *wanted_values)


def ignore_case_in_searches() -> None:
    """Make every `icontains` on text mean what it says; called once, when the project starts."""
    for field in (models.CharField, models.TextField):
        field.register_lookup(Contains)

"""What clients name by texts of their own is told apart by every character, whatever the database's collation."""

from typing import Any

import pytest
from django.db import connection

from usage.models import Binding, UsageRecord

PROBE = "CREATE TEMPORARY TABLE probe (told {type} {collation} UNIQUE) DEFAULT CHARACTER SET utf8mb4"


@pytest.mark.django_db
@pytest.mark.parametrize(("model", "name"), [(Binding, "reference"), (UsageRecord, "event_id")])
def test_texts_that_differ_by_case_or_accent_are_two(model: type[Binding | UsageRecord], name: str) -> None:
    field: Any = model._meta.get_field(name)
    column = field.db_parameters(connection)
    collation = f"COLLATE {column['collation']}" if column.get("collation") else ""
    sql = PROBE.format(type=column["type"], collation=collation)
    if connection.vendor == "mysql":
        sql += " COLLATE utf8mb4_general_ci"
    else:
        sql = sql.partition(" DEFAULT ")[0]
    with connection.cursor() as cursor:
        cursor.execute(sql)
        try:
            for text in ("ref", "Ref", "r\N{LATIN SMALL LETTER E WITH ACUTE}f"):
                cursor.execute("INSERT INTO probe VALUES (%s)", [text])  # fails for a text that is there already
            cursor.execute("SELECT COUNT(*) FROM probe WHERE told = %s", ["ref"])
            assert cursor.fetchone() == (1,)
        finally:
            cursor.execute("DROP TABLE probe")

"""Texts that are the same only when every character is."""

from typing import Any

from django.db import models


class ExactTextField(models.CharField):
    """A text that is compared by its characters, whatever the collation of the database.

    Under a usual collation of MySQL or MariaDB `A` equals `a`. Blanks at the end are still passed over there.
    """

    def db_parameters(self, connection: Any) -> dict[str, Any]:
        """The column, with the one collation of MySQL that compares by characters."""
        return super().db_parameters(connection) | (
            {"collation": "utf8mb4_bin"} if connection.vendor == "mysql" else {}
        )

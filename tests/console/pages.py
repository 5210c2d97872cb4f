"""Addresses of the console, and what a page says."""

import html
import re
from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.urls import reverse


def page(label: str, name: str = "changelist", *args: Any) -> str:
    """The address of an admin page of a table: `page("usage.lease")`, `page("usage.lease", "change", 3)`."""
    return reverse(f"admin:{label.replace('.', '_')}_{name}", args=args)


def pages_of_tables() -> Iterator[str]:
    """Every page of every table that answers to GET, and every page beside it."""
    for table, model_admin in admin.site._registry.items():
        label = f"{table._meta.app_label}.{table._meta.model_name}"
        yield page(label)
        yield page(label, "add")
        for row in table._base_manager.all()[:5]:
            yield from (page(label, name, row.pk) for name in ("change", "history", "delete"))
            for action in getattr(model_admin, "object_actions", ()):
                yield page(label, "do", row.pk, action.name)
            for look in getattr(model_admin, "object_pages", ()):
                yield page(label, "look", row.pk, look.name)


def text_of(response: Any) -> str:
    """The words of a page without its markup and symbols, spaces folded."""
    body = re.sub(r"(?s)<(script|style|template)\b.*?</\1>", " ", response.content.decode())
    body = re.sub(r'<span class="material-symbols-outlined[^>]*>[^<]*</span>', " ", body)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())

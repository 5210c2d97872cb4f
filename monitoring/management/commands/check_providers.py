"""`manage.py check_providers`: one free check of each provider, now."""

from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations
from django.db import connection, connections
from django.utils.translation import override

from modelmanager.lib.arguments import text
from models_registry.models import Provider
from models_registry.services.providers import Check, check_provider

SIDE_BY_SIDE = 8


class Command(BaseCommand):
    """Exit codes: 0 all answer well, 1 one does not, 2 bad arguments.

    What is heard of an API provider counts as one of its scheduled checks.
    """

    help = "Checks providers, never billed. Exits with 0 (all answer well), 1 (one does not), 2 (usage)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("names", nargs="*", type=text, metavar="NAME", help="only these (default: all enabled)")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        providers = _chosen(options["names"])
        if not providers:
            self.stdout.write("No enabled provider is registered.")
            return
        found = self._checked(providers)
        self._show(providers, found)
        if not all(check.ok for check in found.values()):
            raise SystemExit(1)

    def _checked(self, providers: list[Provider]) -> dict[int, Check]:
        """What each said, asked side by side, so that one that hangs delays no other; told as they answer."""
        found: dict[int, Check] = {}
        with ThreadPoolExecutor(SIDE_BY_SIDE) as threads:
            asked = {threads.submit(_check, provider): provider for provider in providers}
            for done in as_completed(asked):
                found[asked[done].pk] = done.result()
                self.stderr.write(f"{len(found)} of {len(providers)}: {asked[done].name}")
        return found

    def _show(self, providers: list[Provider], found: dict[int, Check]) -> None:
        rows = [("PROVIDER", "KIND", "OUTCOME", "MS", "BELIEVED", "DETAIL")]
        for provider in providers:
            check = found[provider.pk]
            provider.refresh_from_db()
            ms = f"{check.latency_ms:.1f}"
            rows.append((provider.name, provider.kind, check.outcome, ms, provider.health_state, check.detail))
        widths = [max(len(row[column]) for row in rows) for column in range(5)]
        for *columns, detail in rows:
            cells = (cell.ljust(width) for cell, width in zip(columns, widths, strict=True))
            self.stdout.write(f"{'  '.join(cells)}  {detail}".rstrip())


def _check(provider: Provider) -> Check:
    try:
        with override(None):  # each thread has a language of its own
            return check_provider(provider)
    finally:
        if not connection.in_atomic_block:
            connections.close_all()


def _chosen(names: list[str]) -> list[Provider]:
    rows = Provider.objects.order_by("name")
    if not names:
        return list(rows.filter(enabled=True))
    chosen = {provider.name: provider for provider in rows.filter(name__in=names)}
    if unknown := [name for name in names if name not in chosen]:
        raise CommandError(f"There is no provider called {', '.join(unknown)}.", returncode=2)
    if disabled := [name for name, provider in chosen.items() if not provider.enabled]:
        raise CommandError(f"Disabled, so not checked: {', '.join(disabled)}. Enable them first.", returncode=2)
    return list(chosen.values())

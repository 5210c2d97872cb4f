"""`manage.py sync_triton`: ask each Triton server for the truth and bring it in line with what is wanted."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from modelmanager.lib.arguments import text
from models_registry.models import Provider, RegisteredModel
from models_registry.vocabulary import ProviderKind
from monitoring.sync import Report, preview, resync


class Command(BaseCommand):
    """Exit codes: 0 in sync, 1 something could not be brought in line, 2 bad arguments."""

    help = "Bring Triton servers in line with what is wanted. Exits with 0 (in sync), 1 (something is not), 2 (usage)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--provider", type=text, help="only this provider")
        parser.add_argument("--model", type=text, help="report only this model (its whole server is brought in line)")
        parser.add_argument("--dry-run", action="store_true", help="show what differs, and change nothing")
        parser.add_argument("--patience", type=float, default=None, metavar="S", help="stop waiting after S seconds")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        if options["patience"] is not None and not options["patience"] >= 0:
            raise CommandError("--patience: give a number of seconds, 0 or more.", returncode=2)
        servers = _servers(options["provider"], options["model"])
        if not servers:
            self.stdout.write("No enabled Triton server is registered.")
        reports = [self._bring_in_line(server, options) for server in servers]
        shown = [self._show(report, options["model"]) for report in reports]
        if not all(shown):
            raise SystemExit(1)

    def _bring_in_line(self, server: Provider, options: dict[str, Any]) -> Report:
        if options["dry_run"]:
            return preview(server)
        self.stdout.write(f"{server.name}: asking {server.base_url} …")
        return resync(server, patience_s=options["patience"])

    def _show(self, report: Report, only: str | None) -> bool:
        """Print a report; whether what it shows is in line."""
        lines = [line for line in report.lines if only in (None, line.model)]
        self.stdout.write(f"{report.provider}: " + (f"no answer: {report.error}" if report.error else "answers"))
        width = max((len(line.model) for line in lines), default=0)
        for line in lines:
            wanted = "wanted" if line.wanted else "not wanted"
            mark = "ok " if line.in_line else "!! "
            self.stdout.write(
                f"  {mark}{line.model:<{width}}  {wanted:<10}  believed {line.believed:<9}  server says {line.says:<9}"
                f"  {line.error}".rstrip()
            )
        if report.next_step:
            self.stdout.write(f"  next: {report.next_step}")
        return not report.error and all(line.in_line for line in lines)


def _servers(provider: str | None, model: str | None) -> list[Provider]:
    servers = Provider.objects.filter(kind=ProviderKind.TRITON)
    if provider is not None:
        servers = servers.filter(name=provider)
        if not servers:
            raise CommandError(f"There is no Triton provider called {provider!r}.", returncode=2)
    if model is not None:
        row = RegisteredModel.objects.filter(name=model).first()
        if row is None or not servers.filter(pk=row.provider_id).exists():
            raise CommandError(f"There is no model called {model!r} on these servers.", returncode=2)
        servers = servers.filter(pk=row.provider_id)
    if (provider or model) and not servers.filter(enabled=True).exists():
        raise CommandError("That provider is disabled: enable it first.", returncode=2)
    return list(servers.filter(enabled=True))

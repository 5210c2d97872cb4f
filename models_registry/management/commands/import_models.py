"""`manage.py import_models PROVIDER [--pattern P]`: register what a provider offers."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from modelmanager.lib.arguments import text
from modelmanager.lib.refusals import Refusal
from models_registry.models import Provider
from models_registry.refusals import ProviderUnreachable
from models_registry.services.importing import Line, Outcome, Wish, import_models
from models_registry.vocabulary import ModelKind, Policy

ACTOR = "import_models"


class Command(BaseCommand):
    """Exit codes: 0 done, 1 the provider did not answer or a model was refused, 2 bad arguments."""

    help = (
        "Register models that a provider offers. Exits with 0 (done), 1 (the provider did not answer, or a model "
        "was refused), 2 (usage)."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("provider", type=text, help="our name of the provider")
        parser.add_argument(
            "--pattern", type=text, default="", help="only names that fit, with * and ?, such as 'gpt-4*'"
        )
        parser.add_argument("--name", type=text, action="append", metavar="NAME", help="only this one; repeatable")
        parser.add_argument("--prefix", type=text, default="", help="begin our names with this")
        parser.add_argument("--kind", default="", help=f"of all: {', '.join(ModelKind.values)}; else guessed")
        parser.add_argument("--policy", default=Policy.MANUAL, help="manual (default) or on_demand")
        parser.add_argument("--gpu-memory-mb", type=int, help="size of each, where a Triton server declares its memory")
        parser.add_argument("--dry-run", action="store_true", help="show what would be done, and do nothing")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        provider = Provider.objects.filter(live_name=options["provider"]).first()
        if provider is None:
            raise CommandError(f"There is no provider called {options['provider']!r}.", returncode=2)
        wish = _wish(options)
        try:
            lines = import_models(provider, wish, actor=ACTOR, dry_run=options["dry_run"])
        except ProviderUnreachable as refusal:
            raise CommandError(refusal.detail, returncode=1) from refusal
        except Refusal as refusal:
            errors = refusal.extra.get("errors", [])
            told = "; ".join(f"{error['field']}: {error['detail']}" for error in errors) or refusal.detail
            raise CommandError(told, returncode=2) from refusal
        self._show(lines, dry_run=options["dry_run"])
        if any(line.outcome == Outcome.REFUSED for line in lines):
            raise SystemExit(1)

    def _show(self, lines: list[Line], *, dry_run: bool) -> None:
        width = max((len(line.remote_name) for line in lines), default=0)
        for line in lines:
            told = f"  {line.outcome:<7}  {line.remote_name:<{width}}  {line.name}  {line.kind}  {line.detail}"
            self.stdout.write(told.rstrip())
        counts = {outcome: sum(line.outcome == outcome for line in lines) for outcome in Outcome}
        told = ", ".join(f"{count} {outcome}" for outcome, count in counts.items())
        self.stdout.write(f"{told}.{' Nothing was written.' if dry_run else ''}")


def _wish(options: dict[str, Any]) -> Wish:
    if options["kind"] and options["kind"] not in ModelKind.values:
        raise CommandError(f"--kind: one of {', '.join(ModelKind.values)}.", returncode=2)
    if options["policy"] not in (Policy.MANUAL, Policy.ON_DEMAND):
        raise CommandError("--policy: manual or on_demand.", returncode=2)
    if options["gpu_memory_mb"] is not None and not 0 < options["gpu_memory_mb"] < 2**31:
        raise CommandError("--gpu-memory-mb: a number of megabytes, 1 or more.", returncode=2)
    return Wish(
        pattern=options["pattern"],
        remote_names=options["name"],
        prefix=options["prefix"],
        kind=options["kind"],
        activation_policy=options["policy"],
        gpu_memory_mb=options["gpu_memory_mb"],
    )

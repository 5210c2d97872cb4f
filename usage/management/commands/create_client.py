"""`manage.py create_client NAME --scopes read,use`: a client and a key for it."""

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from modelmanager.lib.arguments import text
from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Refusal
from usage.models import Client
from usage.services.clients import create_client, issue_key

LONGEST_DESCRIPTION = 4000
ACTOR = "create_client"


class Command(BaseCommand):
    help = "Create a client (or give an existing one another key) and print the key on the last line, this once."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", type=text, help="a–z, 0–9, dot, underscore, hyphen; 2 to 100 characters")
        parser.add_argument(
            "--scopes", type=text, default="read,use", help="of read, use (these by default), manage, secrets"
        )
        parser.add_argument("--expires-days", type=int, help="days until the key expires; default: never")
        parser.add_argument("--description", type=text, default="")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        days = options["expires_days"]
        if days is not None and not 0 < days <= 36500:
            raise CommandError("--expires-days: give a number of days from 1 to 36500.", returncode=2)
        if len(options["description"]) > LONGEST_DESCRIPTION:
            raise CommandError(f"--description: at most {LONGEST_DESCRIPTION} characters.", returncode=2)
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        expires_at = now() + timedelta(days=days) if days else None
        try:
            key, existed = _key_for(options["name"], options["description"], scopes, expires_at)
        except Refusal as refusal:
            errors = refusal.extra.get("errors", [])
            told = "; ".join(f"{error['field']}: {error['detail']}" for error in errors) or refusal.detail
            raise CommandError(told, returncode=2) from refusal
        self.stdout.write(f"{'Another key for' if existed else 'Created'} {options['name']} ({', '.join(scopes)}).")
        self.stdout.write("The key, shown this once:")
        self.stdout.write(key)


def _key_for(name: str, description: str, scopes: list[str], expires_at: Any) -> tuple[str, bool]:
    from modelmanager.lib.retry import retrying_transaction

    @retrying_transaction
    def work() -> tuple[str, bool]:
        client = Client.objects.filter(name=name).first()
        existed = client is not None
        client = client or create_client(name, actor=ACTOR, description=description)
        return issue_key(client, scopes=scopes, actor=ACTOR, expires_at=expires_at)[0], existed

    return work()

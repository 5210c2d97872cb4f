"""`manage.py seed_demo`: the demo client and server of `make run`."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, no_translations

from modelmanager.lib.refusals import Refusal
from models_registry.addresses import problem_with
from models_registry.providers.errors import ProviderError
from monitoring import demo


class Command(BaseCommand):
    help = "Registers the demo client, and a Triton server with its models; what exists already is left as it is."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--client-key-file", type=Path, help="keep a working key of the demo client here")
        server = parser.add_mutually_exclusive_group(required=True)
        server.add_argument("--triton-url", help="the Triton server to register")
        server.add_argument("--empty", action="store_true", help="no server: the client only")
        parser.add_argument("--offered", action="store_true", help="register what the server lists, not the demo set")

    @no_translations
    def handle(self, *args: Any, **options: Any) -> None:
        """Raises CommandError when the server cannot be registered."""
        _refuse_wrong(options["client_key_file"], options["triton_url"])
        try:
            if options["client_key_file"] and demo.ensure_client_key(options["client_key_file"]):
                self.stdout.write("Created a key for the demo client.")
            if options["triton_url"]:
                self._register(options["triton_url"], offered=options["offered"])
        except Refusal as refusal:
            errors = "; ".join(f"{error['field']}: {error['detail']}" for error in refusal.extra.get("errors", []))
            raise CommandError(f"{refusal.detail} {errors}".strip()) from refusal

    def _register(self, url: str, *, offered: bool) -> None:
        try:
            added = demo.ensure_offered(url) if offered else demo.ensure_demo_server(url)
        except ProviderError as error:
            self.stdout.write(f"{url} is registered, but does not answer: its models are not ({error}).")
            return
        if added:
            self.stdout.write(f"Registered {len(added)} models of {url}: {', '.join(added)}.")


def _refuse_wrong(key_file: Path | None, url: str | None) -> None:
    """Before anything is changed. Raises CommandError."""
    if key_file is not None and (key_file.is_dir() or not key_file.absolute().parent.is_dir()):
        raise CommandError("--client-key-file: give a file in a folder that exists.", returncode=2)
    if url is not None and (problem := problem_with(url, allow_private_network=True)):
        raise CommandError(f"--triton-url: {problem}", returncode=2)

"""What the worlds of the service tests have in common: rows to force and to look at, a clock, and people's deeds."""

from datetime import datetime, timedelta
from typing import Any

from time_machine import Traveller

from modelmanager.lib.clock import now
from models_registry.models import ConfigVersion, RegisteredModel
from models_registry.services.switching import activate, deactivate
from usage.models import Client
from usage.services.acquire import Grant, Request, acquire
from usage.services.leases import find_lease, release


class Scene:
    """What a test arranges, moves and looks at; nothing happens unless a test says so."""

    def __init__(self, traveller: Traveller) -> None:
        self.traveller = traveller
        self.client = Client.objects.create(name="chatbot")

    # -- arranging

    def put(self, name: str, **facts: Any) -> None:
        """Force columns of a row, as a test's arrangement."""
        assert RegisteredModel.all_objects.filter(name=name).update(**facts) == 1

    def _configure(self, model: RegisteredModel) -> ConfigVersion:
        """The first configuration, which a new row lacks."""
        config = ConfigVersion.objects.create(model=model, number=1, values={})
        RegisteredModel.objects.filter(pk=model.pk).update(config=config)
        return config

    # -- looking

    def model(self, name: str) -> RegisteredModel:
        return RegisteredModel.all_objects.select_related("provider", "config").get(name=name)

    def status(self, name: str) -> str:
        return self.model(name).status_word

    def error(self, name: str) -> str:
        return str(self.model(name).error_code)

    def codes(self, name: str) -> list[str]:
        """Codes of the model's events, oldest first."""
        return list(self.model(name).events.order_by("id").values_list("code", flat=True))

    # -- the clock

    def at(self, seconds: float) -> datetime:
        return now() + timedelta(seconds=seconds)

    def advance(self, seconds: float) -> None:
        self.traveller.shift(timedelta(seconds=seconds))

    # -- acting

    def switch_on(self, name: str, **more: Any) -> None:
        activate(self.model(name), actor="user:kim", **more)

    def switch_off(self, name: str, **more: Any) -> None:
        deactivate(self.model(name), actor="user:kim", **more)

    def use(self, name: str, **asked: Any) -> Grant:
        return acquire(name, Request(client_id=self.client.pk, **asked))

    def done(self, grant: Grant) -> None:
        release(find_lease(grant.lease_id, client_id=None))

"""API providers on real HTTP servers, a clock that is moved, and a timer that is pulled by hand."""

from typing import Any

from time_machine import Traveller

from modelmanager.lib.clock import now
from models_registry.models import Provider, RegisteredModel
from monitoring import checks
from monitoring.tasks import due_providers
from tests.api_providers.servers import ApiServer
from tests.checks.server import Moody
from tests.monitoring.scene import Scene
from usage.services.leases import close_expired


class ApiWorld(Scene):
    """API providers and their models."""

    def __init__(self, traveller: Traveller, server: Moody) -> None:
        super().__init__(traveller)
        self.server = server
        self.provider = self.add_provider("openai", server)

    # -- arranging

    def add_provider(self, name: str, server: ApiServer, **fields: Any) -> Provider:
        values = {"server_key": name, "max_loaded_models": None, "wake_at": now()}
        return Provider.objects.create(name=name, **(server.fields() | values | fields))

    def add(self, name: str, *, provider: Provider | None = None, **fields: Any) -> str:
        """A registered model that nobody was asked about yet; its name."""
        values = {"remote_name": name, "provider": provider or self.provider}
        model = RegisteredModel.objects.create(name=name, **(values | fields))
        self._configure(model)
        return name

    # -- looking

    def health(self) -> Provider:
        return Provider.all_objects.get(pk=self.provider.pk)

    # -- acting

    def settle(self) -> None:
        """Pull the timer, as the watcher would, for what is due now."""
        close_expired(now())
        for _turn in range(20):
            due = due_providers()
            if not due:
                return
            for provider_id, _kind in due:
                checks.look(provider_id)
        raise AssertionError("something stays due for ever")

    def run_for(self, seconds: float) -> None:
        """Let time pass as the worker does: each alarm when it goes off, and the two-minute poll's errand."""
        ends = self.at(seconds)
        self.settle()
        while (left := (ends - now()).total_seconds()) > 0:
            self.advance(min(left, self._until_due()))
            self.settle()

    def poll(self) -> None:
        """What the two-minute poll does for API providers."""
        checks.set_missing_alarms()

    def _until_due(self) -> float:
        alarms = Provider.objects.filter(enabled=True, wake_at__isnull=False).values_list("wake_at", flat=True)
        return min([300.0, *(max(0.001, (alarm - now()).total_seconds()) for alarm in alarms)])

    def bring_up(self, *names: str) -> None:
        """Switch models on and see them ready."""
        for name in names:
            self.switch_on(name)
        self.settle()
        assert {self.status(name) for name in names} == {"active"}

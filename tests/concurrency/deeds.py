"""What the processes do: each function is made once in its process and gives a deed to repeat."""

import random
import time
from collections.abc import Callable
from typing import Any

ACTOR = "user:kim"


def arrange(url: str, names: list[str], limits: dict[str, Any], sizes_mb: int | None = None) -> None:
    """A provider with registered models that are not asked about yet, and two clients."""
    from models_registry.services.providers import create_provider
    from models_registry.services.registration import register_model
    from usage.services.clients import create_client

    provider = create_provider(
        actor=ACTOR, name="gpu", kind="triton", base_url=url, allow_private_network=True, **limits
    )
    for name in names:
        register_model(actor=ACTOR, name=name, remote_name=name, provider=provider, gpu_memory_mb=sizes_mb)
    for name in ("chatbot", "knowledge"):
        create_client(name, actor="user:kim")


def model(name: str) -> Any:
    from models_registry.models import RegisteredModel

    return RegisteredModel.all_objects.select_related("provider", "config").get(name=name)


def refusable(deed: Callable[[random.Random], str]) -> Callable[[random.Random], str]:
    """The deed, or the code of what refused it; any other failure is a fault."""
    from modelmanager.lib.refusals import Refusal

    def done_or_refused(dice: random.Random) -> str:
        try:
            return deed(dice)
        except Refusal as refusal:
            return refusal.code

    return done_or_refused


def activating(names: list[str]) -> Callable[[random.Random], str]:
    """Switch one of the models on; at times wait until it is ready, or gave way, before going on."""
    from models_registry.services.switching import activate

    def deed(dice: random.Random) -> str:
        name = dice.choice(names)
        activate(model(name), actor=ACTOR)
        patient_until = time.monotonic() + dice.choice((0, 0, 3))
        while time.monotonic() < patient_until and model(name).status_word == "activating":
            time.sleep(0.02)
        return "activated"

    return refusable(deed)


def switching(name: str) -> Callable[[random.Random], str]:
    """Switch the model on or off, at times by force."""
    from models_registry.services.switching import activate, deactivate

    def deed(dice: random.Random) -> str:
        if dice.random() < 0.5:
            deactivate(model(name), actor=ACTOR, force=dice.random() < 0.5)
            return "deactivated"
        activate(model(name), actor=ACTOR)
        return "activated"

    return refusable(deed)


def reconciling() -> Callable[[random.Random], str]:
    """Look at the server, as the poll, a request and a command do."""
    from models_registry import gateways
    from models_registry.models import Provider
    from monitoring.reconcile import reconcile

    provider_id = Provider.objects.get().pk
    gateways.triton(Provider.objects.get()).observe()  # imports now what would be imported at the first look

    def deed(dice: random.Random) -> str:
        reconcile(provider_id)
        return "looked"

    return deed


def watching() -> Callable[[random.Random], str]:
    """Run the watcher for a short stretch, as the worker does."""
    import tritonclient.http  # noqa: F401  what would be imported at the first look
    from django.conf import settings

    from monitoring import tasks

    settings.STRETCH_S = 0.5

    def deed(dice: random.Random) -> str:
        tasks.watch()
        return "watched"

    return deed


def leasing(name: str, client: str) -> Callable[[random.Random], str]:
    """Lease the model, at times renew, and release it, at times twice or not at all."""
    import tritonclient.http  # noqa: F401  what would be imported at the first lease

    from usage.models import Client
    from usage.services.acquire import Request, acquire
    from usage.services.leases import find_lease, release, renew

    client_id = Client.objects.get(name=client).pk

    def deed(dice: random.Random) -> str:
        grant = acquire(name, Request(client_id=client_id, ttl_s=5))
        lease = find_lease(grant.lease_id, client_id=client_id)
        if dice.random() < 0.3:
            renew(lease, ttl_s=5)
        for _time in range(dice.choice((0, 1, 1, 1, 2))):
            release(lease)
        return "leased"

    return refusable(deed)


def expiring() -> Callable[[random.Random], str]:
    """Close what has run out, as the timer does."""
    from modelmanager.lib.clock import now
    from usage.services.leases import close_expired

    def deed(dice: random.Random) -> str:
        return "expired" if close_expired(now()) else "nothing expired"

    return deed


def deleting(name: str) -> Callable[[random.Random], str]:
    """Delete the model, or bring it back."""
    from models_registry.services.registration import delete_model, restore_model

    def deed(dice: random.Random) -> str:
        found = model(name)
        if found.deleted_at is None:
            delete_model(found, actor=ACTOR)
            return "deleted"
        restore_model(found, actor=ACTOR)
        return "restored"

    return refusable(deed)


def binding(names: list[str], client: str) -> Callable[[random.Random], str]:
    """Bind the client to one of the models, or undo that."""
    from usage.models import Binding, Client
    from usage.services.bindings import bind, unbind

    client_id = Client.all_objects.get(name=client).pk

    def deed(dice: random.Random) -> str:
        reference = str(dice.randrange(3))
        if dice.random() < 0.5:
            bind(dice.choice(names), client_id=client_id, reference=reference)
            return "bound"
        for row in Binding.objects.filter(client_id=client_id, reference=reference)[:1]:
            unbind(row)
        return "unbound"

    return refusable(deed)


def deleting_client(name: str) -> Callable[[random.Random], str]:
    """Delete the client, or bring it back."""
    from usage.models import Client
    from usage.services.clients import delete_client, restore_client

    def deed(dice: random.Random) -> str:
        client = Client.all_objects.get(name=name)
        if client.deleted_at is None:
            delete_client(client, actor="user:kim")
            return "client deleted"
        restore_client(client, actor="user:kim")
        return "client restored"

    return refusable(deed)


def editing_config(name: str) -> Callable[[random.Random], str]:
    """Raise a number in the model's configuration by one, as a person who saw the version that was last does."""
    from models_registry.services.configs import create_version, head_of

    def deed(dice: random.Random) -> str:
        seen = head_of(model(name))
        assert seen is not None
        time.sleep(dice.choice((0, 0, 0.005)))
        values = {"raised": seen.values.get("raised", 0) + 1, "from": seen.number}
        apply = dice.random() < 0.7
        create_version(model(name), values, actor=ACTOR, based_on=seen.number, apply=apply)
        return "edited"

    return refusable(deed)

"""The demo set: a client with a key, a Triton server, and its models. Everything is done at most once."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from modelmanager.embedded.repository import DEMO_GPU_MEMORY_MB, DEMO_MODELS, DemoModel
from modelmanager.embedded.run_file import write_private
from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Refusal
from models_registry import gateways
from models_registry.addresses import server_key
from models_registry.models import Provider, RegisteredModel
from models_registry.providers.observation import RESIDENT_STATES, Observation
from models_registry.services.providers import create_provider, update_provider
from models_registry.services.registration import register_model
from models_registry.services.switching import activate
from models_registry.vocabulary import ModelKind, ProviderKind
from usage.models import Client, ClientKey
from usage.services.clients import create_client, digest_of, issue_key

ACTOR = "seed_demo"
CLIENT = "demo"
SCOPES = ("read", "use", "manage")
DEMO_PROVIDER, OTHER_PROVIDER = "demo-gpu", "triton"


def ensure_client_key(path: Path) -> bool:
    """Make sure `path` (mode 0600) holds a working key of the demo client; whether a new one was made."""
    known = path.read_text(encoding="utf-8").strip() if path.exists() else ""
    if known and _works(known):
        return False
    client = Client.objects.filter(name=CLIENT).first()
    key, _row = issue_key(
        client or create_client(CLIENT, actor=ACTOR, description="Demo client of `make run`"),
        scopes=SCOPES,
        actor=ACTOR,
    )
    write_private(path, key + "\n")
    return True


def _works(key: str) -> bool:
    row = ClientKey.objects.filter(digest=digest_of(key), revoked_at=None, client__deleted_at=None).first()
    return row is not None and (row.expires_at is None or row.expires_at > now())


def ensure_demo_server(url: str) -> list[str]:
    """Register the demo server with its models, one small model switched on; names of what is new.

    A server that moved to another port is followed; what a person deleted stays deleted.
    """
    provider = Provider.objects.filter(live_url=server_key(url)).first()
    provider = provider or Provider.all_objects.filter(name=DEMO_PROVIDER).order_by("deleted_at").first()
    is_new = provider is None
    if provider is None:
        provider = _create(DEMO_PROVIDER, url, gpu_memory_mb=DEMO_GPU_MEMORY_MB, max_loaded_models=None)
    elif provider.deleted_at is not None:
        return []
    elif provider.base_url != url:
        update_provider(provider, {"base_url": url}, actor=ACTOR)
    added = [demo.name for demo in DEMO_MODELS if _register(provider, demo.name, _declared(demo))]
    if is_new and added:
        _switch_on_smallest(provider)
    return added


def _declared(demo: DemoModel) -> dict[str, Any]:
    told = ("display_name", "description", "kind", "gpu_memory_mb")
    return {field: getattr(demo, field) for field in told}


def _switch_on_smallest(provider: Provider) -> None:
    models = provider.models(manager="objects").exclude(name__contains="broken")
    smallest = models.order_by("gpu_memory_mb", "name").first()
    if smallest is not None:
        activate(smallest, actor=ACTOR)


def ensure_offered(url: str) -> list[str]:
    """Register an existing Triton server with everything it lists; names of what is new.

    What is loaded there is switched on by registering, and as many models as are loaded now may be:
    nothing of it is stopped. Raises ProviderUnavailable when the server does not answer (it is registered then, too).
    """
    provider = Provider.objects.filter(live_url=server_key(url)).first()
    is_new = provider is None
    provider = provider or _create(_free_name(OTHER_PROVIDER, Provider), url)
    seen = gateways.triton(provider).observe()
    loaded = _loaded(seen)
    if is_new and loaded > 1:
        update_provider(provider, {"max_loaded_models": loaded}, actor=ACTOR)
    kinds = {remote: {"kind": ModelKind.OTHER} for remote in sorted(seen.models)}
    return [remote for remote, fields in kinds.items() if _register(provider, remote, fields)]


def _loaded(seen: Observation) -> int:
    return sum(model.state in RESIDENT_STATES for model in seen.models.values())


def _create(name: str, url: str, **limits: Any) -> Provider:
    return create_provider(
        actor=ACTOR, name=name, kind=ProviderKind.TRITON, base_url=url, allow_private_network=True, **limits
    )


def _register(provider: Provider, remote_name: str, fields: dict[str, Any]) -> bool:
    """Register one model unless it is, or ever was, registered; a refusal skips it."""
    if RegisteredModel.all_objects.filter(provider=provider, remote_name=remote_name).exists():
        return False
    try:
        name = _free_name(remote_name, RegisteredModel)
        register_model(actor=ACTOR, name=name, provider=provider, remote_name=remote_name, **fields)
    except Refusal:
        return False
    return True


def _free_name(wish: str, among: type[Provider] | type[RegisteredModel]) -> str:
    """`wish` as one of our names, with a number when it is taken."""
    slug = re.sub(r"[^a-z0-9._-]+", "-", wish.lower()).strip("-")[:90].ljust(2, "-")
    taken: Iterable[str] = set(among.all_objects.filter(name__startswith=slug).values_list("name", flat=True))
    return next(name for number in range(1, 10**6) if (name := f"{slug}-{number}" if number > 1 else slug) not in taken)

"""Registering, changing, checking and deleting providers."""

import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError
from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Invalid, NameTaken
from modelmanager.lib.retry import retrying, retrying_transaction
from models_registry import gateways
from models_registry.addresses import server_key
from models_registry.auditing import record
from models_registry.models import Provider
from models_registry.providers.errors import Outcome, ProviderError
from models_registry.refusals import ProviderInUse, UrlTaken
from models_registry.services import checking
from models_registry.services.provider_keys import KEYS, key_errors, moved_key_errors, moves, without_masks
from models_registry.services.provider_rules import rule_errors
from models_registry.validation import bring_back, edit, insert, refuse_invalid, refuse_stale
from models_registry.vocabulary import AuditAction, ProviderKind
from models_registry.waking import wake

EDITABLE = [
    "base_url",
    "client_url",
    "metrics_url",
    "api_version",
    "organization",
    "project",
    "api_key",
    "api_key_2",
    "timeout_s",
    "proxy_url",
    "ca_certificates",
    "allow_private_network",
    "gpu_memory_mb",
    "max_loaded_models",
    "drain_s",
    "enabled",
]
TIDIED = ("base_url", "proxy_url", "ca_certificates", "organization", "project", "api_version")
# Changed, an API provider is another one: what was heard so far speaks neither for nor against it.
CONNECTS = ("base_url", "api_version", "organization", "project", *KEYS, "proxy_url", "ca_certificates")
NEVER_CHECKED = {
    "checked_at": None,
    "consecutive_failures": 0,
    "consecutive_successes": 0,
    "failing": False,
    "health_since": None,
    "passed_at": None,
    "flaps": 0,
    "health_code": "",
    "health_error": "",
    "key_in_use": 0,
    "check_after": None,
}


@dataclass(frozen=True)
class Check:
    """What a live check of a provider found; `latency_ms` is the call's, `outcome` a word of providers.errors."""

    ok: bool
    latency_ms: float
    detail: str
    server_version: str
    outcome: str


def create_provider(*, actor: str, **fields: Any) -> Provider:
    """Register a provider. Raises Invalid on any field; two Triton providers for one server are refused."""
    if fields.get("kind") != ProviderKind.TRITON:
        fields.setdefault("max_loaded_models", None)  # a server's default, which means nothing for an API
    provider = Provider(**fields)
    _refuse_invalid(provider)
    try:
        insert(provider, actor=actor)
    except IntegrityError as error:
        raise Invalid.of("name", _("A provider of this name or URL was registered just now."), code="unique") from error
    provider.refresh_from_db()
    wake(provider.pk)
    return provider


def update_provider(provider: Provider, changes: dict[str, Any], *, actor: str, edition: int | None = None) -> Provider:
    """Change editable fields. Raises Invalid, or EditConflict when `edition` is no longer the current one.

    A key equal to the hint that is shown instead of it is left as it is. Where the provider is called, or whom
    it is trusted to be, changes only together with its keys. An API provider that is called otherwise than
    before is checked anew, as if it never had been.
    """
    changes = {field: value for field, value in changes.items() if field in EDITABLE}
    changes = _tidied(without_masks(provider, changes))
    if moves(provider, changes) or not changes.keys().isdisjoint(KEYS):
        # The keys are those that were looked at, and go where they were seen to go.
        edition = provider.edition if edition is None else edition
    anew = not provider.is_triton and any(changes.get(f, known) != known for f, known in _connection(provider))
    moved = list(moved_key_errors(provider, changes))
    for field, value in changes.items():
        setattr(provider, field, value)
    if changes != {"enabled": False}:  # whatever is wrong with it, it can be switched off
        _refuse_invalid(provider, *moved)  # may look names up: not in a transaction
    if "base_url" in changes:
        changes["server_key"] = provider.server_key
    if anew:
        changes |= NEVER_CHECKED
    try:
        retrying_transaction(edit)(provider, changes, actor=actor, edition=edition)
    except IntegrityError as error:
        raise UrlTaken(_("Another provider stands for this Triton server.")) from error
    wake(provider.pk)
    return provider


def _connection(provider: Provider) -> list[tuple[str, Any]]:
    return [(field, getattr(provider, field)) for field in CONNECTS]


def _refuse_invalid(provider: Provider, *errors: tuple[str, str, str]) -> None:
    for field, value in _tidied({field: getattr(provider, field) for field in TIDIED}).items():
        setattr(provider, field, value)
    found = [*errors, *rule_errors(provider), *key_errors(provider)]
    has_address = not any(field == "base_url" for field, _code, _detail in found)
    provider.server_key = server_key(provider.base_url) if has_address else ""
    refuse_invalid(provider, *_first_of_each(found), exclude=[] if has_address else ["server_key"])


def _tidied(values: dict[str, Any]) -> dict[str, Any]:
    """Without the spaces and slashes around that mean nothing."""
    return {
        field: value.strip().rstrip("/") if field == "base_url" else value.strip() if field in TIDIED else value
        for field, value in values.items()
    }


def _first_of_each(errors: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """One error for each field: the first, which knows most."""
    found: dict[str, tuple[str, str, str]] = {}
    for error in errors:
        found.setdefault(error[0], error)
    return list(found.values())


@retrying_transaction
def delete_provider(provider: Provider, *, actor: str, edition: int | None = None) -> None:
    """Soft-delete a provider. Raises ProviderInUse while living models are served by it, or EditConflict."""
    at = now()
    # The provider's row first: a registration that comes second then finds it deleted.
    deleted = Provider.objects.filter(pk=provider.pk).update(deleted_at=at, enabled=False)
    refuse_stale(Provider.all_objects.get(pk=provider.pk), edition=edition)
    names = list(provider.models(manager="objects").values_list("name", flat=True)[:20])
    if names:
        detail = _("Models are registered for it: %(names)s. Delete them first.") % {"names": ", ".join(names)}
        raise ProviderInUse(detail, models=names)
    if deleted:
        record(provider, AuditAction.DELETED, actor=actor)


@retrying_transaction
def restore_provider(provider: Provider, *, actor: str) -> Provider:
    """Bring a deleted provider back, enabled. Raises NameTaken or UrlTaken."""
    if provider.deleted_at is None:
        return provider
    if Provider.objects.filter(name=provider.name).exists():
        raise NameTaken(_("Another provider is called %(name)s now.") % {"name": provider.name})
    same_server = Provider.objects.filter(kind=ProviderKind.TRITON, server_key=provider.server_key)
    if provider.is_triton and same_server.exists():
        raise UrlTaken(_("Another provider stands for this Triton server now."))
    taken = _("Another provider took the name or server just now.")
    bring_back(provider, actor=actor, taken=taken, enabled=True, **NEVER_CHECKED)
    wake(provider.pk)
    return provider


def check_provider(provider: Provider) -> Check:
    """Ask a provider how it is, now; never billed. No answer is a result, not an error; a disabled one is not asked.

    What an API provider answers is recorded, as by every check; a Triton server's word is left to the next look.
    """
    if not provider.enabled:
        return Check(False, 0.0, _("%(name)s is disabled.") % {"name": provider.name}, "", "")
    if not provider.is_triton:
        answer = checking.check(provider)
        return Check(not answer.failed, answer.latency_ms, answer.told, "", answer.outcome.value)
    started = time.perf_counter()
    try:
        info = gateways.triton(provider).server_info()
    except ProviderError as error:
        return Check(False, _ms_since(started), str(error), "", error.outcome.value)
    told = _("%(name)s answers.") % {"name": info.name}
    return Check(True, _ms_since(started), told, info.version, Outcome.OK.value)


def record_health(provider: Provider, *, error: str, at: datetime) -> None:
    """Note an answer, or a miss with its reason: the one write of a poll in which nothing changed."""
    failures = provider.consecutive_failures + 1 if error else 0
    values = {"checked_at": at, "health_error": error[:500], "consecutive_failures": failures}
    retrying(Provider.all_objects.filter(pk=provider.pk).update)(**values)
    for field, value in values.items():
        setattr(provider, field, value)


def _ms_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 3)

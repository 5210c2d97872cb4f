"""Renewing and ending leases."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import NotFound
from modelmanager.lib.retry import retrying_transaction
from models_registry.models import RegisteredModel
from models_registry.vocabulary import Policy
from models_registry.waking import wake
from usage.hot_path import OpenLease, close_lease
from usage.models import CloseReason, Lease
from usage.refusals import LeaseClosed

BATCH = 500


def find_lease(lease_id: int, *, client_id: int | None) -> Lease:
    """The lease with model, provider, client and config; with `client_id` only that client's. Raises NotFound."""
    rows = Lease.objects.select_related("model__provider", "client", "config").filter(pk=lease_id)
    lease = (rows if client_id is None else rows.filter(client_id=client_id)).first()
    if lease is None:
        raise NotFound(_("There is no such lease."))
    return lease


def renew(lease: Lease, *, ttl_s: int | None = None) -> Lease:
    """Extend an open lease by `ttl_s` (default: as granted) from now, never past its model's drain deadline
    or the longest life of a lease. Raises LeaseClosed.
    """
    at = now()
    ttl = ttl_s or lease.ttl_s
    limits = [at + timedelta(seconds=ttl), lease.granted_at + timedelta(seconds=settings.MAX_LEASE_LIFE_S)]
    if lease.model.drain_until:
        limits.append(max(lease.model.drain_until, at))
    open_row = Lease.objects.filter(pk=lease.pk, closed_at__isnull=True, expires_at__gt=at)
    if not retrying_transaction(open_row.update)(expires_at=min(limits), ttl_s=ttl):
        raise LeaseClosed(_("This lease is closed or has expired: ask for a new one."))
    lease.expires_at, lease.ttl_s = min(limits), ttl
    return lease


def release(lease: Lease) -> Lease:
    """Close a lease; again is the same as once."""
    if lease.closed_at is None:
        close(lease, reason=CloseReason.RELEASED, at=now())
        lease.refresh_from_db(fields=["closed_at", "close_reason", "expires_at"])
    return lease


def close(lease: Lease, *, reason: CloseReason, at: datetime) -> bool:
    """Close one lease, and wake its server where somebody waits for what it held."""
    model = lease.model
    known = OpenLease(lease.pk, model.pk, model.provider_id, model.idle_ttl_s)
    closed = retrying_transaction(close_lease)(known, reason=reason, at=at)
    if closed and somebody_waits(model.provider_id):
        wake(model.provider_id)
    elif closed and model.activation_policy == Policy.ON_DEMAND:
        wake(model.provider_id, at=at + timedelta(seconds=model.idle_ttl_s))
    return closed


def somebody_waits(provider_id: int) -> bool:
    """Whether a model of this server waits for room, or one is loaded that is no longer wanted."""
    waiting = Q(queued_at__isnull=False) | Q(drain_until__isnull=False)
    return RegisteredModel.objects.filter(waiting, provider_id=provider_id).exists()


def close_expired(at: datetime) -> int:
    """Close the leases that have run out by `at` (at most 500 at a time); how many."""
    due = Lease.objects.filter(closed_at__isnull=True, expires_at__lte=at).select_related("model")
    return _close_all(due.order_by("expires_at")[:BATCH], CloseReason.EXPIRED, at)


def revoke(model: RegisteredModel, *, at: datetime) -> int:
    """Close all open leases of a model whose drain deadline has passed; how many."""
    return _close_all(model.leases.filter(closed_at__isnull=True).select_related("model"), CloseReason.REVOKED, at)


def _close_all(leases: Iterable[Lease], reason: CloseReason, at: datetime) -> int:
    return sum(close(lease, reason=reason, at=at) for lease in leases)

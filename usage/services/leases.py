"""Renewing and ending leases."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.utils.translation import gettext as _

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import NotFound
from modelmanager.lib.retry import retrying, retrying_transaction
from models_registry.models import RegisteredModel
from models_registry.vocabulary import Policy
from models_registry.waking import wake
from usage import hot_path
from usage.hot_path import OpenLease, close_lease, somebody_waits
from usage.models import CloseReason, Lease
from usage.refusals import LeaseClosed
from usage.reports import Batch
from usage.services.recording import Recorded, store
from usage.services.resolving import Row, resolve

BATCH = 500


def find_lease(lease_id: int, *, client_id: int | None) -> Lease:
    """The lease with model, provider, client and config; with `client_id` only that client's. Raises NotFound."""
    lease = hot_path.find_lease(lease_id)
    if lease is None or client_id not in (None, lease.client_id):
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
        at = now()
        _note_released(lease, at, by_us=close(lease, reason=CloseReason.RELEASED, at=at))
    return lease


def release_with_usage(lease: Lease, batch: Batch) -> Recorded:
    """Close a lease and keep the calls made under it: both, or neither; again is the same as once. Raises Invalid.

    Calls are also kept when the lease was closed or ran out before.
    """
    at = now()
    rows = resolve(batch, client_id=lease.client_id, at=at)
    closed, recorded = _close_and_store(lease, batch, rows, at)
    _note_released(lease, at, by_us=closed)
    if closed:
        _wake_whoever_waits(lease.model, at)
    return recorded


@retrying_transaction
def _close_and_store(lease: Lease, batch: Batch, rows: Sequence[Row], at: datetime) -> tuple[bool, Recorded]:
    closed = close_lease(_open(lease), reason=CloseReason.RELEASED, at=at)
    return closed, store(batch, rows, at=at)


def _note_released(lease: Lease, at: datetime, *, by_us: bool) -> None:
    if by_us:
        lease.closed_at, lease.close_reason = at, CloseReason.RELEASED
    else:
        lease.refresh_from_db(fields=["closed_at", "close_reason", "expires_at"])


def close(lease: Lease, *, reason: CloseReason, at: datetime) -> bool:
    """Close one lease, and wake its server where somebody waits for what it held."""
    closed = retrying(close_lease)(_open(lease), reason=reason, at=at)
    if closed:
        _wake_whoever_waits(lease.model, at)
    return closed


def _open(lease: Lease) -> OpenLease:
    model = lease.model
    return OpenLease(lease.pk, model.pk, model.provider_id, model.idle_ttl_s)


def _wake_whoever_waits(model: RegisteredModel, at: datetime) -> None:
    if somebody_waits(model.provider_id):
        wake(model.provider_id)
    elif model.activation_policy == Policy.ON_DEMAND:
        wake(model.provider_id, at=at + timedelta(seconds=model.idle_ttl_s))


def revoke_lease(lease: Lease) -> bool:
    """Close an open lease against its client's will; False when it was closed already.

    The client is told by its next renewal. The model may be unloaded at once when it is no longer wanted.
    """
    return close(lease, reason=CloseReason.REVOKED, at=now())


def close_expired(at: datetime) -> int:
    """Close the leases that have run out by `at` (at most 500 at a time); how many."""
    due = Lease.objects.filter(open_until__lte=at).select_related("model")
    return _close_all(due.order_by("open_until")[:BATCH], CloseReason.EXPIRED, at)


def revoke(model: RegisteredModel, *, at: datetime) -> int:
    """Close all open leases of a model whose drain deadline has passed; how many."""
    return _close_all(model.leases.filter(closed_at__isnull=True).select_related("model"), CloseReason.REVOKED, at)


def _close_all(leases: Iterable[Lease], reason: CloseReason, at: datetime) -> int:
    return sum(close(lease, reason=reason, at=at) for lease in leases)

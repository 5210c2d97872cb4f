"""`/leases/`: the hot path; answers are built by hand, since they are built at every use of a model."""

from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.fields import validated
from modelmanager.api.permissions import has_scope
from modelmanager.api.queries import matching, truth
from modelmanager.api.resources import Resource
from models_registry.models import ConfigVersion, RegisteredModel
from usage.api.hanging_up import hang_up_of
from usage.api.reports import read_reports
from usage.api.serializers import (
    LeaseRequestSerializer,
    LeaseSerializer,
    ReleasedSerializer,
    ReleaseSerializer,
    RenewSerializer,
)
from usage.authentication import Caller
from usage.models import Lease
from usage.services import leases
from usage.services.acquire import Grant, acquire
from usage.services.acquire import Request as Wish

# Nobody needs them here, and each would be decrypted for each row.
SECRETS = ("model__provider__api_key", "model__provider__api_key_2")


def utc(at: datetime | None) -> str | None:
    """ISO 8601 in UTC."""
    return None if at is None else at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def connection(model: RegisteredModel) -> dict[str, str]:
    """Everything a client needs to call the model, but a key."""
    provider = model.provider
    url = provider.client_url or provider.base_url
    if provider.is_triton:
        names = {"model_name": model.remote_name, "model_version": model.remote_version}
        return {"kind": provider.kind, "url": url, **names}
    return {
        "kind": provider.kind,
        "base_url": url,
        "model": model.remote_name,
        "api_version": provider.api_version,
    }


def granted(grant: Grant, wish: Wish, caller: Caller) -> dict[str, Any]:
    """A lease just granted, from what the grant knows: no further query."""
    config = grant.model.loaded_config or grant.model.config
    return {
        "id": grant.lease_id,
        "model": grant.model.name,
        "client": caller.client_name,
        "instance": wish.instance,
        "config": _config(config),
        "connection": connection(grant.model) | ({} if grant.api_key is None else {"api_key": grant.api_key}),
        "granted_at": utc(grant.granted_at),
        "expires_at": utc(grant.expires_at),
        "renew_after_s": grant.ttl_s / 2,
        "verified_at": utc(grant.verified_at),
        "verify_ms": grant.verify_ms,
        "closed_at": None,
        "close_reason": "",
    }


def shown(lease: Lease) -> dict[str, Any]:
    """A stored lease."""
    return {
        "id": lease.pk,
        "model": lease.model.name,
        "client": lease.client.name,
        "instance": lease.instance,
        "config": _config(lease.config),
        "connection": connection(lease.model),
        "granted_at": utc(lease.granted_at),
        "expires_at": utc(lease.expires_at),
        "renew_after_s": lease.ttl_s / 2,
        "verified_at": utc(lease.verified_at),
        "verify_ms": lease.verify_ms,
        "closed_at": utc(lease.closed_at),
        "close_reason": lease.close_reason,
    }


def _config(config: ConfigVersion | None) -> dict[str, Any] | None:
    return None if config is None else {"number": config.number, "values": config.values}


def client_of(request: Request) -> int:
    """The caller's client. Raises PermissionDenied for signed-in staff, who have none."""
    client_id = caller_of(request).client_id
    if client_id is None:
        raise PermissionDenied(_("Leases and bindings belong to clients: use a client key."))
    return client_id


def caller_of(request: Request) -> Caller:
    """Who asks, as our authentication found them."""
    caller: Any = request.user
    return caller


def only_client(request: Request) -> int | None:
    """Whose rows the caller sees: None for all, with `manage`."""
    return None if has_scope(request.user, "manage") else client_of(request)


def seen_by(request: Request, rows: QuerySet[Any]) -> QuerySet[Any]:
    """Of rows that belong to clients those that the caller sees."""
    client_id = only_client(request)
    return rows if client_id is None else rows.filter(client_id=client_id)


class LeaseResource(Resource):
    serializer_class = LeaseSerializer
    read_scope = write_scope = "use"

    def present(self, lease: Lease) -> Any:
        return shown(lease)


class Leases(LeaseResource):
    @extend_schema(
        operation_id="list_leases",
        responses=LeaseSerializer(many=True),
        parameters=[OpenApiParameter("model"), OpenApiParameter("client"), OpenApiParameter("open", bool)],
    )
    def get(self, request: Request) -> Response:
        """The caller's leases, newest first; with `manage` everybody's."""
        rows = Lease.objects.select_related("model__provider", "client", "config").defer(*SECRETS).order_by("-id")
        rows = matching(seen_by(request, rows), request, model="model__name", client="client__name")
        is_open = truth(request, "open")
        rows = rows if is_open is None else rows.filter(closed_at__isnull=is_open)
        return self.page(rows)

    @extend_schema(operation_id="acquire_lease", request=LeaseRequestSerializer, responses={201: LeaseSerializer})
    def post(self, request: Request) -> Response:
        """Use a model: the provider is asked now whether it is ready. Waits for at most `wait_s`."""
        client_id = client_of(request)
        fields = validated(LeaseRequestSerializer, request.data)
        name = fields.pop("model")
        wish = Wish(
            client_id=client_id,
            client_name=caller_of(request).client_name,
            may_have_key=has_scope(request.user, "secrets"),
            has_hung_up=hang_up_of(request),
            **fields,
        )
        return Response(granted(acquire(name, wish), wish, caller_of(request)), status=201)


class OneLease(LeaseResource):
    @extend_schema(operation_id="get_lease")
    def get(self, request: Request, lease_id: int) -> Response:
        """One lease."""
        return Response(shown(leases.find_lease(lease_id, client_id=only_client(request))))


class Renew(LeaseResource):
    @extend_schema(operation_id="renew_lease", request=RenewSerializer)
    def post(self, request: Request, lease_id: int) -> Response:
        """Extend an open lease from now on."""
        wish = validated(RenewSerializer, request.data)
        lease = leases.find_lease(lease_id, client_id=only_client(request))
        return Response(shown(leases.renew(lease, **wish)))


class Release(LeaseResource):
    @extend_schema(operation_id="release_lease", request=ReleaseSerializer, responses=ReleasedSerializer)
    def post(self, request: Request, lease_id: int) -> Response:
        """End a lease, and report the calls made under it: both, or neither. Again is the same as once."""
        usage = _usage(request)
        lease = leases.find_lease(lease_id, client_id=only_client(request))
        if not usage:
            return Response(shown(leases.release(lease)) | {"usage": None})
        defaults = {"model": lease.model.name, "lease": lease.pk}
        batch = read_reports(usage, prefix="usage", defaults=defaults)
        recorded = leases.release_with_usage(lease, batch)
        return Response(shown(lease) | {"usage": recorded._asdict()})


def _usage(request: Request) -> Any:
    """The reports in the body of a release, not yet read. Raises Invalid for anything beside them."""
    body: Any = request.data
    if not isinstance(body, dict) or set(body) - {"usage"} or not isinstance(body.get("usage", []), list):
        validated(ReleaseSerializer, body)
    return body.get("usage")

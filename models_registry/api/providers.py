"""`/providers/`."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.editions import expected_edition, with_etag
from modelmanager.api.fields import validated
from modelmanager.api.queries import choices, ordered, searched
from modelmanager.api.resources import Resource
from modelmanager.lib.refusals import Invalid
from models_registry.api.lookups import deleted_provider, provider_named
from models_registry.api.serializers import (
    CatalogEntrySerializer,
    CheckSerializer,
    ProviderCreateSerializer,
    ProviderEditSerializer,
    ProviderSerializer,
    RemoteSerializer,
    VerifyRemoteSerializer,
)
from models_registry.models import Provider
from models_registry.services import looking, providers
from models_registry.vocabulary import ProviderKind

ORDERINGS = {"name": "name", "created_at": "created_at"}


class ProviderResource(Resource):
    """What every provider view shares."""

    serializer_class = ProviderSerializer

    def present(self, provider: Provider) -> Any:
        return ProviderSerializer(provider).data


class Providers(ProviderResource):
    @extend_schema(
        operation_id="list_providers",
        responses=ProviderSerializer(many=True),
        parameters=[
            OpenApiParameter("kind", enum=ProviderKind.values, many=True),
            OpenApiParameter("ordering", enum=[*ORDERINGS, *(f"-{key}" for key in ORDERINGS)]),
            OpenApiParameter("search"),
        ],
    )
    def get(self, request: Request) -> Response:
        rows = searched(Provider.objects.all(), request, "name", "base_url")
        kinds = choices(request, "kind", {kind: kind for kind in ProviderKind.values})
        rows = rows.filter(kind__in=kinds) if kinds else rows
        return self.page(ordered(rows, request, keys=ORDERINGS, default="name"))

    @extend_schema(
        operation_id="create_provider", request=ProviderCreateSerializer, responses={201: ProviderSerializer}
    )
    def post(self, request: Request) -> Response:
        fields = validated(ProviderCreateSerializer, request.data)
        provider = providers.create_provider(actor=request.user.actor, **fields)
        return with_etag(provider, self.present(provider), 201)


class OneProvider(ProviderResource):
    @extend_schema(operation_id="get_provider")
    def get(self, request: Request, name: str) -> Response:
        provider = provider_named(name)
        return with_etag(provider, self.present(provider))

    @extend_schema(operation_id="update_provider", request=ProviderEditSerializer)
    def patch(self, request: Request, name: str) -> Response:
        provider = provider_named(name)
        edition = expected_edition(request)
        changes = validated(ProviderEditSerializer, request.data, partial=True)
        _refuse_renaming(provider, request.data)
        provider = providers.update_provider(provider, changes, actor=request.user.actor, edition=edition)
        return with_etag(provider, self.present(provider))

    @extend_schema(operation_id="delete_provider", responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        providers.delete_provider(provider_named(name), actor=request.user.actor)
        return Response(status=204)


def _refuse_renaming(provider: Provider, data: Any) -> None:
    for field in ("name", "kind"):
        if field in data and data[field] != getattr(provider, field):
            raise Invalid.of(
                field, _("This never changes: delete the provider and register another."), code="immutable"
            )


class RestoreProvider(ProviderResource):
    @extend_schema(operation_id="restore_provider", request=None)
    def post(self, request: Request, name: str) -> Response:
        provider = providers.restore_provider(deleted_provider(name), actor=request.user.actor)
        return with_etag(provider, self.present(provider))


class CheckProvider(ProviderResource):
    @extend_schema(operation_id="check_provider", request=None, responses=CheckSerializer)
    def post(self, request: Request, name: str) -> Response:
        return Response(CheckSerializer(providers.check_provider(provider_named(name))).data)


class Catalog(ProviderResource):
    @extend_schema(operation_id="get_catalog", responses=CatalogEntrySerializer(many=True))
    def get(self, request: Request, name: str) -> Response:
        return Response(CatalogEntrySerializer(looking.catalog(provider_named(name)), many=True).data)


class VerifyRemote(ProviderResource):
    @extend_schema(operation_id="verify_remote", request=RemoteSerializer, responses=VerifyRemoteSerializer)
    def post(self, request: Request, name: str) -> Response:
        remote = validated(RemoteSerializer, request.data)
        entry, ready = looking.verify_remote(provider_named(name), **remote)
        shown = {
            **remote,
            "state": entry.state,
            "reason": entry.reason,
            "ready": ready,
            "registered_as": entry.registered_as,
        }
        return Response(VerifyRemoteSerializer(shown).data)

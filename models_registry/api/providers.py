"""`/providers/`."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.editions import expected_edition, with_etag
from modelmanager.api.fields import NothingSerializer, presented, validated
from modelmanager.api.permissions import actor_of
from modelmanager.api.queries import choices, ordered, searched
from modelmanager.api.resources import Resource
from modelmanager.lib.refusals import Invalid
from models_registry.api.lookups import deleted_provider, provider_named
from models_registry.api.provider_serializers import (
    CatalogEntrySerializer,
    CheckSerializer,
    ImportReportSerializer,
    ImportSerializer,
    ProviderCreateSerializer,
    ProviderEditSerializer,
    ProviderSerializer,
    RemoteSerializer,
    VerifyRemoteSerializer,
)
from models_registry.models import Provider
from models_registry.services import credentials, importing, looking, providers
from models_registry.vocabulary import ProviderKind

ORDERINGS = {"name": "name", "created_at": "created_at"}


class ProviderResource(Resource):
    """What every provider view shares."""

    serializer_class = ProviderSerializer

    def present(self, provider: Provider) -> Any:
        return presented(ProviderSerializer, provider)


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
        """Providers, filtered, searched and ordered."""
        rows = searched(Provider.objects.all(), request, "name", "base_url")
        kinds = choices(request, "kind", {kind: kind for kind in ProviderKind.values})
        rows = rows.filter(kind__in=kinds) if kinds else rows
        return self.page(ordered(rows, request, keys=ORDERINGS, default="name"))

    @extend_schema(
        operation_id="create_provider", request=ProviderCreateSerializer, responses={201: ProviderSerializer}
    )
    def post(self, request: Request) -> Response:
        """Register a provider; its server is looked at behind."""
        fields = validated(ProviderCreateSerializer, request.data)
        provider = providers.create_provider(actor=actor_of(request), **fields)
        return with_etag(provider, self.present(provider), 201)


class OneProvider(ProviderResource):
    @extend_schema(operation_id="get_provider")
    def get(self, request: Request, name: str) -> Response:
        """One provider, with its edition as ETag."""
        provider = provider_named(name)
        return with_etag(provider, self.present(provider))

    @extend_schema(operation_id="update_provider", request=ProviderEditSerializer)
    def patch(self, request: Request, name: str) -> Response:
        """Change a provider. With If-Match a newer edition refuses."""
        provider = provider_named(name)
        edition = expected_edition(request, provider)
        changes = validated(ProviderEditSerializer, request.data, partial=True)
        _refuse_renaming(provider, request.data)
        provider = providers.update_provider(provider, changes, actor=actor_of(request), edition=edition)
        return with_etag(provider, self.present(provider))

    @extend_schema(operation_id="delete_provider", responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Delete a provider that serves no model; it can be restored."""
        provider = provider_named(name)
        edition = expected_edition(request, provider)
        providers.delete_provider(provider, actor=actor_of(request), edition=edition)
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
        """Bring back the provider of that name that was deleted last."""
        validated(NothingSerializer, request.data)
        provider = providers.restore_provider(deleted_provider(name), actor=actor_of(request))
        return with_etag(provider, self.present(provider))


class PromoteKey(ProviderResource):
    @extend_schema(operation_id="promote_provider_key", request=None)
    def post(self, request: Request, name: str) -> Response:
        """Make the second key the first, and the first the second. With If-Match a newer edition refuses."""
        validated(NothingSerializer, request.data)
        provider = provider_named(name)
        edition = expected_edition(request, provider)
        provider = credentials.promote_key(provider, actor=actor_of(request), edition=edition)
        return with_etag(provider, self.present(provider))


class CheckProvider(ProviderResource):
    @extend_schema(operation_id="check_provider", request=None, responses=CheckSerializer)
    def post(self, request: Request, name: str) -> Response:
        """Ask the provider how it is, now; never billed. No answer is a result: `ok` is false."""
        validated(NothingSerializer, request.data)
        return Response(presented(CheckSerializer, providers.check_provider(provider_named(name))))


class Catalog(Resource):
    """A list like any other, but for where its rows come from."""

    serializer_class = CatalogEntrySerializer

    def present(self, entry: looking.CatalogEntry) -> Any:
        return presented(CatalogEntrySerializer, entry)

    @extend_schema(operation_id="get_catalog", responses=CatalogEntrySerializer(many=True))
    def get(self, request: Request, name: str) -> Response:
        """What the provider offers now, by name."""
        return self.page(looking.catalog(provider_named(name)))


class ImportModels(ProviderResource):
    @extend_schema(
        operation_id="import_models",
        request=ImportSerializer,
        responses={200: ImportReportSerializer, 201: ImportReportSerializer},
    )
    def post(self, request: Request, name: str) -> Response:
        """Register many of the models that the provider offers: 201 when any was, all of them by one transaction.

        What is registered already is `skipped`; what cannot be registered is `refused` and hinders none of the
        others. With `dry_run` nothing is written.
        """
        asked = validated(ImportSerializer, request.data)
        dry_run = asked.pop("dry_run")
        lines = importing.import_models(
            provider_named(name), importing.Wish(**asked), actor=actor_of(request), dry_run=dry_run
        )
        created = not dry_run and any(line.outcome == importing.Outcome.CREATED for line in lines)
        told = presented(ImportReportSerializer, {"dry_run": dry_run, "results": lines})
        return Response(told, status=201 if created else 200)


class VerifyRemote(ProviderResource):
    @extend_schema(operation_id="verify_remote", request=RemoteSerializer, responses=VerifyRemoteSerializer)
    def post(self, request: Request, name: str) -> Response:
        """What the provider says of a model before it is registered."""
        remote = validated(RemoteSerializer, request.data)
        entry, ready = looking.verify_remote(provider_named(name), **remote)
        shown = {
            **remote,
            "state": entry.state,
            "reason": entry.reason,
            "ready": ready,
            "registered_as": entry.registered_as,
        }
        return Response(presented(VerifyRemoteSerializer, shown))

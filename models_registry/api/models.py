"""`/models/`: the models themselves."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.editions import expected_edition, with_etag
from modelmanager.api.fields import NothingSerializer, presented, validated
from modelmanager.api.permissions import actor_of
from modelmanager.api.queries import choices, matching, ordered, parameter, searched, truth
from modelmanager.api.resources import Resource
from modelmanager.lib.refusals import Invalid
from models_registry.api.lookups import deleted_model, model_named
from models_registry.api.serializers import (
    STATUS_WORDS,
    ActivateSerializer,
    DeactivateSerializer,
    ModelCreateSerializer,
    ModelEditSerializer,
    ModelSerializer,
    VerifySerializer,
)
from models_registry.models import RegisteredModel
from models_registry.services import looking, registration, switching
from models_registry.vocabulary import ModelKind, Status

# Columns of its provider that a model in a list does not show; keys would be decrypted for each row.
HEAVY = ("provider__api_key", "provider__api_key_2", "provider__ca_certificates")
ORDERINGS = {"name": "live_name", "status": "status", "created_at": "created_at", "last_used_at": "last_used_at"}


class ModelResource(Resource):
    """What every model view shares."""

    serializer_class = ModelSerializer

    def present(self, model: RegisteredModel) -> Any:
        return presented(ModelSerializer, model)

    def answer(self, model: RegisteredModel, status: int = 200) -> Response:
        """The model as it is now."""
        fresh = RegisteredModel.all_objects.select_related("provider", "config", "window").get(pk=model.pk)
        return with_etag(fresh, self.present(fresh), status)


class Models(ModelResource):
    @extend_schema(
        operation_id="list_models",
        responses=ModelSerializer(many=True),
        parameters=[
            OpenApiParameter("status", enum=[word for word, _label in STATUS_WORDS], many=True),
            OpenApiParameter("provider"),
            OpenApiParameter("kind", enum=ModelKind.values, many=True),
            OpenApiParameter("tag"),
            OpenApiParameter("search"),
            OpenApiParameter("ordering", enum=[*ORDERINGS, *(f"-{key}" for key in ORDERINGS)]),
        ],
    )
    def get(self, request: Request) -> Response:
        """Models, filtered, searched and ordered."""
        rows: Any = RegisteredModel.objects.select_related("provider", "config", "window").defer(*HEAVY)
        rows = searched(_filtered(rows, request), request, "name", "display_name", "description", "remote_name")
        return self.page(ordered(rows, request, keys=ORDERINGS, default="name"))

    @extend_schema(
        operation_id="register_model",
        request=ModelCreateSerializer,
        responses={201: ModelSerializer},
        parameters=[OpenApiParameter("verify", bool, description="false: do not ask the provider")],
    )
    def post(self, request: Request) -> Response:
        """Register a model; a Triton server is asked whether it lists it."""
        fields = validated(ModelCreateSerializer, request.data)
        verify = fields.pop("verify", True) and truth(request, "verify") is not False
        return self.answer(registration.register_model(actor=actor_of(request), verify=verify, **fields), 201)


def _filtered(rows: Any, request: Request) -> Any:
    statuses = choices(request, "status", {status.word: int(status) for status in Status})
    kinds = choices(request, "kind", {kind: kind for kind in ModelKind.values})
    rows = rows.filter(status__in=statuses) if statuses else rows
    rows = rows.filter(kind__in=kinds) if kinds else rows
    rows = matching(rows, request, provider="provider__live_name")
    if tag := parameter(request, "tag"):
        rows = rows.tagged(tag)
    return rows


class OneModel(ModelResource):
    @extend_schema(operation_id="get_model")
    def get(self, request: Request, name: str) -> Response:
        """One model, with its edition as ETag."""
        model = model_named(name)
        return with_etag(model, self.present(model))

    @extend_schema(operation_id="update_model", request=ModelEditSerializer)
    def patch(self, request: Request, name: str) -> Response:
        """Change a model, and its switch, both or neither. With If-Match a newer edition refuses."""
        model = model_named(name)
        edition = expected_edition(request, model)
        changes = validated(ModelEditSerializer, request.data, partial=True)
        sent: Any = request.data
        if sent.get("name", name) != name:
            raise Invalid.of("name", _("A name never changes."), code="immutable")
        switch = changes.pop("switch", None)
        changed = registration.change_model(model, changes, actor=actor_of(request), edition=edition, switch=switch)
        return self.answer(changed)


class RestoreModel(ModelResource):
    @extend_schema(operation_id="restore_model", request=None)
    def post(self, request: Request, name: str) -> Response:
        """Bring back the model of that name that was deleted last, switched off."""
        validated(NothingSerializer, request.data)
        return self.answer(registration.restore_model(deleted_model(name), actor=actor_of(request)))


class Activate(ModelResource):
    @extend_schema(operation_id="activate_model", request=ActivateSerializer, responses={202: ModelSerializer})
    def post(self, request: Request, name: str) -> Response:
        """Switch the model on; loading is watched behind."""
        wish = validated(ActivateSerializer, request.data)
        return self.answer(switching.activate(model_named(name), actor=actor_of(request), **wish), 202)


class Deactivate(ModelResource):
    @extend_schema(operation_id="deactivate_model", request=DeactivateSerializer, responses={202: ModelSerializer})
    def post(self, request: Request, name: str) -> Response:
        """Switch the model off; open leases drain first, or with `force` are revoked."""
        wish = validated(DeactivateSerializer, request.data)
        return self.answer(switching.deactivate(model_named(name), actor=actor_of(request), **wish), 202)


class VerifyModel(ModelResource):
    @extend_schema(operation_id="verify_model", responses=VerifySerializer)
    def get(self, request: Request, name: str) -> Response:
        """Ask the provider about the model now; loads nothing."""
        return Response(presented(VerifySerializer, looking.verify_model(model_named(name))))

"""`/models/`: the models themselves."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.editions import expected_edition, with_etag
from modelmanager.api.fields import validated
from modelmanager.api.queries import choices, ordered, parameter, searched, truth
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
from models_registry.vocabulary import ModelKind, Status, SwitchState

ORDERINGS = {"name": "name", "status": "status", "created_at": "created_at", "last_used_at": "last_used_at"}


class ModelResource(Resource):
    """What every model view shares."""

    serializer_class = ModelSerializer

    def present(self, model: RegisteredModel) -> Any:
        return ModelSerializer(model).data

    def answer(self, model: RegisteredModel, status: int = 200) -> Response:
        """The model as it is now."""
        fresh = RegisteredModel.all_objects.select_related("provider", "config").get(pk=model.pk)
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
        rows = RegisteredModel.objects.select_related("provider", "config")
        rows = searched(_filtered(rows, request), request, "name", "display_name", "description", "remote_name")
        return self.page(ordered(rows, request, keys=ORDERINGS, default="name"))

    @extend_schema(
        operation_id="register_model",
        request=ModelCreateSerializer,
        responses={201: ModelSerializer},
        parameters=[OpenApiParameter("verify", bool, description="false: do not ask the provider")],
    )
    def post(self, request: Request) -> Response:
        fields = validated(ModelCreateSerializer, request.data)
        fields.pop("window", None)
        switch = fields.pop("switch", None)
        verify = fields.pop("verify", True) and truth(request, "verify") is not False
        model = registration.register_model(actor=request.user.actor, verify=verify, **fields)
        if switch is not None:
            _set_switch(model, switch, actor=request.user.actor)
        return self.answer(model, 201)


def _filtered(rows: Any, request: Request) -> Any:
    statuses = choices(request, "status", {status.word: int(status) for status in Status})
    kinds = choices(request, "kind", {kind: kind for kind in ModelKind.values})
    rows = rows.filter(status__in=statuses) if statuses else rows
    rows = rows.filter(kind__in=kinds) if kinds else rows
    if name := parameter(request, "provider"):
        rows = rows.filter(provider__live_name=name)
    if tag := parameter(request, "tag"):
        rows = rows.tagged(tag)
    return rows


class OneModel(ModelResource):
    @extend_schema(operation_id="get_model")
    def get(self, request: Request, name: str) -> Response:
        model = model_named(name)
        return with_etag(model, self.present(model))

    @extend_schema(operation_id="update_model", request=ModelEditSerializer)
    def patch(self, request: Request, name: str) -> Response:
        model = model_named(name)
        edition = expected_edition(request)
        changes = validated(ModelEditSerializer, request.data, partial=True)
        if request.data.get("name", name) != name:
            raise Invalid.of("name", _("A name never changes."), code="immutable")
        switch = changes.pop("switch", None)
        changes.pop("window", None)
        if changes or edition is not None:
            model = registration.update_model(model, changes, actor=request.user.actor, edition=edition)
        if switch is not None:
            _set_switch(model, switch, actor=request.user.actor)
        return self.answer(model)


def _set_switch(model: RegisteredModel, switch: dict[str, Any], *, actor: str) -> None:
    match switch["state"]:
        case SwitchState.ON:
            switching.activate(model, actor=actor, until=switch.get("until"))
        case SwitchState.OFF:
            switching.deactivate(model, actor=actor, until=switch.get("until"))
        case _:
            switching.automatic(model, actor=actor)


class RestoreModel(ModelResource):
    @extend_schema(operation_id="restore_model", request=None)
    def post(self, request: Request, name: str) -> Response:
        return self.answer(registration.restore_model(deleted_model(name), actor=request.user.actor))


class Activate(ModelResource):
    @extend_schema(operation_id="activate_model", request=ActivateSerializer, responses={202: ModelSerializer})
    def post(self, request: Request, name: str) -> Response:
        wish = validated(ActivateSerializer, request.data)
        return self.answer(switching.activate(model_named(name), actor=request.user.actor, **wish), 202)


class Deactivate(ModelResource):
    @extend_schema(operation_id="deactivate_model", request=DeactivateSerializer, responses={202: ModelSerializer})
    def post(self, request: Request, name: str) -> Response:
        wish = validated(DeactivateSerializer, request.data)
        return self.answer(switching.deactivate(model_named(name), actor=request.user.actor, **wish), 202)


class VerifyModel(ModelResource):
    @extend_schema(operation_id="verify_model", responses=VerifySerializer)
    def get(self, request: Request, name: str) -> Response:
        return Response(VerifySerializer(looking.verify_model(model_named(name))).data)

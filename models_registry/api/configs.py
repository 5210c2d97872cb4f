"""`/models/{name}/configs/`: configuration versions, and the schemas that their documents follow."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.editions import etag, expected_edition, with_etag
from modelmanager.api.fields import (
    ObjectField,
    StrictSerializer,
    TextField,
    TruthField,
    UtcDateTimeField,
    WholeNumberField,
    presented,
    validated,
)
from modelmanager.api.permissions import actor_of
from modelmanager.api.queries import choices, moment
from modelmanager.api.resources import Resource
from modelmanager.lib.refusals import NotFound
from models_registry import in_force
from models_registry.api.lookups import model_named
from models_registry.config_schemas import schema_of
from models_registry.json_pointers import diff
from models_registry.models import ConfigUse, ConfigVersion, RegisteredModel
from models_registry.services import configs
from models_registry.vocabulary import ModelKind, Observed, ProviderKind


class ConfigUseSerializer(serializers.Serializer[Any]):
    """Who made a version current, when and why; `in_force_since` is null until a Triton model is loaded with it."""

    at = UtcDateTimeField()
    by = serializers.CharField(source="actor")
    reason = serializers.CharField()
    in_force_since = UtcDateTimeField(source="since", allow_null=True)


class ConfigVersionSerializer(serializers.Serializer[Any]):
    """A version. `applied` is the last time it was made current; with `at`, the time that was in force then."""

    number = serializers.IntegerField()
    values = ObjectField()
    comment = serializers.CharField()
    created_by = serializers.CharField()
    created_at = UtcDateTimeField()
    current = serializers.SerializerMethodField()
    loaded = serializers.SerializerMethodField()
    applied = serializers.SerializerMethodField()

    @extend_schema_field(bool)
    def get_current(self, version: ConfigVersion) -> bool:
        return version.model.config_id == version.pk

    @extend_schema_field(bool)
    def get_loaded(self, version: ConfigVersion) -> bool:
        # A load names its version when it begins.
        return version.model.observed == Observed.READY and version.model.loaded_config_id == version.pk

    @extend_schema_field(ConfigUseSerializer(allow_null=True))
    def get_applied(self, version: ConfigVersion) -> Any:
        use = next(iter(version.uses.all()), None)
        return presented(ConfigUseSerializer, use) if use else None


class ConfigCreateSerializer(StrictSerializer):
    """`based_on`: the number of the version that was edited; anything newer then refuses with 409."""

    ignored = tuple(ConfigVersionSerializer().fields)

    values = ObjectField()
    comment = TextField(max_length=500, allow_blank=True, required=False, default="")
    apply = TruthField(required=False, default=False)
    based_on = WholeNumberField(min_value=1, max_value=2**31 - 1, allow_null=True, required=False, default=None)


class ApplySerializer(StrictSerializer):
    reason = TextField(max_length=500, allow_blank=True, required=False, default="")


class DiffSerializer(serializers.Serializer[Any]):
    """By JSON pointer (RFC 6901): what the second version has more, what it has less, and what it has otherwise."""

    added = ObjectField()
    removed = ObjectField()
    changed = serializers.DictField(child=serializers.DictField(), help_text="`{from, to}` each")


class ConfigResource(Resource):
    """What every view of versions shares. Their ETag is the model's."""

    serializer_class = ConfigVersionSerializer

    def present(self, row: ConfigVersion | ConfigUse) -> Any:
        if isinstance(row, ConfigUse):
            return {**self.present(row.config), "applied": presented(ConfigUseSerializer, row)}
        return presented(ConfigVersionSerializer, row)


class Configs(ConfigResource):
    @extend_schema(
        operation_id="list_configs",
        responses=ConfigVersionSerializer(many=True),
        parameters=[OpenApiParameter("at", datetime)],
    )
    def get(self, request: Request, name: str) -> Response:
        """Configuration versions, newest first; with `at` only the one in force at that time."""
        model = model_named(name)
        at = moment(request, "at")
        if at is not None:
            use = in_force.use_at(model, at)
            response = self.page([use] if use else [])
        else:
            response = self.page(_versions(model).order_by("-number"))
        response["ETag"] = etag(model)
        return response

    @extend_schema(
        operation_id="create_config", request=ConfigCreateSerializer, responses={201: ConfigVersionSerializer}
    )
    def post(self, request: Request, name: str) -> Response:
        """Make a version, and with `apply` make it current. With If-Match or `based_on` anything newer refuses."""
        model = model_named(name)
        edition = expected_edition(request, model)
        wish = validated(ConfigCreateSerializer, request.data)
        version = configs.create_version(model, actor=actor_of(request), edition=edition, **wish)
        return with_etag(version, self.present(version), 201)


class OneConfig(ConfigResource):
    @extend_schema(operation_id="get_config")
    def get(self, request: Request, name: str, number: int) -> Response:
        """One configuration version."""
        version = configs.version_of(model_named(name), number)
        return with_etag(version, self.present(version))


class ApplyConfig(ConfigResource):
    @extend_schema(operation_id="apply_config", request=ApplySerializer)
    def post(self, request: Request, name: str, number: int) -> Response:
        """Make a version current, an older one as well. A loaded Triton model drains and is reloaded where its
        load settings are other ones; when that fails, what was loaded before becomes current again."""
        model = model_named(name)
        edition = expected_edition(request, model)
        wish = validated(ApplySerializer, request.data)
        version = configs.apply_version(model, number, actor=actor_of(request), edition=edition, **wish)
        return with_etag(version, self.present(version))


class DiffConfigs(Resource):
    serializer_class = DiffSerializer

    @extend_schema(operation_id="diff_configs", responses=DiffSerializer)
    def get(self, request: Request, name: str, number: int, other: int) -> Response:
        """What leads from the first version to the second, by JSON pointer."""
        model = model_named(name)
        before, after = (configs.version_of(model, n) for n in (number, other))
        return Response(presented(DiffSerializer, diff(before.values, after.values)))


class ConfigSchema(Resource):
    serializer_class = serializers.Serializer

    @extend_schema(
        operation_id="get_config_schema",
        responses=OpenApiTypes.OBJECT,
        parameters=[OpenApiParameter("provider_kind", enum=ProviderKind.values)],
    )
    def get(self, request: Request, kind: str) -> Response:
        """The JSON Schema (2020-12) of documents for models of a kind, at a provider of `provider_kind` (triton)."""
        if kind not in ModelKind.values:
            raise NotFound(_("There is no such kind of model."))
        at = choices(request, "provider_kind", {value: value for value in ProviderKind.values})
        on_triton = not at or at[-1] == ProviderKind.TRITON
        return Response(schema_of(kind, on_triton=on_triton))


def _versions(model: RegisteredModel) -> Any:
    return ConfigVersion.objects.filter(model=model).select_related("model").prefetch_related("uses")

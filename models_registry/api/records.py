"""What a model leaves behind: its history and its configuration versions."""

from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.fields import UtcDateTimeField
from modelmanager.api.resources import Resource
from modelmanager.lib.refusals import NotFound
from models_registry.api.lookups import model_named
from models_registry.api.serializers import ConfigVersionSerializer, EventSerializer
from models_registry.models import ConfigVersion, StatusEvent


class NewestFirst(CursorPagination):
    """Pages by cursor: rows that arrive meanwhile shift nothing."""

    ordering = "-id"
    page_size = 50
    max_page_size = 500
    page_size_query_param = "page_size"


class History(Resource):
    """Status events of a model, newest first."""

    serializer_class = EventSerializer
    pagination_class = NewestFirst

    def present(self, event: StatusEvent) -> Any:
        return EventSerializer(event).data

    @extend_schema(operation_id="list_history", responses=EventSerializer(many=True))
    def get(self, request: Request, name: str) -> Response:
        return self.page(StatusEvent.objects.filter(model=model_named(name)))


class Configs(Resource):
    """Configuration versions of a model, newest first; with `?at=` the one in force at that time."""

    serializer_class = ConfigVersionSerializer

    def present(self, version: ConfigVersion) -> Any:
        return ConfigVersionSerializer(version).data

    @extend_schema(
        operation_id="list_configs",
        responses=ConfigVersionSerializer(many=True),
        parameters=[OpenApiParameter("at", datetime)],
    )
    def get(self, request: Request, name: str) -> Response:
        rows = ConfigVersion.objects.filter(model=model_named(name)).order_by("-number")
        if at := request.query_params.get("at"):
            rows = rows.filter(created_at__lte=_time("at", at))[:1]
        return self.page(rows)


class OneConfig(Resource):
    serializer_class = ConfigVersionSerializer

    @extend_schema(operation_id="get_config")
    def get(self, request: Request, name: str, number: int) -> Response:
        version = ConfigVersion.objects.filter(model=model_named(name), number=number).first()
        if version is None:
            raise NotFound(_("There is no such configuration version."))
        return Response(ConfigVersionSerializer(version).data)


def _time(name: str, text: str) -> Any:
    try:
        return UtcDateTimeField().run_validation(text.replace(" ", "+"))
    except ValidationError as error:
        raise ValidationError({name: error.detail}) from error

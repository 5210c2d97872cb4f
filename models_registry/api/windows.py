"""`/windows/`."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.editions import expected_edition, with_etag
from modelmanager.api.fields import (
    NameField,
    NothingSerializer,
    StrictSerializer,
    TextField,
    UtcDateTimeField,
    WholeNumberField,
    presented,
    validated,
)
from modelmanager.api.permissions import actor_of
from modelmanager.api.queries import ordered, searched
from modelmanager.api.resources import Resource
from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Invalid
from models_registry.api.lookups import deleted_window, window_named
from models_registry.models import Window
from models_registry.services import windows

ORDERINGS = {"name": "name", "created_at": "created_at"}


class RuleSerializer(serializers.Serializer[Any]):
    """Open on these weekdays (Monday is 0); an end before the start is on the next day, 24:00 ends the day itself."""

    weekdays = serializers.ListField(child=serializers.IntegerField(min_value=0, max_value=6), allow_empty=False)
    start = serializers.CharField(max_length=5)
    end = serializers.CharField(max_length=5)


class ExceptionSerializer(serializers.Serializer[Any]):
    """Open or closed between two times, whatever the rules say; of several that hold, the last decides."""

    to = UtcDateTimeField()
    open = serializers.BooleanField()
    note = serializers.CharField(max_length=200, allow_blank=True, required=False)

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        return {"from": UtcDateTimeField(), **super().get_fields()}


class WindowSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    timezone = serializers.CharField()
    rules = RuleSerializer(many=True)
    exceptions = ExceptionSerializer(many=True)
    drain_s = serializers.IntegerField(allow_null=True)
    open_now = serializers.BooleanField()
    next_opening = UtcDateTimeField(allow_null=True)
    next_closing = UtcDateTimeField(allow_null=True)
    created_at = UtcDateTimeField()
    updated_at = UtcDateTimeField()


class WindowEditSerializer(StrictSerializer):
    ignored = tuple(WindowSerializer().fields)

    timezone = TextField(max_length=60)
    rules = serializers.JSONField()
    exceptions = serializers.JSONField(required=False)
    drain_s = WholeNumberField(min_value=0, max_value=86400, allow_null=True, required=False)


class WindowCreateSerializer(WindowEditSerializer):
    name = NameField()


class WindowResource(Resource):
    """What every window view shares."""

    serializer_class = WindowSerializer

    def present(self, window: Window) -> Any:
        at, hours = now(), window.hours
        told = {
            "open_now": hours.contains(at),
            "next_opening": hours.next_opening(at),
            "next_closing": hours.next_closing(at),
        }
        return presented(WindowSerializer, {**_stored(window), **told})


def _stored(window: Window) -> dict[str, Any]:
    columns = ("name", "timezone", "rules", "exceptions", "drain_s", "created_at", "updated_at")
    return {column: getattr(window, column) for column in columns}


class Windows(WindowResource):
    @extend_schema(
        operation_id="list_windows",
        responses=WindowSerializer(many=True),
        parameters=[
            OpenApiParameter("ordering", enum=[*ORDERINGS, *(f"-{key}" for key in ORDERINGS)]),
            OpenApiParameter("search"),
        ],
    )
    def get(self, request: Request) -> Response:
        """Windows, searched and ordered."""
        rows = searched(Window.objects.all(), request, "name")
        return self.page(ordered(rows, request, keys=ORDERINGS, default="name"))

    @extend_schema(operation_id="create_window", request=WindowCreateSerializer, responses={201: WindowSerializer})
    def post(self, request: Request) -> Response:
        """Store when scheduled models are to be on."""
        window = windows.create_window(actor=actor_of(request), **validated(WindowCreateSerializer, request.data))
        return with_etag(window, self.present(window), 201)


class OneWindow(WindowResource):
    @extend_schema(operation_id="get_window")
    def get(self, request: Request, name: str) -> Response:
        """One window, with its edition as ETag."""
        window = window_named(name)
        return with_etag(window, self.present(window))

    @extend_schema(operation_id="update_window", request=WindowEditSerializer)
    def patch(self, request: Request, name: str) -> Response:
        """Change a window. With If-Match a newer edition refuses."""
        window = window_named(name)
        edition = expected_edition(request, window)
        changes = validated(WindowEditSerializer, request.data, partial=True)
        sent: Any = request.data
        if sent.get("name", name) != name:
            raise Invalid.of("name", _("A name never changes."), code="immutable")
        window = windows.update_window(window, changes, actor=actor_of(request), edition=edition)
        return with_etag(window, self.present(window))

    @extend_schema(operation_id="delete_window", responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Delete a window that no model follows; it can be restored."""
        window = window_named(name)
        windows.delete_window(window, actor=actor_of(request), edition=expected_edition(request, window))
        return Response(status=204)


class RestoreWindow(WindowResource):
    @extend_schema(operation_id="restore_window", request=None)
    def post(self, request: Request, name: str) -> Response:
        """Bring back the window of that name that was deleted last."""
        validated(NothingSerializer, request.data)
        window = windows.restore_window(deleted_window(name), actor=actor_of(request))
        return with_etag(window, self.present(window))

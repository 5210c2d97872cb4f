"""`/audit/`: who changed what."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.fields import UtcDateTimeField, presented
from modelmanager.api.pagination import NewestFirst
from modelmanager.api.queries import choices, matching
from modelmanager.api.resources import Resource
from models_registry.models import AuditEntry
from models_registry.vocabulary import AuditAction, AuditKind


class AuditEntrySerializer(serializers.Serializer[Any]):
    """One deed. `changes`: `{field: {from, to}}`; of a secret only `{"secret": "set" | "changed" | "removed"}`."""

    id = serializers.IntegerField()
    at = UtcDateTimeField()
    actor = serializers.CharField()
    action = serializers.ChoiceField(choices=AuditAction.choices)
    kind = serializers.ChoiceField(choices=AuditKind.choices)
    name = serializers.CharField()
    changes = serializers.DictField(child=serializers.DictField())
    reason = serializers.CharField()


class Audit(Resource):
    """The audit trail; only for those who manage."""

    serializer_class = AuditEntrySerializer
    pagination_class = NewestFirst
    read_scope = "manage"

    def present(self, entry: AuditEntry) -> Any:
        return presented(AuditEntrySerializer, entry)

    @extend_schema(
        operation_id="list_audit_entries",
        responses=AuditEntrySerializer(many=True),
        parameters=[
            OpenApiParameter("kind", enum=AuditKind.values, many=True),
            OpenApiParameter("action", enum=AuditAction.values, many=True),
            OpenApiParameter("name", description="Name of the provider, model, window or client"),
            OpenApiParameter("actor", description="Such as user:alice or client:chatbot"),
        ],
    )
    def get(self, request: Request) -> Response:
        """Who changed what, when and why, newest first."""
        rows = AuditEntry.objects.all()
        if kinds := choices(request, "kind", {kind: kind for kind in AuditKind.values}):
            rows = rows.filter(kind__in=kinds)
        if actions := choices(request, "action", {action: action for action in AuditAction.values}):
            rows = rows.filter(action__in=actions)
        return self.page(matching(rows, request, name="name", actor="actor"))

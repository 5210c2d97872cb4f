"""`/operations/` and `/providers/{name}/residents/`."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.fields import presented
from modelmanager.api.queries import matching
from modelmanager.api.resources import Resource
from modelmanager.lib.refusals import NotFound
from models_registry.api.lookups import provider_named
from monitoring.api.serializers import OperationSerializer, ResidentsSerializer
from monitoring.models import Operation
from monitoring.residents import occupancy


class OperationResource(Resource):
    serializer_class = OperationSerializer

    def present(self, operation: Operation) -> Any:
        return presented(OperationSerializer, operation)


class Operations(OperationResource):
    @extend_schema(
        operation_id="list_operations",
        responses=OperationSerializer(many=True),
        parameters=[OpenApiParameter("provider"), OpenApiParameter("model")],
    )
    def get(self, request: Request) -> Response:
        """Loads and unloads, newest first."""
        rows = Operation.objects.select_related("provider", "model").order_by("-id")
        return self.page(matching(rows, request, provider="provider__name", model="model__name"))


class OneOperation(OperationResource):
    @extend_schema(operation_id="get_operation")
    def get(self, request: Request, operation_id: int) -> Response:
        """One load or unload."""
        operation = Operation.objects.select_related("provider", "model").filter(pk=operation_id).first()
        if operation is None:
            raise NotFound(_("There is no such operation."))
        return Response(self.present(operation))


class Residents(Resource):
    serializer_class = ResidentsSerializer

    @extend_schema(operation_id="get_residents")
    def get(self, request: Request, name: str) -> Response:
        """What occupies the GPU now by the server's own word, who waits, and what is being done."""
        return Response(presented(ResidentsSerializer, occupancy(provider_named(name))))

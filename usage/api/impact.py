"""`/models/{name}/impact/`, and deleting a model, which must know what it would break."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.resources import Resource
from models_registry.api.lookups import model_named
from models_registry.api.models import OneModel as RegistryModel
from usage.api.serializers import ImpactSerializer
from usage.services.impact import delete_model, impact


class Impact(Resource):
    serializer_class = ImpactSerializer

    def present(self, row: Any) -> Any:
        return ImpactSerializer(row).data

    @extend_schema(operation_id="get_impact")
    def get(self, request: Request, name: str) -> Response:
        return Response(self.present(impact(model_named(name))))


class OneModel(RegistryModel):
    @extend_schema(operation_id="delete_model", responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        delete_model(model_named(name), actor=request.user.actor)
        return Response(status=204)

"""`/models/{name}/impact/`, and deleting a model, which must know what it would break."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.editions import expected_edition
from modelmanager.api.fields import presented
from modelmanager.api.permissions import actor_of
from modelmanager.api.resources import Resource
from models_registry.api.lookups import model_named
from models_registry.api.models import OneModel as RegistryModel
from usage.api.serializers import ImpactSerializer
from usage.services.impact import delete_model, impact


class Impact(Resource):
    serializer_class = ImpactSerializer

    def present(self, row: Any) -> Any:
        return presented(ImpactSerializer, row)

    @extend_schema(operation_id="get_impact")
    def get(self, request: Request, name: str) -> Response:
        """What deleting the model would break."""
        return Response(self.present(impact(model_named(name))))


class OneModel(RegistryModel):
    @extend_schema(operation_id="delete_model", responses={204: None})
    def delete(self, request: Request, name: str) -> Response:
        """Delete a model that nobody uses and no GPU holds; it can be restored."""
        model = model_named(name)
        delete_model(model, actor=actor_of(request), edition=expected_edition(request, model))
        return Response(status=204)

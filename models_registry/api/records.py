"""What a model leaves behind: its history."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.fields import presented
from modelmanager.api.pagination import NewestFirst
from modelmanager.api.resources import Resource
from models_registry.api.lookups import model_named
from models_registry.api.serializers import EventSerializer
from models_registry.models import StatusEvent


class History(Resource):
    """Status events of a model, newest first."""

    serializer_class = EventSerializer
    pagination_class = NewestFirst

    def present(self, event: StatusEvent) -> Any:
        return presented(EventSerializer, event)

    @extend_schema(operation_id="list_history", responses=EventSerializer(many=True))
    def get(self, request: Request, name: str) -> Response:
        """What changed about the model, newest first."""
        return self.page(StatusEvent.objects.filter(model=model_named(name)))

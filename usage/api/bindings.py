"""`/bindings/`."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.fields import validated
from modelmanager.api.queries import parameter
from modelmanager.api.resources import Resource
from modelmanager.lib.refusals import NotFound
from usage.api.leases import client_of, only_client
from usage.api.serializers import BindingRequestSerializer, BindingSerializer
from usage.models import Binding
from usage.services.bindings import bind, unbind


class BindingResource(Resource):
    serializer_class = BindingSerializer
    read_scope = write_scope = "use"

    def present(self, binding: Binding) -> Any:
        return BindingSerializer(
            {
                "id": binding.pk,
                "client": binding.client.name,
                "model": binding.model.name,
                "reference": binding.reference,
                "note": binding.note,
                "created_at": binding.created_at,
            }
        ).data


class Bindings(BindingResource):
    @extend_schema(
        operation_id="list_bindings",
        responses=BindingSerializer(many=True),
        parameters=[OpenApiParameter("model"), OpenApiParameter("client")],
    )
    def get(self, request: Request) -> Response:
        rows = Binding.objects.select_related("model", "client").order_by("-id")
        client_id = only_client(request)
        rows = rows if client_id is None else rows.filter(client_id=client_id)
        if name := parameter(request, "model"):
            rows = rows.filter(model__name=name)
        if name := parameter(request, "client"):
            rows = rows.filter(client__name=name)
        return self.page(rows)

    @extend_schema(
        operation_id="create_binding",
        request=BindingRequestSerializer,
        responses={200: BindingSerializer, 201: BindingSerializer},
    )
    def post(self, request: Request) -> Response:
        client_id = client_of(request)
        fields = validated(BindingRequestSerializer, request.data)
        binding, is_new = bind(fields.pop("model"), client_id=client_id, **fields)
        return Response(self.present(binding), status=201 if is_new else 200)


class OneBinding(BindingResource):
    @extend_schema(operation_id="delete_binding", responses={204: None})
    def delete(self, request: Request, binding_id: int) -> Response:
        rows = Binding.objects.filter(pk=binding_id)
        client_id = only_client(request)
        binding = (rows if client_id is None else rows.filter(client_id=client_id)).first()
        if binding is None:
            raise NotFound(_("There is no such binding."))
        unbind(binding)
        return Response(status=204)

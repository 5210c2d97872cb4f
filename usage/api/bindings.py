"""`/bindings/`."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.fields import validated
from modelmanager.api.queries import matching
from modelmanager.api.resources import Resource
from modelmanager.lib.refusals import NotFound
from usage.api.leases import client_of, seen_by
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
        """The caller's bindings, newest first; with `manage` everybody's."""
        rows = Binding.objects.select_related("model", "client").order_by("-id")
        return self.page(matching(seen_by(request, rows), request, model="model__name", client="client__name"))

    @extend_schema(
        operation_id="create_binding",
        request=BindingRequestSerializer,
        responses={200: BindingSerializer, 201: BindingSerializer},
    )
    def post(self, request: Request) -> Response:
        """Say that the caller is set up to use a model; said before, it is answered 200."""
        client_id = client_of(request)
        fields = validated(BindingRequestSerializer, request.data)
        binding, is_new = bind(fields.pop("model"), client_id=client_id, **fields)
        return Response(self.present(binding), status=201 if is_new else 200)


class OneBinding(BindingResource):
    @extend_schema(operation_id="delete_binding", responses={204: None})
    def delete(self, request: Request, binding_id: int) -> Response:
        """Take a binding back."""
        binding = seen_by(request, Binding.objects.filter(pk=binding_id)).first()
        if binding is None:
            raise NotFound(_("There is no such binding."))
        unbind(binding)
        return Response(status=204)

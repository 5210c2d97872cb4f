"""`/usage/records/`: what clients did, in bulk."""

from datetime import datetime
from typing import Any

from django.db.models import Q
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.queries import choices, moment, parameter
from modelmanager.api.resources import Resource
from models_registry.models import RegisteredModel
from usage.api.leases import client_of, only_client, utc
from usage.api.pagination import LatestFirst
from usage.api.reports import read_reports
from usage.api.serializers import RecordedSerializer, UsageRecordSerializer, UsageReportSerializer
from usage.models import Client, Outcome, UsageRecord
from usage.services.finding import records_of
from usage.services.recording import record_usage

REPORTS = PolymorphicProxySerializer(
    component_name="UsageReports",
    serializers=[UsageReportSerializer, UsageReportSerializer(many=True)],
    resource_type_field_name=None,
    many=False,
)


class Records(Resource):
    serializer_class = UsageRecordSerializer
    pagination_class = LatestFirst
    write_scope = "use"

    def present(self, record: UsageRecord) -> Any:
        return {
            "event_id": record.event_id,
            "client": record.client.name,
            "model": record.model.name,
            "config": record.config.number,
            "lease": record.lease_id,
            "occurred_at": utc(record.occurred_at),
            "received_at": utc(record.received_at),
            "latency_ms": record.latency_us / 1000,
            "outcome": record.outcome,
            "error_code": record.error_code,
            "input_tokens": record.input_tokens,
            "output_tokens": record.output_tokens,
            "cost": record.cost,
        }

    @extend_schema(operation_id="report_usage", request=REPORTS, responses=RecordedSerializer)
    def post(self, request: Request) -> Response:
        """Report calls, one or a list of at most 1,000: all are kept, or none. Sent again, an event counts once."""
        client_id = client_of(request)
        recorded = record_usage(read_reports(request.data), client_id=client_id)
        return Response(recorded._asdict())

    @extend_schema(
        operation_id="list_usage_records",
        responses=UsageRecordSerializer(many=True),
        parameters=[
            OpenApiParameter("model"),
            OpenApiParameter("client"),
            OpenApiParameter("outcome", enum=Outcome.values, many=True),
            OpenApiParameter("from", datetime, description="Calls made then or later."),
            OpenApiParameter("to", datetime, description="Calls made before."),
        ],
    )
    def get(self, request: Request) -> Response:
        """The caller's calls, latest first; with `manage` everybody's."""
        client_id = only_client(request)
        calls = Q() if client_id is None else Q(client=client_id)
        if name := parameter(request, "model"):
            calls &= Q(model__in=_ids(RegisteredModel, name))
        if name := parameter(request, "client"):
            calls &= Q(client__in=_ids(Client, name))
        if outcomes := choices(request, "outcome", {value: value for value in Outcome.values}):
            calls &= Q(outcome__in=outcomes)
        rows = records_of(calls).select_related("client", "model", "config")
        if (since := moment(request, "from")) is not None:
            rows = rows.filter(occurred_at__gte=since)
        if (until := moment(request, "to")) is not None:
            rows = rows.filter(occurred_at__lt=until)
        return self.page(rows)


def _ids(table: type[RegisteredModel | Client], name: str) -> list[int]:
    """All that have had the name: by their ids an index finds the latest, by a join it would sort them all."""
    return list(table.all_objects.filter(name=name).values_list("pk", flat=True))

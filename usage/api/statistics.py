"""`/usage/statistics/` and `/models/{name}/statistics/`: sums of use, as JSON, CSV or a workbook."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.queries import choices, moment, parameter, parameters
from modelmanager.api.resources import Resource
from modelmanager.lib.clock import now
from modelmanager.lib.local_time import zone_named
from modelmanager.lib.refusals import Invalid
from modelmanager.lib.sheets import CSV_TYPE, XLSX_TYPE, as_workbook, csv_text
from models_registry.api.lookups import model_ever_named
from usage.models import Outcome
from usage.periods import hour_of
from usage.rules.periods import Interval
from usage.statistics import exports
from usage.statistics.question import GROUPS, Question, last_days
from usage.statistics.report import Row, report
from usage.statistics.unattributed import unattributed_calls

FORMATS = {name: name for name in ("json", "csv", "xlsx")}
LARGEST_NUMBER = 2**31


class LatencySerializer(serializers.Serializer[Any]):
    mean = serializers.FloatField()
    p50 = serializers.FloatField()
    p95 = serializers.FloatField()
    p99 = serializers.FloatField()


class StatisticsRowSerializer(serializers.Serializer[Any]):
    """One period and group in which something was called; of the groups those that were asked for."""

    period = serializers.CharField(
        allow_null=True, help_text="`2026-11-18`, `2026-11`, an hour with its offset, or null: local to `tz`."
    )
    model = serializers.CharField(required=False)
    model_id = serializers.IntegerField(required=False, help_text="Tells apart models of one name.")
    model_deleted = serializers.BooleanField(required=False)
    client = serializers.CharField(required=False)
    client_id = serializers.IntegerField(required=False)
    client_deleted = serializers.BooleanField(required=False)
    config = serializers.IntegerField(required=False)
    outcome = serializers.ChoiceField(Outcome.choices, required=False)
    calls = serializers.IntegerField()
    errors = serializers.IntegerField(help_text="Outcomes error and timeout.")  # type: ignore[assignment]
    input_tokens = serializers.IntegerField()
    output_tokens = serializers.IntegerField()
    cost = serializers.IntegerField(help_text="In millionths of the currency's unit.")
    latency_ms = LatencySerializer(
        help_text="The mean is exact. Percentiles are within 12 %; below 1 ms within 1 ms, above 652 s rough."
    )


class StatisticsSerializer(serializers.Serializer[Any]):
    """Sums over `[from, to)`; times in UTC."""

    interval = serializers.ChoiceField([interval.value for interval in Interval])
    tz = serializers.CharField()
    results = StatisticsRowSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python's, too."""
        return {"from": serializers.DateTimeField(), "to": serializers.DateTimeField(), **super().get_fields()}


class UnattributedSerializer(serializers.Serializer[Any]):
    """Calls of whole hours that the model's server counted; `calls` of them nobody reported. Short ranges: a hint."""

    seen = serializers.IntegerField()
    reported = serializers.IntegerField()
    calls = serializers.IntegerField(help_text="Never negative.")

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python's, too."""
        return {"from": serializers.DateTimeField(), "to": serializers.DateTimeField(), **super().get_fields()}


class ModelStatisticsSerializer(StatisticsSerializer):
    unattributed = UnattributedSerializer(
        allow_null=True, help_text="Of all clients, whatever is asked; null where no server counts."
    )


RANGE = [
    OpenApiParameter("from", datetime, description="The beginning; thirty days before the end."),
    OpenApiParameter("to", datetime, description="The end, which does not belong to it; the end of this hour."),
]
ASKED = [
    *RANGE,
    OpenApiParameter("interval", enum=[interval.value for interval in Interval], default="day"),
    OpenApiParameter("group_by", description=f"Of {', '.join(GROUPS)}, with commas between."),
    OpenApiParameter("tz", description="A time zone by its name, such as Asia/Seoul; the installation's."),
    OpenApiParameter("client", many=True),
    OpenApiParameter("config", int, many=True),
    OpenApiParameter("outcome", enum=Outcome.values, many=True),
    OpenApiParameter("format", enum=list(FORMATS), default="json"),
]
FILES: dict[Any, Any] = {(200, "text/csv"): OpenApiTypes.STR, (200, XLSX_TYPE): OpenApiTypes.BINARY}


class UsageStatistics(Resource):
    @extend_schema(
        operation_id="get_usage_statistics",
        parameters=[*ASKED, OpenApiParameter("model", many=True)],
        responses={(200, "application/json"): StatisticsSerializer, **FILES},
    )
    def get(self, request: Request) -> HttpResponseBase:
        """What was used, by period and group; deleted models and clients included."""
        question = asked(request, models=tuple(parameters(request, "model")))
        return answer(request, question, told)


class ModelStatistics(Resource):
    @extend_schema(
        operation_id="get_model_statistics",
        parameters=ASKED,
        responses={(200, "application/json"): ModelStatisticsSerializer, **FILES},
    )
    def get(self, request: Request, name: str) -> HttpResponseBase:
        """The same for one model: the living one of that name, or the one that was deleted last."""
        model = model_ever_named(name)
        question = asked(request, model_id=model.pk)
        return answer(request, question, partial(_with_unattributed, model.pk))


def asked(request: Request, **narrowed: Any) -> Question:
    """The question of the query string. Raises Invalid."""
    until = moment(request, "to") or hour_of(now()) + timedelta(hours=1)
    intervals = choices(request, "interval", {interval.value: interval for interval in Interval})
    return Question(
        since=moment(request, "from") or last_days(until),
        until=until,
        interval=intervals[-1] if intervals else Interval.DAY,
        zone=_zone(request),
        group_by=_groups(request),
        clients=tuple(parameters(request, "client")),
        configs=tuple(_number("config", text) for text in parameters(request, "config")),
        outcomes=tuple(choices(request, "outcome", {outcome: outcome for outcome in Outcome.values})),
        **narrowed,
    )


def answer(request: Request, question: Question, tell: Callable[[Question, list[Row]], Any]) -> HttpResponseBase:
    """The report in the format asked for; as JSON it is what `tell` makes of it."""
    wished = choices(request, "format", FORMATS)
    rows = report(question)
    match wished[-1] if wished else "json":
        case "csv":
            content = csv_text(exports.sheet(rows, question.groups)).encode()
            return _file(content, CSV_TYPE, question, "csv")
        case "xlsx":
            content = as_workbook([exports.sheet(rows, question.groups)])
            return _file(content, XLSX_TYPE, question, "xlsx")
        case _:
            return Response(tell(question, rows))


def told(question: Question, rows: list[Row]) -> dict[str, Any]:
    """The rows, and what they answer."""
    return {
        "from": question.since,
        "to": question.until,
        "interval": question.interval.value,
        "tz": question.zone.key,
        "results": rows,
    }


def _with_unattributed(model_id: int, question: Question, rows: list[Row]) -> dict[str, Any]:
    """The rows of one model, and what its server counted beyond them."""
    found = unattributed_calls(model_id, question.since, question.until)
    beyond = found and {
        "from": found.since,
        "to": found.until,
        "seen": found.seen,
        "reported": found.reported,
        "calls": found.calls,
    }
    return told(question, rows) | {"unattributed": beyond}


def _file(content: bytes, content_type: str, question: Question, suffix: str) -> HttpResponse:
    days = [at.astimezone(question.zone).date().isoformat() for at in (question.since, question.until)]
    name = f"usage_{'_'.join(days)}.{suffix}"
    return HttpResponse(
        content, content_type=content_type, headers={"Content-Disposition": f'attachment; filename="{name}"'}
    )


def _zone(request: Request) -> ZoneInfo:
    zone = zone_named(parameter(request, "tz").replace(" ", "+") or settings.TIME_ZONE)
    if zone is None:
        raise Invalid.of("tz", _("There is no such time zone: give a name such as Asia/Seoul."), code="invalid_choice")
    return zone


def _groups(request: Request) -> tuple[str, ...]:
    wished = tuple(group.strip() for group in parameter(request, "group_by").split(",") if group.strip())
    if any(group not in GROUPS for group in wished):
        detail = _("Choose from %(values)s.") % {"values": ", ".join(GROUPS)}
        raise Invalid.of("group_by", detail, code="invalid_choice")
    return wished


def _number(field: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text[:12]) <= LARGEST_NUMBER):
        raise Invalid.of(field, _("Give the number of a configuration version."))
    return int(text[:12])

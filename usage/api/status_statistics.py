"""`/status-statistics/`: models per status now, and what became of each within a range of time."""

from datetime import datetime, timedelta
from typing import Any

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from modelmanager.api.queries import moment, parameters
from modelmanager.api.resources import Resource
from modelmanager.lib.clock import now
from models_registry.api.serializers import STATUS_WORDS
from models_registry.vocabulary import Status
from usage.rules.status_time import StatusTime
from usage.services.status_times import Range, models_in, models_per_status, status_times
from usage.statistics.question import last_days

WORDS = {status: status.word for status in Status}


class PerStatusSerializer(serializers.Serializer[Any]):
    """A number for each status."""

    registered = serializers.FloatField()
    activating = serializers.FloatField()
    active = serializers.FloatField()
    recovered = serializers.FloatField()
    in_use = serializers.FloatField()
    error = serializers.FloatField()


class StatusTimeSerializer(serializers.Serializer[Any]):
    model = serializers.CharField()
    model_id = serializers.IntegerField(help_text="Tells apart models of one name.")
    status = serializers.ChoiceField(STATUS_WORDS, allow_null=True, help_text="Now; null when it is deleted.")
    created_at = serializers.DateTimeField()
    deleted_at = serializers.DateTimeField(allow_null=True)
    seconds = PerStatusSerializer(help_text="Spent in each status while it was registered.")
    errors = serializers.IntegerField(help_text="How often an error began.")  # type: ignore[assignment]
    mean_time_to_recover_s = serializers.FloatField(
        allow_null=True, help_text="Of the errors that began and ended within the range."
    )
    wanted_s = serializers.FloatField(help_text="How long it was to be there.")
    availability = serializers.FloatField(
        allow_null=True, help_text="The share of `wanted_s` in which it could be used; null when it never was wanted."
    )


class StatusStatisticsSerializer(serializers.Serializer[Any]):
    """One page of models that lived within the range; deleted ones, too."""

    count = serializers.IntegerField()
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    models_per_status = PerStatusSerializer(help_text="Of all models, now.")
    results = StatusTimeSerializer(many=True)

    def get_fields(self) -> dict[str, Any]:
        """`from` is a word of Python's, too."""
        return {"from": serializers.DateTimeField(), "to": serializers.DateTimeField(), **super().get_fields()}


class StatusStatistics(Resource):
    @extend_schema(
        operation_id="get_status_statistics",
        responses=StatusStatisticsSerializer,
        parameters=[
            OpenApiParameter("from", datetime, description="The beginning; thirty days before the end."),
            OpenApiParameter("to", datetime, description="The end, which does not belong to it; now."),
            OpenApiParameter("model", many=True),
            OpenApiParameter("page", int),
            OpenApiParameter("page_size", int),
        ],
    )
    def get(self, request: Request) -> Response:
        """Models per status now; per model the seconds in each status, errors, recovery and availability."""
        at = now()
        until = moment(request, "to") or at
        asked = Range.of(moment(request, "from") or last_days(until), until, at=at)
        models: Any = self.paginate_queryset(models_in(asked, names=parameters(request, "model")))
        times = status_times(models, asked)
        page = self.get_paginated_response([shown(model, times[model.pk]) for model in models])
        told = {"from": asked.since, "to": asked.until, "models_per_status": _by_word(models_per_status())}
        return Response(told | page.data)


def shown(model: Any, time: StatusTime) -> dict[str, Any]:
    """What the range held for the model."""
    to_recover = time.mean_time_to_recover
    return {
        "model": model.name,
        "model_id": model.pk,
        "status": None if model.deleted_at else model.status_word,
        "created_at": model.created_at,
        "deleted_at": model.deleted_at,
        "seconds": _by_word({status: _seconds(spent) for status, spent in time.spent.items()}),
        "errors": time.errors,
        "mean_time_to_recover_s": None if to_recover is None else _seconds(to_recover),
        "wanted_s": _seconds(time.wanted),
        "availability": time.availability,
    }


def _by_word(values: dict[Status, Any]) -> dict[str, Any]:
    return {word: values[status] for status, word in WORDS.items()}


def _seconds(time: timedelta) -> float:
    return time.total_seconds()

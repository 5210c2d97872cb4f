"""Filters of the list of models."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import MultipleDropdownFilter

from models_registry.vocabulary import Status

WORDS = {status.word: status for status in Status}


class StatusFilter(MultipleDropdownFilter):
    """One or several statuses, by the API's words."""

    title = _("status")
    parameter_name = "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [(word, status.label) for word, status in WORDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        chosen = [int(WORDS[word]) for word in self.value() or [] if word in WORDS]
        return queryset.filter(status__in=chosen) if chosen else queryset

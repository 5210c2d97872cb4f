"""Usage records by cursor: by when they occurred, which many may share, and then by id."""

from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Q
from django.utils.translation import gettext as _
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import remove_query_param, replace_query_param

from modelmanager.api.pagination import page_size
from modelmanager.api.queries import parameter
from modelmanager.lib.refusals import Invalid
from usage.models import UsageRecord

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Place(NamedTuple):
    """Between two records: what comes after this one, or, `back`, before it."""

    occurred_at: datetime
    id: int
    back: bool

    def __str__(self) -> str:
        return f"{'b' if self.back else 'a'}{(self.occurred_at - EPOCH) // MICROSECOND}.{self.id}"

    @classmethod
    def read(cls, text: str) -> "Place":
        """Raises ValueError or OverflowError."""
        if text[0] not in "ab" or not text.isascii() or len(text) > 60:
            raise ValueError(text)
        time, number = text[1:].split(".")
        return cls(EPOCH + int(time) * MICROSECOND, min(int(number), 2**63 - 1), text[0] == "b")

    def side(self) -> Q:
        """The records on this side of the place; the first condition is the one that an index serves."""
        if self.back:
            later = Q(occurred_at__gt=self.occurred_at) | Q(id__gt=self.id)
            return Q(occurred_at__gte=self.occurred_at) & later
        return Q(occurred_at__lte=self.occurred_at) & (Q(occurred_at__lt=self.occurred_at) | Q(id__lt=self.id))


class LatestFirst(BasePagination):
    """`?cursor=&page_size=`: the latest calls first; what arrives meanwhile shifts nothing."""

    def paginate_queryset(self, rows: Any, request: Request, view: Any = None) -> list[Any]:
        self._url = request.build_absolute_uri()
        size, place = page_size(request), _place(request)
        back = place is not None and place.back
        rows = rows if place is None else rows.filter(place.side())
        order = ("occurred_at", "id") if back else ("-occurred_at", "-id")
        found = _read(rows, list(rows.order_by(*order).values_list("pk", flat=True)[: size + 1]))
        more, page = len(found) > size, found[:size]
        if back:
            page.reverse()
        self._next = _at(page[-1], back=False) if page and (more or back) else None
        self._previous = _at(page[0], back=True) if page and (more if back else place is not None) else None
        return page

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self._link(self._next), "previous": self._link(self._previous), "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": "string", "format": "uri", "nullable": True}
        properties = {"next": link, "previous": link, "results": schema}
        return {"type": "object", "required": ["results"], "properties": properties}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            {"name": name, "required": False, "in": "query", "schema": {"type": kind}}
            for name, kind in (("cursor", "string"), ("page_size", "integer"))
        ]

    def _link(self, place: Place | None) -> str | None:
        url = remove_query_param(self._url, "cursor")
        return None if place is None else replace_query_param(url, "cursor", str(place))


def _read(rows: Any, ids: list[int]) -> list[UsageRecord]:
    """These of the rows, in this order: where ids and names were asked for at once, MariaDB would begin with the few
    clients and models, and join and sort all records there are.
    """
    found = rows.order_by().in_bulk(ids)
    return [found[pk] for pk in ids if pk in found]


def _at(record: UsageRecord, *, back: bool) -> Place:
    return Place(record.occurred_at, record.pk, back)


def _place(request: Request) -> Place | None:
    text = parameter(request, "cursor")
    if not text:
        return None
    try:
        return Place.read(text)
    except (ValueError, OverflowError):
        raise Invalid.of("cursor", _("Follow the links next and previous of an answer.")) from None

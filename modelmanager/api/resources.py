"""The base of every view: one page of rows, one row, problems."""

from typing import Any

from django.db.models import QuerySet
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response

from modelmanager.api.negotiation import FirstRenderer


class Resource(GenericAPIView[Any]):
    """A view that presents rows by `present(row)`; filters are read by hand, so that unknown ones are refused."""

    pagination_class = GenericAPIView.pagination_class
    content_negotiation_class = FirstRenderer

    def present(self, row: Any) -> Any:
        """A row as the API shows it."""
        raise NotImplementedError

    def page(self, rows: QuerySet[Any] | list[Any]) -> Response:
        """One page of the rows, as `{count, next, previous, results}`."""
        found = self.paginate_queryset(rows) or []
        return self.get_paginated_response([self.present(row) for row in found])

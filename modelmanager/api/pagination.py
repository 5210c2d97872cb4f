"""Lists by page, and by cursor where rows keep arriving."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound
from rest_framework.pagination import Cursor, CursorPagination, PageNumberPagination
from rest_framework.request import Request

from modelmanager.lib.refusals import Invalid

PAGE_SIZE, LARGEST_PAGE = 50, 500


class IdsFirst(Paginator):
    """Finds the ids of a page by an index alone and then reads those rows: a deep page skips no whole rows."""

    def _get_page(self, object_list: Any, number: int, paginator: Any) -> Any:
        rows: Any = self.object_list
        if isinstance(rows, QuerySet) and not rows.query.is_sliced:
            ids = list(object_list.values_list("pk", flat=True))
            found = rows.order_by().in_bulk(ids)
            object_list = [found[pk] for pk in ids if pk in found]
        return Page(object_list, number, paginator)


class Pages(PageNumberPagination):
    """`?page=&page_size=`: 50 a page, at most 500. A page after the last is not found."""

    page_size = PAGE_SIZE
    max_page_size = LARGEST_PAGE
    page_size_query_param = "page_size"
    django_paginator_class = IdsFirst

    def get_page_size(self, request: Request) -> int:
        return page_size(request)

    def get_page_number(self, request: Request, paginator: Any) -> int:
        return _number(request, "page") or 1


class NewestFirst(CursorPagination):
    """`?cursor=&page_size=`, by descending id: rows that arrive meanwhile shift nothing."""

    ordering = "-id"
    page_size = PAGE_SIZE
    max_page_size = LARGEST_PAGE
    page_size_query_param = "page_size"

    def get_page_size(self, request: Request) -> int:
        return page_size(request)

    def decode_cursor(self, request: Request) -> Cursor | None:
        """The cursor of the query string. Raises Invalid for one that we did not make."""
        try:
            cursor = super().decode_cursor(request)
        except NotFound:
            raise _strange_cursor() from None
        if cursor is not None and cursor.position is not None and not _is_whole(str(cursor.position)):
            raise _strange_cursor()
        return cursor


def page_size(request: Request) -> int:
    return min(_number(request, "page_size") or PAGE_SIZE, LARGEST_PAGE)


def _number(request: Request, name: str) -> int | None:
    """A query parameter that counts from 1; None when it is not given."""
    text = request.query_params.get(name, "")
    if not text:
        return None
    if not _is_whole(text) or int(text) == 0:
        raise Invalid.of(name, _("Give a whole number from 1 on."))
    return int(text)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18


def _strange_cursor() -> Invalid:
    return Invalid.of("cursor", _("Follow the links next and previous of an answer."))

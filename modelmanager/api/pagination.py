"""Lists by page."""

from rest_framework.pagination import PageNumberPagination


class Pages(PageNumberPagination):
    """`?page=&page_size=`: 50 a page, at most 500."""

    page_size = 50
    max_page_size = 500
    page_size_query_param = "page_size"

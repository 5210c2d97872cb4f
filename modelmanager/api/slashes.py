"""Addresses end in a slash."""

from django.http import HttpRequest
from django.middleware.common import CommonMiddleware

SAFE = ("GET", "HEAD")


class Slashes(CommonMiddleware):
    """Redirects to the address with a slash only what loses nothing by it.

    A redirected POST arrives as a GET without a body: it would be answered 200 with nothing done.
    """

    def should_redirect_with_slash(self, request: HttpRequest) -> bool:
        return request.method in SAFE and super().should_redirect_with_slash(request)

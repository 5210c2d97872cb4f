"""Parts of a page that renew themselves."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET


def fragment(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """A GET view for signed-in staff; somebody signed out meanwhile gets the whole page again, to sign in."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not admin.site.has_permission(request):
            return HttpResponse(headers={"HX-Refresh": "true"})
        answer = view(request, *args, **kwargs)
        answer.headers["Cache-Control"] = "no-store"
        return answer

    return require_GET(guarded)

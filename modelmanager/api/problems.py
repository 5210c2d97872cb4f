"""Errors as RFC 9457 `application/problem+json`, with stable codes."""

import logging
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, JsonResponse
from django.utils.encoding import force_str
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework import exceptions, status
from rest_framework.renderers import JSONRenderer
from rest_framework.response import Response
from rest_framework.views import set_rollback

from modelmanager.api.editions import etag
from modelmanager.lib.refusals import Invalid, Refusal

logger = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"


class ProblemRenderer(JSONRenderer):
    """JSON under the problem media type."""

    media_type = MEDIA_TYPE


class PayloadTooLarge(exceptions.APIException):
    """A body larger than the server takes."""

    status_code = status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
    default_code = "too_large"


class DatabaseUnavailable(exceptions.APIException):
    """The database does not answer, or is held by somebody else for too long."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "database_unavailable"
    wait = 5  # seconds, told as Retry-After


TITLES = {
    400: gettext_lazy("Bad request"),
    401: gettext_lazy("Not authenticated"),
    403: gettext_lazy("Permission denied"),
    404: gettext_lazy("Not found"),
    405: gettext_lazy("Method not allowed"),
    406: gettext_lazy("Not acceptable"),
    409: gettext_lazy("Conflict"),
    413: gettext_lazy("Body too large"),
    415: gettext_lazy("Unsupported media type"),
    429: gettext_lazy("Throttled"),
    500: gettext_lazy("Internal error"),
    503: gettext_lazy("Not available now"),
}
CODES = {"authentication_failed": "not_authenticated", "parse_error": "malformed"}


def problem(code: str, http_status: int, detail: str, **extra: Any) -> dict[str, Any]:
    """The members of a problem document."""
    return {
        "type": f"urn:modelmanager:problem:{code}",
        "title": str(TITLES.get(http_status) or _("Error")),
        "status": http_status,
        "detail": detail,
        "code": code,
        **extra,
    }


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook: every refusal and every API exception as a problem; anything else stays an error."""
    if isinstance(error, Refusal):
        body, headers = _of_refusal(error, context)
    elif isinstance(error, exceptions.ValidationError):
        body, headers = _of_invalid(list(_flatten(error.detail))), {}
    elif (api_error := _api_exception(error)) is not None:
        body, headers = _of_api_exception(api_error)
    else:
        return None
    set_rollback()
    response = Response(body, status=body["status"], headers=headers, content_type=MEDIA_TYPE)
    request = context.get("request")
    if request is not None:
        request.accepted_renderer, request.accepted_media_type = ProblemRenderer(), MEDIA_TYPE
    return response


def _api_exception(error: Exception) -> exceptions.APIException | None:
    from django.core.exceptions import PermissionDenied, RequestDataTooBig
    from django.db import InterfaceError, OperationalError
    from django.http import Http404

    match error:
        case exceptions.APIException():
            return error
        case Http404():
            return exceptions.NotFound()
        case PermissionDenied():
            return exceptions.PermissionDenied()
        case RequestDataTooBig():
            return PayloadTooLarge(_("The body is too large."))
        case OperationalError() | InterfaceError():
            logger.error("The database could not be used.", exc_info=error)
            return DatabaseUnavailable(_("The database does not answer now: try again."))
    return None


def _of_refusal(refusal: Refusal, context: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    extra = dict(refusal.extra)
    row = extra.pop("row", None)
    present = getattr(context.get("view"), "present", None)
    if row is not None and present is not None:
        extra["current"] = present(row)
    headers = {} if row is None else {"ETag": etag(row)}
    if refusal.retry_after_s is not None:
        extra["retry_after_s"] = refusal.retry_after_s
        headers["Retry-After"] = str(refusal.retry_after_s)
    return problem(refusal.code, refusal.status, refusal.detail, **extra), headers


def _of_invalid(errors: list[dict[str, str]]) -> dict[str, Any]:
    invalid = Invalid(*errors)
    return problem(invalid.code, invalid.status, invalid.detail, errors=errors)


def _of_api_exception(error: exceptions.APIException) -> tuple[dict[str, Any], dict[str, str]]:
    code = str(getattr(error.detail, "code", error.default_code))
    extra: dict[str, Any] = {}
    headers: dict[str, str] = {}
    if header := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = header
    if wait := getattr(error, "wait", None):
        extra["retry_after_s"] = int(wait)
        headers["Retry-After"] = str(int(wait))
    return problem(CODES.get(code, code), error.status_code, force_str(error.detail), **extra), headers


def _flatten(detail: Any, field: str = "") -> Iterator[dict[str, str]]:
    if isinstance(detail, dict):
        for key, inner in detail.items():
            yield from _flatten(inner, _joined(field, str(key)))
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            yield from _flatten(inner, field if not isinstance(inner, dict | list) else _joined(field, str(index)))
    else:
        yield {"field": field, "code": getattr(detail, "code", "invalid"), "detail": str(detail)}


def _joined(field: str, key: str) -> str:
    return field if key == "non_field_errors" else f"{field}.{key}" if field else key


def _page(code: str, http_status: int, detail: str) -> JsonResponse:
    body = problem(code, http_status, detail)
    return JsonResponse(body, status=http_status, content_type=MEDIA_TYPE)


def not_found(request: HttpRequest, exception: Exception | None = None) -> Any:
    """404 below /api/ as a problem, elsewhere as a page."""
    from django.views.defaults import page_not_found

    if request.path.startswith("/api/"):
        return _page("not_found", 404, _("There is nothing at this address."))
    return page_not_found(request, exception or Exception())


def bad_request(request: HttpRequest, exception: Exception | None = None) -> Any:
    """400 below /api/ as a problem, elsewhere as a page."""
    from django.views.defaults import bad_request as page

    if request.path.startswith("/api/"):
        return _page("malformed", 400, _("The request is malformed."))
    return page(request, exception or Exception())


def server_error(request: HttpRequest) -> Any:
    """500 below /api/ as a problem without any detail, elsewhere as a page."""
    from django.views.defaults import server_error as page

    if request.path.startswith("/api/"):
        return _page("internal_error", 500, _("Something went wrong here. It has been logged."))
    return page(request)

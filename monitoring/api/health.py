"""`/healthz` and `/readyz`: for the machine; no key needed."""

from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from monitoring.readiness import checks


@csrf_exempt  # another method is refused as such, not for lacking a token
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 while the process serves."""
    return JsonResponse({"status": "ok"})


@csrf_exempt
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200, or 503 naming what is down."""
    found = checks()
    is_ready = all(state == "ok" for state in found.values())
    return JsonResponse({"status": "ok" if is_ready else "down", "checks": found}, status=200 if is_ready else 503)

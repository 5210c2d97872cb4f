"""Who calls: a client by its key, or signed-in staff by their session."""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.db.models import Q
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from modelmanager.lib.clock import now
from usage.models import ClientKey
from usage.services.clients import digest_of

REMEMBERED_S = 5.0
REMEMBERED_AT_MOST = 10_000
USE_NOTED_EVERY = timedelta(minutes=1)


@dataclass(frozen=True)
class Caller:
    """Who asks, as the API knows them. `client_id` is None for signed-in staff."""

    actor: str
    scopes: frozenset[str]
    client_id: int | None = None
    client_name: str = ""
    is_authenticated: bool = True


@dataclass(frozen=True)
class _Known:
    caller: Caller
    expires_at: datetime | None
    read_at: float


_known: dict[str, _Known] = {}


class ClientKeyAuthentication(BaseAuthentication):
    """`Authorization: Bearer <client key>`. A process remembers a key for at most 5 s."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        scheme, _space, key = request.headers.get("Authorization", "").partition(" ")
        if not scheme:
            return None
        if scheme.lower() != "bearer" or not key.strip():
            raise AuthenticationFailed(_("Send the header “Authorization: Bearer <client key>”."))
        return _caller(digest_of(key.strip())), None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _caller(digest: str) -> Caller:
    known = _known.get(digest)
    if known is None or time.monotonic() - known.read_at > REMEMBERED_S:
        known = _look_up(digest)
        if len(_known) >= REMEMBERED_AT_MOST:
            _known.clear()
        _known[digest] = known
    if known.expires_at is not None and known.expires_at <= now():
        raise AuthenticationFailed(_("This key has expired."))
    return known.caller


def _look_up(digest: str) -> _Known:
    key = ClientKey.objects.select_related("client").filter(digest=digest).first()
    if key is None or key.revoked_at is not None or key.client.deleted_at is not None:
        raise AuthenticationFailed(_("This key is not valid."))
    _note_use(key)
    caller = Caller(f"client:{key.client.name}", frozenset(key.scopes), key.client_id, key.client.name)
    return _Known(caller, key.expires_at, time.monotonic())


def _note_use(key: ClientKey) -> None:
    at = now()
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=at - USE_NOTED_EVERY)
    if key.last_used_at is None or key.last_used_at < at - USE_NOTED_EVERY:
        ClientKey.objects.filter(stale, pk=key.pk).update(last_used_at=at)


class StaffSessionAuthentication(SessionAuthentication):
    """Signed-in staff in the browsable docs: superusers manage, others read. They have no client of their own."""

    def authenticate(self, request: Request) -> tuple[Caller, None] | None:
        user: AbstractBaseUser | None = getattr(request._request, "user", None)
        if user is None or not user.is_active or not getattr(user, "is_staff", False):
            return None
        self.enforce_csrf(request)
        scopes = {"manage"} if getattr(user, "is_superuser", False) else {"read"}
        return Caller(f"user:{user.get_username()}", frozenset(scopes)), None


class ClientKeyScheme(OpenApiAuthenticationExtension):
    """How the schema describes client keys."""

    target_class = "usage.authentication.ClientKeyAuthentication"
    name = "clientKey"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "description": "A client key: `manage.py create_client NAME`."}


class StaffSessionScheme(OpenApiAuthenticationExtension):
    """How the schema describes the session of signed-in staff."""

    target_class = "usage.authentication.StaffSessionAuthentication"
    name = "staffSession"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}

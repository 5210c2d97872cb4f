"""Permission by scope."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

SAFE = ("GET", "HEAD", "OPTIONS")
IMPLIED = {"manage": {"read", "use"}}


def has_scope(caller: Any, scope: str) -> bool:
    """Whether the caller's key carries the scope, or one that includes it."""
    return any(held == scope or scope in IMPLIED.get(held, ()) for held in caller.scopes)


class HasScope(BasePermission):
    """A view's `read_scope` (default `read`) for safe methods, its `write_scope` (default `manage`) for others."""

    def has_permission(self, request: Request, view: Any) -> bool:
        caller = request.user
        if caller is None or not caller.is_authenticated:
            return False
        scope = (
            getattr(view, "read_scope", "read") if request.method in SAFE else getattr(view, "write_scope", "manage")
        )
        return has_scope(caller, scope)


def actor_of(request: Request) -> str:
    """Who asks, as events name them: `client:chatbot`, `user:alice`."""
    caller: Any = request.user
    return str(caller.actor)

"""Who acts."""

from django.http import HttpRequest


def actor_of(request: HttpRequest) -> str:
    """How events name the person who is signed in."""
    return f"user:{request.user.get_username()}"

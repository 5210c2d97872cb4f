"""What went wrong when an API provider was asked, told apart from what the client library raised."""

import json
import socket
import ssl
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from models_registry.providers.errors import Outcome, ProviderError, ProviderRefused, ProviderUnavailable

LONGEST_RETRY_S = 86400
# Codes of a wrong key that come with another status than 401.
WRONG_KEY = {"invalid_api_key", "incorrect_api_key", "API_KEY_INVALID", "account_deactivated"}
# A 403 that says nothing about the key: the place we call from is not allowed.
WRONG_PLACE = ("unsupported_country", "firewall", "virtual network", "ip address", "ip_not_authorized")


def scrubbed(text: str, secrets: Iterable[str]) -> str:
    """The text without the secrets, in any spelling in which a server may repeat them."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        for spelling in {secret, quote(secret, safe=""), quote(secret), json.dumps(secret)[1:-1]}:
            text = text.replace(spelling, "…")
    return text


def failure_of(error: Exception, *, secrets: Iterable[str]) -> ProviderError:
    """One of our two types for whatever `openai` raised; the message holds none of the secrets."""
    import openai

    if isinstance(error, openai.APIStatusError):
        return _answered(error.status_code, error.response.headers, error.body, secrets)
    return _unanswered(list(_causes(error)), secrets)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _unanswered(causes: list[BaseException], secrets: Iterable[str]) -> ProviderError:
    for error in causes:
        match error:
            case ProviderError():
                return error
            case ssl.SSLCertVerificationError():
                return ProviderUnavailable(f"TLS failed: {error.verify_message}", outcome=Outcome.TLS_FAILED)
            case ssl.SSLError():
                reason = (error.reason or "broken off").replace("_", " ").lower()
                return ProviderUnavailable(f"TLS failed: {reason}", outcome=Outcome.TLS_FAILED)
            case TimeoutError():
                return ProviderUnavailable("no answer in time")
            case ConnectionRefusedError():
                return ProviderUnavailable("connection refused")
            case socket.gaierror():
                return ProviderUnavailable("host name not found")
            case OSError():
                return ProviderUnavailable(f"connection failed: {error.strerror or type(error).__name__}")
    names = {type(error).__name__ for error in causes}
    if "ProxyError" in names:
        told = next(str(error) for error in causes if type(error).__name__ == "ProxyError")
        return ProviderUnavailable(scrubbed(f"the proxy refused: {told}", secrets))
    if "APITimeoutError" in names:
        return ProviderUnavailable("no answer in time")
    return ProviderUnavailable(f"the connection broke off ({type(causes[-1]).__name__})")


def _answered(status: int, headers: Any, body: object, secrets: Iterable[str]) -> ProviderError:
    code, told = _error_in(body)
    message = scrubbed(f"HTTP {status}{': ' if told else ''}{told}", secrets)
    retry_after_s = _retry_after_s(headers)
    if status >= 500 or status == 408:
        return ProviderUnavailable(message, status=status, outcome=Outcome.PROVIDER_DOWN, retry_after_s=retry_after_s)
    if status == 407:
        return ProviderUnavailable("the proxy wants a password: only proxies without one can be used")
    if 300 <= status < 400:
        message = f"HTTP {status}: it redirects to another address; redirects are not followed, correct the base URL"
    outcome = _outcome_of(status, code, told, is_api=bool(code or told))
    return ProviderRefused(message, status=status, outcome=outcome, retry_after_s=retry_after_s)


def _outcome_of(status: int, code: str, told: str, *, is_api: bool) -> Outcome:
    if status == 429:
        return Outcome.RATE_LIMITED
    if status == 401 or (400 <= status < 500 and code in WRONG_KEY):
        return Outcome.CREDENTIAL_INVALID
    is_place = any(word in f"{code} {told}".lower() for word in WRONG_PLACE)
    if status == 403 and is_api and not is_place:
        return Outcome.CREDENTIAL_INVALID
    if status == 404 and code in ("model_not_found", "DeploymentNotFound"):
        return Outcome.NOT_OFFERED
    return Outcome.REFUSED


def _error_in(body: object) -> tuple[str, str]:
    """Code and message of an error body: OpenAI's and Azure's, and the flat forms of others; pages tell nothing."""
    if not isinstance(body, dict):
        return "", ""
    inner = body.get("error", body)
    if isinstance(inner, str):
        return "", inner
    if not isinstance(inner, dict):
        return "", ""
    told = inner.get("message") or inner.get("detail") or ""
    return _text(inner.get("code")), told if isinstance(told, str) else _text(told)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ("" if value is None else json.dumps(value))


def _retry_after_s(headers: Any) -> int | None:
    """Whole seconds that the provider asks us to wait, at most a day; told in seconds or as a date."""
    text = str(headers.get("retry-after", "")).strip()
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return None
    return min(max(round(seconds), 1), LONGEST_RETRY_S) if seconds == seconds else None

"""The two ways in which asking a provider fails, and the outcome that each failure carries."""

import re
from enum import StrEnum

MESSAGE_LIMIT = 500

_TRACEBACK = re.compile(r"\s*\n\s*At:\n(?:\s+\S+\(\d+\):.*\n?)+")
_SERVER_PATH = re.compile(r"(?<![\w/:.])/(?:[\w.+@-]+/)+([\w.+@-]*)")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ud800-\udfff\ufeff]+")


def clean_message(text: str) -> str:
    """One printable line of at most 500 characters; of server paths only the last part is kept."""
    text = _TRACEBACK.sub(" ", text[: 20 * MESSAGE_LIMIT])
    text = _SERVER_PATH.sub(r"\1", text)
    text = re.sub(r" {2,}", " ", _UNPRINTABLE.sub(" ", text)).strip(" ;\n")
    return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - 1] + "…"


class Outcome(StrEnum):
    """What became of a question to a provider."""

    OK = "ok"
    UNREACHABLE = "unreachable"
    TLS_FAILED = "tls_failed"
    PROVIDER_DOWN = "provider_down"
    RATE_LIMITED = "rate_limited"
    CREDENTIAL_INVALID = "credential_invalid"
    NOT_OFFERED = "not_offered"
    REFUSED = "refused"


class ProviderError(Exception):
    """Asking a provider failed; `message` is clean and bounded, fit to be stored and shown.

    `retry_after_s` is what the provider asked us to wait, where it did; `status` the HTTP status, where there was one.
    """

    usual_outcome: Outcome

    def __init__(
        self,
        message: str = "",
        *,
        status: int | None = None,
        outcome: Outcome | None = None,
        retry_after_s: int | None = None,
    ) -> None:
        self.message = clean_message(message)
        self.status = status
        self.outcome = outcome or self.usual_outcome
        self.retry_after_s = retry_after_s
        super().__init__(self.message)


class ProviderUnavailable(ProviderError):
    """No usable answer: refused connection, time-out, failed TLS, broken answer, a 5xx."""

    usual_outcome = Outcome.UNREACHABLE


class ProviderRefused(ProviderError):
    """The provider answered and said no."""

    usual_outcome = Outcome.REFUSED

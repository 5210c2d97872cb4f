"""The two ways in which asking a provider fails."""

import re

MESSAGE_LIMIT = 500

_TRACEBACK = re.compile(r"\s*\n\s*At:\n(?:\s+\S+\(\d+\):.*\n?)+")
_SERVER_PATH = re.compile(r"(?<![\w/:.])/(?:[\w.+@-]+/)+([\w.+@-]*)")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\ufeff]+")


def clean_message(text: str) -> str:
    """One printable line of at most 500 characters; of server paths only the last part is kept."""
    text = _TRACEBACK.sub(" ", text[: 20 * MESSAGE_LIMIT])
    text = _SERVER_PATH.sub(r"\1", text)
    text = re.sub(r" {2,}", " ", _UNPRINTABLE.sub(" ", text)).strip(" ;\n")
    return text if len(text) <= MESSAGE_LIMIT else text[: MESSAGE_LIMIT - 1] + "…"


class ProviderError(Exception):
    """Asking a provider failed; `message` is clean and bounded, fit to be stored and shown."""

    def __init__(self, message: str = "") -> None:
        self.message = clean_message(message)
        super().__init__(self.message)


class ProviderUnavailable(ProviderError):
    """No usable answer: refused connection, time-out, broken answer, a proxy's 5xx."""


class ProviderRefused(ProviderError):
    """The provider answered and said no; `status` is the HTTP status where there was one."""

    def __init__(self, message: str = "", *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status

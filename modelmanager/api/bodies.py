"""Bodies of calls that Django does not read to their end by itself."""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any

from django.conf import settings

HEARD_AT_MOST = 16 * 1024 * 1024
PIECE = 64 * 1024

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


class WithLength:
    """Below /api/, hands the application a body that comes in chunks as one whose length is known.

    Django takes a body without a length for none: what a client reported would be lost, and nobody would know.
    """

    def __init__(self, application: Application) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"].startswith("/api/") and _is_chunked(environ):
            body = read_body(environ["wsgi.input"], at_most=settings.DATA_UPLOAD_MAX_MEMORY_SIZE)
            environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
        return self._application(environ, start_response)


def read_body(stream: Any, *, at_most: int) -> bytes:
    """The body; of one that is longer than that one byte more, so that it is known.

    The rest is heard and forgotten, up to 16 MiB: who is answered earlier and goes on talking loses the connection,
    and the next call on it.
    """
    body: bytes = stream.read(at_most + 1)
    if len(body) > at_most:
        heard = len(body)
        while heard < HEARD_AT_MOST and (piece := stream.read(PIECE)):
            heard += len(piece)
    return body


def _is_chunked(environ: dict[str, Any]) -> bool:
    """Whether the body has no length, and a server that ends it where the client did."""
    coding = environ.get("HTTP_TRANSFER_ENCODING", "").lower()
    return "chunked" in coding and bool(environ.get("wsgi.input_terminated"))

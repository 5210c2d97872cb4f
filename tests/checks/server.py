"""An API provider as it feels: it may answer everything with one status, hang, or know models that it does not list."""

import time
from typing import Self

from werkzeug import Request, Response

from tests.api_providers.servers import KEY, ApiServer, Asked, answer

__all__ = ["KEY", "Moody"]

MODELS = ("gpt-mini", "embed-small")


class Moody(ApiServer):
    """`aliases` are found and not listed; `feel` sets its mood."""

    def __init__(self) -> None:
        super().__init__(models=MODELS)
        self.aliases: list[str] = []

    def as_new(self) -> Self:
        self.aliases = []
        return super().as_new()

    def feel(self, status: int | None, **headers: str) -> None:
        """Answer everything with this status from now on; None: answer well again."""
        body = {"error": {"message": "not now", "code": None}}
        self.always = None if status is None else lambda request: answer(status, body, **headers)

    def hang(self, seconds: float) -> None:
        """Answer well, and late."""

        def late(request: Request) -> Response:
            time.sleep(seconds)
            return self.route(request)

        self.always = late

    def look_up(self, name: str) -> Response:
        return answer(200, self.row(name)) if name in self.aliases else super().look_up(name)

    @property
    def paths(self) -> list[str]:
        """Where the requests went, oldest first."""
        return [asked.path for asked in self.asked]

    @property
    def served(self) -> list[Asked]:
        """Calls of models, as their keys came."""
        return self.billed

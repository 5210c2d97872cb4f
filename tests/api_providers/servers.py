"""Real HTTP servers that behave as OpenAI, Azure OpenAI and compatible ones do, error bodies included.

What they say follows the providers' documentation and what is seen of them; each keeps what it was asked.
"""

import json
import re
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from models_registry.providers.api import DEPLOYMENTS_VERSION, ApiSettings

KEY = "sk-good-0123456789abcdef"
SECOND_KEY = "sk-second-0123456789abcd"
API_VERSION = "2024-10-21"


class _QuickToStop(HTTPServer):
    """Looks a hundred times a second whether it shall stop; a test waits for that."""

    def thread_target(self) -> None:
        assert self.server is not None
        self.server.serve_forever(poll_interval=0.01)


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    headers: Mapping[str, str]

    @property
    def key(self) -> str:
        """The key that came with it, by whichever header."""
        return self.headers.get("api-key") or self.headers.get("Authorization", "").removeprefix("Bearer ")


def answer(status: int, body: Any = None, **headers: str) -> Response:
    """JSON, or a page for text."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if isinstance(body, str):
        return Response(body, status, named, content_type="text/html")
    return Response(json.dumps(body), status, named, content_type="application/json")


def error(status: int, message: str, *, code: str | None = None, kind: str = "invalid_request_error") -> Response:
    """An error as OpenAI words it."""
    return answer(status, {"error": {"message": message, "type": kind, "param": None, "code": code}})


class ApiServer:
    """OpenAI itself. `with OpenAI() as server`: `server.base_url` for the provider, `server.asked` for asserts.

    `models` are what it offers, `keys` those it takes; `always` answers every request instead, once it is set.
    With `tls` (a server's context) it is at https://localhost.
    """

    kind: ClassVar[str] = "openai"
    path: ClassVar[str] = "/v1"
    api_version: ClassVar[str] = ""

    def __init__(
        self, *, models: tuple[str, ...] = ("chat-large", "embed-small"), tls: ssl.SSLContext | None = None
    ) -> None:
        self.models = list(models)
        self.keys = {KEY}
        self.asked: list[Asked] = []
        self.always: Callable[[Request], Response] | None = None
        self._models = models
        self._server = _QuickToStop(host="127.0.0.1", port=0, ssl_context=tls, threaded=True)
        self._server.expect_request(re.compile(".*")).respond_with_handler(self._respond)
        self._host = "https://localhost" if tls else "http://127.0.0.1"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.stop()

    def as_new(self) -> Self:
        """The same server for the next test, which knows nothing of the last: to stop one takes half a second."""
        self.models, self.keys, self.asked, self.always = list(self._models), {KEY}, [], None
        return self

    @property
    def root(self) -> str:
        return f"{self._host}:{self._server.port}"

    @property
    def base_url(self) -> str:
        return self.root + self.path

    @property
    def billed(self) -> list[Asked]:
        """Requests that a provider would charge for: all but those that only look."""
        return [request for request in self.asked if request.method != "GET"]

    def settings(self, *, keys: tuple[str, ...] = (KEY,), **more: Any) -> ApiSettings:
        """What a gateway needs to know of it."""
        told = {"kind": self.kind, "base_url": self.base_url, "api_version": self.api_version, "keys": keys}
        return ApiSettings(**{"allow_private_network": True, "timeout_s": 5.0, **told, **more})

    def fields(self, **more: Any) -> dict[str, Any]:
        """What a person says of it as a provider."""
        told = {"kind": self.kind, "base_url": self.base_url, "api_version": self.api_version, "api_key": KEY}
        return {"allow_private_network": True, **told, **more}

    def _respond(self, request: Request) -> Response:
        asked = Asked(request.method, request.full_path.rstrip("?"), dict(request.headers))
        asked = Asked(asked.method, asked.path, {**asked.headers, "api-key": request.headers.get("api-key", "")})
        self.asked.append(asked)
        if self.always is not None:
            return self.always(request)
        if asked.key not in self.keys:
            return self.wrong_key(asked.key)
        return self.route(request)

    def route(self, request: Request) -> Response:
        if request.path == f"{self.path}/models":
            return answer(200, {"object": "list", "data": [self.row(name) for name in self.models]})
        if request.path.startswith(f"{self.path}/models/"):
            return self.look_up(request.path.removeprefix(f"{self.path}/models/"))
        if request.path == f"{self.path}/chat/completions":
            return answer(200, completion(request))
        return error(404, f"Invalid URL ({request.method} {request.path})")

    def row(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "model", "created": 1686935002, "owned_by": "openai"}

    def look_up(self, name: str) -> Response:
        if name in self.models:
            return answer(200, self.row(name))
        return error(404, f"The model '{name}' does not exist", code="model_not_found")

    def wrong_key(self, key: str) -> Response:
        if not key:
            return error(401, "You didn't provide an API key.")
        return error(401, f"Incorrect API key provided: {key}.", code="invalid_api_key")


class Compatible(ApiServer):
    """As many compatible servers are: it lists, looks nothing up, and words its errors in its own way."""

    kind = "openai_compatible"
    path = "/api/v3"

    def row(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "model"}

    def look_up(self, name: str) -> Response:
        return answer(404, {"detail": "Not Found"})

    def wrong_key(self, key: str) -> Response:
        return answer(401, {"error": "Unauthorized"})


class AzureClassic(ApiServer):
    """An Azure resource by its classic endpoint: it lists models that nobody can call, and its deployments."""

    kind = "azure_openai"
    path = ""
    api_version = API_VERSION
    lists_deployments = True

    def route(self, request: Request) -> Response:
        version = request.args.get("api-version", "")
        if request.path == "/openai/deployments" and version == DEPLOYMENTS_VERSION and self.lists_deployments:
            return answer(200, {"object": "list", "data": [self.deployment(name) for name in self.models]})
        if self.is_list_of_models(request.path, version):
            base = [{"id": name, "object": "model", "status": "succeeded"} for name in ("gpt-4o", "gpt-35-turbo")]
            return answer(200, {"object": "list", "data": base})
        if request.path.startswith("/openai/deployments/"):
            return self.call(request)
        return answer(404, {"error": {"code": "404", "message": "Resource not found"}})

    def is_list_of_models(self, path: str, version: str) -> bool:
        return path == "/openai/models" and version == API_VERSION

    def deployment(self, name: str) -> dict[str, Any]:
        return {"id": name, "object": "deployment", "model": "gpt-4o", "status": "succeeded"}

    def call(self, request: Request) -> Response:
        if request.path.split("/")[3] in self.models:
            return answer(200, completion(request))
        return self.unknown()

    def unknown(self) -> Response:
        message = "The API deployment for this resource does not exist."
        return answer(404, {"error": {"code": "DeploymentNotFound", "message": message}})

    def wrong_key(self, key: str) -> Response:
        message = "Access denied due to invalid subscription key or wrong API endpoint."
        return answer(401, {"error": {"code": "401", "message": message}})


class AzureV1(AzureClassic):
    """The same by its v1 endpoint, which wants no API version."""

    path = "/openai/v1"
    api_version = ""

    def route(self, request: Request) -> Response:
        if request.path == "/openai/v1/chat/completions":
            asked = request.get_json(silent=True) or {}
            return answer(200, completion(request)) if asked.get("model") in self.models else self.unknown()
        return super().route(request)

    def is_list_of_models(self, path: str, version: str) -> bool:
        return path == "/openai/v1/models" and not version


KINDS = {"openai": ApiServer, "compatible": Compatible, "azure classic": AzureClassic, "azure v1": AzureV1}


def completion(request: Request) -> dict[str, Any]:
    """The answer to a call that a provider would bill."""
    asked = request.get_json(silent=True) or {}
    message = {"role": "assistant", "content": "An answer."}
    return {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1686935002,
        "model": asked.get("model", ""),
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12},
    }

"""Triton over HTTP by tritonclient, with every failure folded into two types.

tritonclient (with gevent and numpy) takes 0.4 s to import, so it is imported at the first call.
"""

import contextlib
import os
import socket
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import urlsplit

from models_registry.providers.counters import Counters, read_counters
from models_registry.providers.deadline import within
from models_registry.providers.errors import ProviderError, ProviderRefused, ProviderUnavailable
from models_registry.providers.gateway import TritonGateway
from models_registry.providers.metrics import read_gpu_memory
from models_registry.providers.observation import GpuMemory, Observation, ServerInfo, fold
from models_registry.providers.reach import guarded

TIMEOUT_S = 2.0
POST_TIMEOUT_S = 1.0
PATIENCE = 0.1  # share of its time that a question waits on a kept connection

Answer = TypeVar("Answer")
GatewayFactory = Callable[[str], TritonGateway]


class HttpTritonGateway:
    """A TritonGateway over one kept-alive connection.

    `timeout_s` bounds every question as a whole, `post_timeout_s` the wait for the answer to a
    load or unload. For one thread of one process only.
    """

    def __init__(
        self,
        base_url: str,
        *,
        metrics_url: str = "",
        allow_private_network: bool = True,
        timeout_s: float = TIMEOUT_S,
        post_timeout_s: float = POST_TIMEOUT_S,
    ) -> None:
        self.base_url = base_url
        self.metrics_url = metrics_url
        self.allow_private_network = allow_private_network
        self.timeout_s = timeout_s
        self.post_timeout_s = post_timeout_s
        self._client: Any = None

    def observe(self) -> Observation:
        rows = self._ask_plainly(lambda client: client.get_model_repository_index())
        try:
            return fold(rows)
        except ValueError as error:
            raise ProviderUnavailable(f"broken answer: {error}") from error

    def is_ready(self, name: str, version: str = "") -> bool:
        _refuse_impossible(name, version)
        if self._ask_plainly(lambda client: client.is_model_ready(name, version)):
            return True
        # tritonclient hides the status, and a proxy's 502 is no word about the model.
        self._require_live()
        return False

    def post_load(self, name: str, *, config: dict[str, Any] | None = None) -> bool:
        import rapidjson

        _refuse_impossible(name)
        text = None if config is None else rapidjson.dumps(config)
        return self._post_once(lambda client: client.load_model(name, config=text))

    def post_unload(self, name: str) -> None:
        _refuse_impossible(name)
        self._post_once(lambda client: client.unload_model(name))

    def server_info(self) -> ServerInfo:
        told = self._ask(lambda client: client.get_server_metadata())
        if not isinstance(told, dict):
            raise ProviderUnavailable("broken answer: the server's metadata is not an object")
        extensions = tuple(str(extension) for extension in told.get("extensions") or ())
        return ServerInfo(str(told.get("name") or ""), str(told.get("version") or ""), extensions)

    def effective_config(self, name: str) -> dict[str, Any] | None:
        _refuse_impossible(name)
        try:
            config = self._ask(lambda client: client.get_model_config(name))
        except ProviderRefused as refusal:
            if refusal.status in (400, 404):  # not loaded, or not known
                return None
            raise
        return config if isinstance(config, dict) else None

    def counters(self) -> tuple[Counters, ...]:
        try:
            answer = self._ask(lambda client: client.get_inference_statistics())
        except ProviderRefused:  # a server without the extension
            return ()
        try:
            return read_counters(answer)
        except ValueError as error:
            raise ProviderUnavailable(f"broken answer: {error}") from error

    def gpu_memory(self) -> GpuMemory | None:
        if not self.metrics_url:
            return None
        return read_gpu_memory(
            self.metrics_url, timeout_s=self.timeout_s, allow_private_network=self.allow_private_network
        )

    def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            with contextlib.suppress(Exception):
                client.close()

    def _ask_plainly(self, question: Callable[[Any], Answer]) -> Answer:
        """For questions no Triton refuses: a refusal comes from something in front of it."""
        try:
            return self._ask(question)
        except ProviderRefused as refusal:
            raise ProviderUnavailable(f"the question was refused: {refusal.message}") from refusal

    def _require_live(self) -> None:
        if not self._ask_plainly(lambda client: client.is_server_live()):
            raise ProviderUnavailable("the server does not say that it is live")

    def _ask(self, question: Callable[[Any], Answer]) -> Answer:
        """Ask on the connection that is kept, and when no answer comes soon on a new one.

        A load holds the server's thread that serves its connection until it has ended, for minutes; and with it
        every other connection that this thread serves, which may be all that are kept (Triton 2.51).
        """
        left_s = self.timeout_s
        try:
            if self._client is not None:
                patience_s = self.timeout_s * PATIENCE
                with contextlib.suppress(TimeoutError):
                    return self._within(patience_s, question)
                self.close()
                left_s -= patience_s
            return self._within(left_s, question)
        except Exception as error:
            raise self._folded(error) from error

    def _post_once(self, post: Callable[[Any], None]) -> bool:
        """Whether the server answered. The question before it tells "nothing sent" from "sent, no answer".

        geventhttpclient repeats no POST, not even on a kept-alive connection the server has closed.
        """
        self._require_live()
        try:
            self._within(self.post_timeout_s, post)
        except (ConnectionRefusedError, socket.gaierror, ProviderUnavailable) as error:
            raise self._folded(error) from error
        except Exception as error:
            failure = self._folded(error)
            if isinstance(failure, ProviderRefused):
                raise failure from error
            return False
        return True

    def _within(self, seconds: float, question: Callable[[Any], Answer]) -> Answer:
        client = self._connected()  # the first import takes long on a busy machine: it is not the server's time
        return within(seconds, lambda: question(client))

    def _connected(self) -> Any:
        if self._client is None:
            self._client = _new_client(
                self.base_url,
                allow_private_network=self.allow_private_network,
                timeout_s=max(self.timeout_s, self.post_timeout_s),
            )
        return self._client

    def _folded(self, error: Exception) -> ProviderError:
        """One of our two types. After anything but a clean refusal the connection is given up."""
        from tritonclient.utils import InferenceServerException

        failure = _told(error) if isinstance(error, InferenceServerException) else _untold(error)
        if isinstance(failure, ProviderUnavailable):
            self.close()
        return failure


def _new_client(base_url: str, *, allow_private_network: bool, timeout_s: float) -> Any:
    from tritonclient.http import InferenceServerClient

    parts = urlsplit(base_url)
    client = InferenceServerClient(
        parts.netloc + parts.path.rstrip("/"),
        ssl=parts.scheme == "https",
        connection_timeout=timeout_s,
        network_timeout=timeout_s,
    )
    guarded(client._client_stub, allow_private_network=allow_private_network)
    return client


def _refuse_impossible(name: str, version: str = "") -> None:
    """tritonclient puts names into the path as they are: keep them from reaching another one."""
    if not name or name in (".", "..") or "/" in name or "\\" in name:
        raise ProviderRefused(f"{name!r} cannot be the name of a model", status=400)
    if version and not version.isdecimal():
        raise ProviderRefused(f"{version!r} cannot be the version of a model", status=400)


def _told(error: Any) -> ProviderError:
    """An answer that is not 200. Triton says `{"error": …}`, also with 500; whatever else is a proxy's word."""
    status = int(error.status()) if str(error.status() or "").isdecimal() else None
    in_triton_s_words = error.debug_details() is None and "empty response" not in (error.message() or "")
    if status in (502, 503, 504) or (not in_triton_s_words and not 400 <= (status or 0) < 500):
        return ProviderUnavailable(f"the server answered {status}")
    return ProviderRefused(error.message() if in_triton_s_words else f"the server answered {status}", status=status)


def _untold(error: Exception) -> ProviderError:
    match error:
        case ProviderError():
            return error
        case ConnectionRefusedError():
            return ProviderUnavailable("connection refused")
        case TimeoutError():
            return ProviderUnavailable(str(error) or "no answer in time")
        case socket.gaierror():
            return ProviderUnavailable("host name not found")
        case ssl.SSLError():
            return ProviderUnavailable(f"TLS failed: {error.reason}")
        case OSError():
            return ProviderUnavailable(f"connection failed: {error.strerror or type(error).__name__}")
        case _:
            return ProviderUnavailable(f"broken answer ({type(error).__name__})")


class _Kept(threading.local):
    """What one thread keeps. Use threads that stay: a gevent hub's descriptors outlive a thread that ends."""

    def __init__(self) -> None:
        self.gateways: dict[tuple[str, str, bool, float, float], HttpTritonGateway] = {}


_kept = _Kept()
_substitute: GatewayFactory | None = None


def _start_anew_after_fork() -> None:
    """A child shares its parent's connections and event loop until it makes its own."""
    if "gevent" in sys.modules:
        import gevent

        gevent.reinit()
    for gateway in _kept.gateways.values():
        gateway.close()
    _kept.gateways = {}


os.register_at_fork(after_in_child=_start_anew_after_fork)


def gateway_for(
    base_url: str,
    *,
    metrics_url: str = "",
    allow_private_network: bool = True,
    timeout_s: float = TIMEOUT_S,
    post_timeout_s: float = POST_TIMEOUT_S,
) -> TritonGateway:
    """This thread's gateway to the server, kept for the next call; made anew after a fork."""
    if _substitute is not None:
        return _substitute(base_url)
    key = (base_url, metrics_url, allow_private_network, timeout_s, post_timeout_s)
    if key not in _kept.gateways:
        _kept.gateways[key] = HttpTritonGateway(
            base_url,
            metrics_url=metrics_url,
            allow_private_network=allow_private_network,
            timeout_s=timeout_s,
            post_timeout_s=post_timeout_s,
        )
    return _kept.gateways[key]


@contextlib.contextmanager
def use_gateways(factory: GatewayFactory) -> Iterator[None]:
    """For tests: `gateway_for(url)` answers `factory(url)` in every thread of this process."""
    global _substitute
    before, _substitute = _substitute, factory
    try:
        yield
    finally:
        _substitute = before

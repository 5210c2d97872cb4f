"""HTTP to the manager: one kept connection per thread, every failure as one of our types."""

import json
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, TypeVar

import requests
from requests.auth import AuthBase

from model_manager_client.clock import Clock
from model_manager_client.errors import ModelManagerError, NoAnswer, refusal
from model_manager_client.forking import after_fork

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0

Answer = TypeVar("Answer")


class _Bearer(AuthBase):
    """As an `auth`, so that no `.netrc` replaces it."""

    def __init__(self, key: str) -> None:
        self._header = f"Bearer {key}"

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._header
        return request


class Api:
    """Posts JSON below `/api/v1`. For all threads, and usable in a child after a fork."""

    def __init__(self, url: str, key: str, *, timeout_s: float, verify: bool | str, trust_env: bool) -> None:
        self._base = f"{url.rstrip('/')}/api/v1"
        self._auth = _Bearer(key)
        self._timeout_s, self._verify, self._trust_env = timeout_s, verify, trust_env
        self._forget_connections()
        after_fork(self._forget_connections)

    def post(self, path: str, body: Any, *, wait_s: float = 0.0) -> Any:
        """The body of the answer, for which `wait_s` more than usual is waited. Raises NoAnswer or Refused.

        Redirects are not followed: the key is for this address only.
        """
        try:
            got = self._post(path, json.dumps(body), self._timeout_s + wait_s)
            told = _json(got)
        except requests.RequestException as error:
            raise NoAnswer(f"{self._base} gave no answer ({type(error).__name__})") from error
        if not 200 <= got.status_code < 300:
            raise refusal(told, status=got.status_code, retry_after=got.headers.get("Retry-After"))
        if told is None:
            raise NoAnswer(f"{self._base} answered {got.status_code} with something that is no JSON")
        return told

    def _post(self, path: str, body: str, answer_within_s: float) -> requests.Response:
        was_kept = hasattr(self._kept, "session")
        post = partial(
            self._session().post,
            self._base + path,
            data=body,
            timeout=(self._timeout_s, answer_within_s),
            allow_redirects=False,
        )
        try:
            return post()
        except requests.ConnectionError:
            if not was_kept:
                raise
            return post()  # the manager had closed the connection that was kept; all our posts may be repeated

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._kept, "session", None)
        if session is None:
            session = self._kept.session = requests.Session()
            session.trust_env, session.verify, session.auth = self._trust_env, self._verify, self._auth
            session.headers["Content-Type"] = "application/json"
        return session

    def _forget_connections(self) -> None:
        self._kept = threading.local()


def _json(got: requests.Response) -> Any:
    try:
        return got.json()
    except ValueError:
        return None


def pauses() -> Iterator[float]:
    """Seconds between attempts: 0.5, 1, 2 … 30."""
    seconds = FIRST_PAUSE_S
    while True:
        yield seconds
        seconds = min(2 * seconds, LONGEST_PAUSE_S)


def patiently(attempt: Callable[[float], Answer], *, patience_s: float, clock: Clock) -> Answer:
    """What `attempt(seconds left)` returns, repeated over temporary failures for as long as `patience_s` allows.

    Between attempts passes what the manager asks for by Retry-After. Raises the last failure, at once when the
    next attempt would come too late.
    """
    ends = clock.monotonic() + patience_s
    usual = pauses()
    while True:
        try:
            return attempt(max(0.0, ends - clock.monotonic()))
        except ModelManagerError as failure:
            pause = next(usual) if failure.retry_after_s is None else failure.retry_after_s
            if not failure.is_temporary or clock.monotonic() + pause >= ends:
                raise
            clock.sleep(pause)

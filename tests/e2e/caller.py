"""A downstream system or an operator, as the running product sees one: HTTP and a key, nothing else."""

import time
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import requests

from tests.embedded.waiting import wait_for

PATIENCE_S = 60.0
AT_REST = ("registered", "error")


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how long it took."""

    status: int
    body: Any
    took_s: float
    retry_after: str | None

    @property
    def code(self) -> str:
        """The stable code of a refusal; empty for anything else."""
        return str(self.body.get("code", "")) if isinstance(self.body, dict) else ""


class Caller:
    """Calls the API with one client key; proxies of the environment are not asked."""

    def __init__(self, url: str, key: str) -> None:
        self._base = f"{url}/api/v1"
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.headers["Authorization"] = f"Bearer {key}"

    def call(self, method: str, path: str, body: Any = None, *, timeout_s: float = 90.0) -> Answer:
        """One request; `path` begins behind `/api/v1`."""
        began = time.monotonic()
        got = self._session.request(method, self._base + path, json=body, timeout=timeout_s)
        took_s = time.monotonic() - began
        return Answer(got.status_code, got.json() if got.content else None, took_s, got.headers.get("Retry-After"))

    def get(self, path: str) -> Any:
        """The body of a GET that must succeed."""
        answer = self.call("GET", path)
        assert answer.status == 200, answer
        return answer.body

    def must(self, method: str, path: str, body: Any = None) -> Any:
        """The body of a request that must succeed."""
        answer = self.call(method, path, body)
        assert answer.status in (200, 201, 202, 204), answer
        return answer.body

    def model(self, name: str) -> dict[str, Any]:
        model: dict[str, Any] = self.get(f"/models/{name}/")
        return model

    def models(self) -> list[dict[str, Any]]:
        """All living models."""
        models: list[dict[str, Any]] = self.get("/models/?page_size=500")["results"]
        return models

    def events(self, name: str) -> list[str]:
        """Codes of the model's history, newest first."""
        return [event["code"] for event in self.get(f"/models/{name}/history/")["results"]]

    def operations(self, name: str = "") -> list[dict[str, Any]]:
        """The operations of one model or of all, newest first."""
        operations: list[dict[str, Any]] = self.get(f"/operations/?page_size=500&model={name}")["results"]
        return operations

    def activate(self, name: str) -> dict[str, Any]:
        model: dict[str, Any] = self.must("POST", f"/models/{name}/activate/")
        return model

    def deactivate(self, name: str, *, force: bool = False) -> dict[str, Any]:
        model: dict[str, Any] = self.must("POST", f"/models/{name}/deactivate/", {"force": force})
        return model

    def acquire(self, name: str, *, wait_s: float = 0, ttl_s: int = 300) -> Answer:
        return self.call("POST", "/leases/", {"model": name, "wait_s": wait_s, "ttl_s": ttl_s})

    def lease(self, name: str, *, wait_s: float = 0, ttl_s: int = 300) -> dict[str, Any]:
        """A lease that must be granted."""
        answer = self.acquire(name, wait_s=wait_s, ttl_s=ttl_s)
        assert answer.status == 201, answer
        lease: dict[str, Any] = answer.body
        return lease

    def release(self, lease: dict[str, Any]) -> None:
        self.must("POST", f"/leases/{lease['id']}/release/")

    def wait_for(
        self, name: str, status: str | Collection[str], *, within_s: float = PATIENCE_S, code: str | None = None
    ) -> dict[str, Any]:
        """The model once it has (one of) the status, with that error code where one is given."""
        statuses = (status,) if isinstance(status, str) else tuple(status)
        seen: dict[str, Any] = {}

        def reached() -> bool:
            seen.update(self.model(name))
            return seen["status"] in statuses and code in (None, seen["status_detail"]["code"])

        try:
            wait_for(reached, within_s=within_s, every_s=0.1)
        except AssertionError as error:
            raise AssertionError(f"{name} not {statuses} {code or ''} within {within_s} s: {seen}") from error
        return seen

    def clear(self, *, within_s: float = PATIENCE_S) -> None:
        """Switch everything off by force, and wait until nothing is loaded or being done."""
        names = [model["name"] for model in self.models()]
        for name in names:
            self.deactivate(name, force=True)
        wait_for(lambda: all(_at_rest(model) for model in self.models()), within_s=within_s, every_s=0.2)
        wait_for(lambda: not [one for one in self.operations() if one["outcome"] == "running"], within_s=within_s)


def _at_rest(model: dict[str, Any]) -> bool:
    return model["status"] in AT_REST and model["observed"]["state"] in ("unloaded", "unknown", "absent")

"""A model in use: its lease is renewed behind the scenes, and what it is used for is reported."""

import asyncio
import logging
import os
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from types import TracebackType
from typing import Any

import requests

from model_manager_client.api import Api, patiently, pauses
from model_manager_client.clock import Clock, read_time
from model_manager_client.errors import LeaseLost, ModelManagerError, Refused
from model_manager_client.outbox import Outbox
from model_manager_client.records import Record, make_record

logger = logging.getLogger("model_manager_client")

TAKEN_ALONG = 100  # records that a release carries at most; the rest goes the usual way
SHORTEST_PAUSE_S = 1.0
LONGEST_RETRY_S = 5.0
CANCELLED = (KeyboardInterrupt, GeneratorExit, asyncio.CancelledError)
TIMED_OUT = (TimeoutError, requests.Timeout, asyncio.TimeoutError)


class Call:
    """One call of a model while it is timed: fill in what is known of it."""

    def __init__(self) -> None:
        self.outcome = ""
        self.input_tokens: int | None = None
        self.output_tokens: int | None = None
        self.error_code = ""

    def failed(self, error: BaseException) -> None:
        """Set outcome and code by the exception, unless they were set."""
        kind = "cancelled" if isinstance(error, CANCELLED) else "timeout" if isinstance(error, TIMED_OUT) else "error"
        self.outcome = self.outcome or kind
        self.error_code = self.error_code or type(error).__name__


class LeasedModel:
    """A model that may be called until `release`, or until `is_lost`.

    One daemon thread for each lease renews it, so that a renewal that hangs delays no other. It raises nothing
    and never keeps the process alive. A forked child may use the model, but neither renews nor releases it.
    """

    def __init__(self, api: Api, outbox: Outbox, granted: dict[str, Any], *, clock: Clock) -> None:
        self.id: int = granted["id"]
        self.name: str = granted["model"]
        self.config: dict[str, Any] | None = granted.get("config")
        self.lost_because = ""
        self._connection: dict[str, Any] = granted["connection"]
        self._api, self._outbox, self._clock = api, outbox, clock
        self._records: deque[Record] = deque(maxlen=TAKEN_ALONG)
        self._owner = os.getpid()
        # Our clock and the manager's need not agree: times of its own are measured from the grant on.
        self._granted_at, self._received = read_time(granted["granted_at"]), clock.monotonic()
        self._ttl_s = 2 * float(granted["renew_after_s"])
        self._retries = pauses()
        self._release_path = f"/leases/{self.id}/release/"
        self._take(granted)
        self._over = threading.Event()
        threading.Thread(target=self._keep, name=f"model-manager-lease-{self.id}", daemon=True).start()

    @property
    def _is_ours(self) -> bool:
        return os.getpid() == self._owner

    @property
    def is_lost(self) -> bool:
        """Whether the lease ended against our will. The model may be unloaded at any moment then."""
        if not self.lost_because and self._is_ours and self._left_s() <= 0 and not self._over.is_set():
            self.lost_because = "it was not renewed in time"
        return bool(self.lost_because)

    @property
    def connection(self) -> dict[str, Any]:
        """Where and as what to call the model. Raises LeaseLost."""
        self._refuse_when_lost()
        return self._connection

    def report(
        self,
        *,
        latency_ms: float,
        outcome: str = "ok",
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        error_code: str = "",
        occurred_at: datetime | None = None,
    ) -> str:
        """Report one call, also after the lease was lost; the record's id. Raises ValueError for bad values."""
        record = make_record(
            self.name,
            latency_ms=latency_ms,
            outcome=outcome,
            occurred_at=occurred_at or self._clock.now(),
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            error_code=error_code,
            lease=self.id,
        )
        self._outbox.put(record)
        self._records.append(record)
        return str(record["event_id"])

    @contextmanager
    def call(self) -> Iterator[Call]:
        """Time one call and report it; an exception decides the outcome and goes on. Raises LeaseLost."""
        self._refuse_when_lost()
        call, began_at, began = Call(), self._clock.now(), self._clock.monotonic()
        try:
            yield call
        except BaseException as error:
            call.failed(error)
            raise
        finally:
            self.report(
                latency_ms=(self._clock.monotonic() - began) * 1000,
                outcome=call.outcome or "ok",
                input_tokens=call.input_tokens,
                output_tokens=call.output_tokens,
                error_code=call.error_code,
                occurred_at=began_at,
            )

    def release(self) -> None:
        """End the lease, taking along what was reported; once is enough.

        Raises nothing: a release that found no answer is repeated in the background until the lease has run out by
        itself, and its records go the usual way.
        """
        if self._over.is_set() or not self._is_ours:
            return
        self._over.set()
        try:
            self._release(self._outbox.unsettled(tuple(self._records)))
        except ModelManagerError as failure:
            logger.info("The lease on %s could not be released at once: %s", self.name, failure)
            if failure.is_temporary:
                threading.Thread(
                    target=self._release_later, name=f"model-manager-release-{self.id}", daemon=True
                ).start()

    def __enter__(self) -> "LeasedModel":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.release()

    def _release(self, records: list[Record]) -> None:
        try:
            self._api.post(self._release_path, {"usage": records} if records else {})
        except Refused as refusal:
            if refusal.is_temporary or not records:
                raise
            self._api.post(self._release_path, {})  # one of the records may be at fault: they go the usual way
        else:
            self._outbox.settle(records)

    def _release_later(self) -> None:
        try:
            patiently(
                lambda _left_s: self._api.post(self._release_path, {}), patience_s=self._left_s(), clock=self._clock
            )
        except ModelManagerError as failure:
            logger.warning("The lease on %s was not released and runs out by itself: %s", self.name, failure)

    def _keep(self) -> None:
        pause: float | None = self._pause
        while pause is not None and not self._over.wait(pause):
            pause = self._renew()

    def _renew(self) -> float | None:
        """One try; seconds until the next, None when there is nothing left to renew."""
        try:
            self._take(self._api.post(f"/leases/{self.id}/renew/", {}))
        except ModelManagerError as failure:
            if isinstance(failure, Refused) and not failure.is_temporary and failure.status < 500:
                self._lose(str(failure))
                return None
            return self._try_again(failure)
        except Exception as error:
            logger.exception("The lease on %s could not be renewed.", self.name)
            return self._try_again(ModelManagerError(str(error)))
        self._retries = pauses()
        return self._pause

    def _try_again(self, failure: ModelManagerError) -> float | None:
        if self.is_lost:
            logger.warning("The lease on %s is lost, %s: %s", self.name, self.lost_because, failure)
            return None
        pause = max(min(next(self._retries), LONGEST_RETRY_S), failure.retry_after_s or 0.0)
        return min(pause, self._left_s())

    def _take(self, lease: dict[str, Any]) -> None:
        """What an answer tells of the lease's end, and when to renew: sooner when it ends soon, as in a drain."""
        lasts_s = (read_time(lease["expires_at"]) - self._granted_at).total_seconds()
        self._ends = min(self._received + lasts_s, self._clock.monotonic() + self._ttl_s)
        self._pause = max(SHORTEST_PAUSE_S, min(float(lease["renew_after_s"]), self._left_s() / 2))

    def _lose(self, reason: str) -> None:
        if not self._over.is_set():
            self.lost_because = reason
            logger.warning("The lease on %s is lost: %s", self.name, reason)

    def _left_s(self) -> float:
        return self._ends - self._clock.monotonic()

    def _refuse_when_lost(self) -> None:
        if self.is_lost:
            raise LeaseLost(f"the lease on {self.name} is lost: {self.lost_because}")

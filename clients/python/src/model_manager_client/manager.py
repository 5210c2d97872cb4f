"""The manager, as a system that uses models sees it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

from model_manager_client.api import Api, patiently
from model_manager_client.clock import Clock
from model_manager_client.lease import LeasedModel
from model_manager_client.outbox import Counts, Outbox
from model_manager_client.records import make_record
from model_manager_client.spool import Spool

LONGEST_WAIT_S = 60.0
MEGABYTE = 1024 * 1024


class ModelManager:
    """Leases models and reports their use; for all threads of a process, and for its forked children.

    `spool_dir` keeps usage records until the manager has them. It belongs to one system (one client of the
    manager); its processes may share it, and whatever one leaves behind the next one sends. Without it records
    wait in a temporary folder, and are lost when the process is.
    Nothing is asked of the network, and no thread started, before the first use.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        spool_dir: "str | os.PathLike[str] | None" = None,
        instance: str = "",
        timeout_s: float = 10.0,
        send_every_s: float = 2.0,
        max_spool_mb: float = 64.0,
        fsync_each: bool = False,
        verify: bool | str = True,
        trust_env: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self.url, self._instance, self._clock = url, instance, clock or Clock()
        self._api = Api(url, key, timeout_s=timeout_s, verify=verify, trust_env=trust_env)
        folder = Path(spool_dir) if spool_dir else Path(tempfile.gettempdir()) / f"model-manager-{os.urandom(8).hex()}"
        self._is_temporary = not spool_dir
        self._spool = Spool(folder, max_bytes=int(max_spool_mb * MEGABYTE), fsync_each=fsync_each, clock=self._clock)
        self._outbox = Outbox(self._api, self._spool, send_every_s=send_every_s, clock=self._clock)

    def acquire(
        self,
        model: str,
        *,
        wait_s: float = 0.0,
        patience_s: float | None = None,
        ttl_s: int = 60,
        instance: str | None = None,
    ) -> LeasedModel:
        """A lease on the model, to be ended by `release`; mostly `with manager.lease(…)` is what you want.

        The manager lets one request wait for the model for `wait_s`, at most 60 s. What is only temporary (503,
        429, no answer) is asked for again, when it says, until `patience_s` are over (default: `wait_s`).
        Raises ModelInactive, ModelActivating, GpuBusy, ModelError, ProviderUnreachable … or NoAnswer.
        """
        self._outbox.start()
        wish = {"model": model, "ttl_s": ttl_s, "instance": self._instance if instance is None else instance}
        attempt = partial(self._ask, wish, wait_s)
        granted = patiently(attempt, patience_s=wait_s if patience_s is None else patience_s, clock=self._clock)
        return LeasedModel(self._api, self._outbox, granted, clock=self._clock)

    @contextmanager
    def lease(
        self,
        model: str,
        *,
        wait_s: float = 0.0,
        patience_s: float | None = None,
        ttl_s: int = 60,
        instance: str | None = None,
    ) -> Iterator[LeasedModel]:
        """`with manager.lease("bge-reranker", wait_s=30) as model:`; released at the end. Raises as `acquire`."""
        with self.acquire(model, wait_s=wait_s, patience_s=patience_s, ttl_s=ttl_s, instance=instance) as leased:
            yield leased

    def report(
        self,
        model: str,
        *,
        latency_ms: float,
        outcome: str = "ok",
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        error_code: str = "",
        occurred_at: datetime | None = None,
        config: int | None = None,
        event_id: str = "",
    ) -> str:
        """Report one call made without a lease; the record's id. Raises ValueError for bad values, nothing else."""
        record = make_record(
            model,
            latency_ms=latency_ms,
            outcome=outcome,
            occurred_at=occurred_at or self._clock.now(),
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            error_code=error_code,
            config=config,
            event_id=event_id,
        )
        self._outbox.put(record)
        return str(record["event_id"])

    @property
    def counts(self) -> Counts:
        """What became of the records that this process sent (those sent with a release are not counted)."""
        return self._outbox.counts

    def flush(self, *, timeout_s: float = 10.0) -> bool:
        """Send what waits, now; whether nothing is left in the spool."""
        return self._outbox.flush(timeout_s=timeout_s)

    def close(self, *, timeout_s: float = 5.0) -> bool:
        """Flush and end; what could not be sent stays in the spool. Whether nothing is left there."""
        is_all = self._outbox.close(timeout_s=timeout_s)
        if self._is_temporary and is_all and self._spool.folder.exists() and not any(self._spool.folder.iterdir()):
            self._spool.folder.rmdir()
        return is_all

    def __enter__(self) -> "ModelManager":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"ModelManager({self.url!r})"

    def _ask(self, wish: dict[str, Any], wait_s: float, left_s: float) -> dict[str, Any]:
        wait_s = min(wait_s, left_s, LONGEST_WAIT_S)
        granted: dict[str, Any] = self._api.post("/leases/", {**wish, "wait_s": wait_s}, wait_s=wait_s)
        return granted

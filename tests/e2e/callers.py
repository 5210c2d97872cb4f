"""Systems that lease and release without pause, and remember what they were told."""

import threading
from collections import Counter
from typing import Any, Self

import requests

from tests.e2e.caller import Caller
from tests.e2e.product import RunningProduct


class Busy:
    """`with Busy(product, model, threads=4) as busy`: pairs of acquire and release until the end of the block.

    `granted` and `released` hold the ids of the leases whose 201 and 200 arrived, `refused` counts other answers.
    """

    def __init__(self, product: RunningProduct, model: str, *, threads: int) -> None:
        self.granted: list[int] = []
        self.released: list[int] = []
        self.refused: Counter[str] = Counter()
        self.cut = 0  # requests that got no answer
        self._product, self._model = product, model
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._work) for _ in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        api = Caller(self._product.url, self._product.client_key)
        while not self._over.is_set():
            try:
                self._pair(api)
            except requests.RequestException:
                self.cut += 1
                self._over.wait(0.05)

    def _pair(self, api: Caller) -> None:
        lease = api.acquire(self._model, ttl_s=60)
        if lease.status != 201:
            self.refused[f"{lease.status} {lease.code}"] += 1
            return
        self.granted.append(lease.body["id"])
        released = api.call("POST", f"/leases/{lease.body['id']}/release/")
        if released.status == 200:
            self.released.append(lease.body["id"])
        else:
            self.refused[f"{released.status} {released.code}"] += 1


def assert_nothing_acknowledged_is_lost(api: Caller, model: str, busy: Busy) -> None:
    """Every grant is a row, every release closed it, and the counter equals the rows."""
    rows = {row["id"]: row for row in all_leases(api, model)}
    assert busy.granted, "nobody was served"
    assert set(busy.granted) <= set(rows)
    assert [one for one in busy.released if rows[one]["closed_at"] is None] == []
    open_rows = sum(row["closed_at"] is None for row in rows.values())
    assert api.model(model)["open_leases"] == open_rows


def all_leases(api: Caller, model: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    page = 1
    while True:
        body = api.get(f"/leases/?model={model}&page_size=500&page={page}")
        rows += body["results"]
        if body["next"] is None:
            return rows
        page += 1

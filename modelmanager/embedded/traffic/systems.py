"""The live part: each system leases the models it uses, calls them, and reports through the client."""

import random
import threading
import time

import requests
from model_manager_client import LeasedModel, LeaseLost, ModelManager, ModelManagerError, Refused

from modelmanager.embedded.traffic.inference import ModelRefused, infer
from modelmanager.embedded.traffic.story import System, Use
from modelmanager.embedded.traffic.tally import Tally

HOLD_S = 5.0
LEASE_WAIT_S, PATIENCE_S, TTL_S = 15.0, 30.0, 30
AFTER_A_REFUSAL_S = 2.0
HOURS = 24.0


class LiveSystem(threading.Thread):
    """One system at work until `over`; a day passes in `day_s` seconds. A daemon: nobody waits for its waits."""

    def __init__(
        self, system: System, manager: ModelManager, *, day_s: float, tally: Tally, over: threading.Event
    ) -> None:
        super().__init__(name=system.name, daemon=True)
        self._system, self._manager, self._tally, self._over = system, manager, tally, over
        self._day_s, self._began = day_s, time.monotonic()
        self._chance = random.Random()

    def run(self) -> None:
        while not self._over.is_set():
            weights = [use.calls_an_hour for use in self._system.uses]
            (use,) = self._chance.choices(self._system.uses, weights)
            try:
                self._use(use)
            except LeaseLost:
                self._tally.refusal("lease_lost")
            except ModelManagerError as refusal:
                self._tally.refusal(refusal.code if isinstance(refusal, Refused) else "no_answer")
                self._over.wait(refusal.retry_after_s or AFTER_A_REFUSAL_S)

    def _use(self, use: Use) -> None:
        """A few calls under one lease, and the pause after it. Raises ModelManagerError when there is none to be had.

        A lease is not held through a pause: others may want the room.
        """
        ends = time.monotonic() + HOLD_S
        with self._manager.lease(use.model, wait_s=LEASE_WAIT_S, patience_s=PATIENCE_S, ttl_s=TTL_S) as model:
            self._tally.lease()
            while not self._over.is_set():
                self._call(use, model)
                pause_s = self._pause_s()
                if time.monotonic() + pause_s > ends:
                    break
                self._over.wait(pause_s)
        self._over.wait(self._pause_s())

    def _call(self, use: Use, model: LeasedModel) -> None:
        to, began, failed = model.connection, time.monotonic(), True
        faulty = self._chance.random() < use.failing
        try:
            with model.call() as call:
                told = infer(to["url"], to["model_name"], chance=self._chance, faulty=faulty)
                call.input_tokens, call.output_tokens = told
            failed = False
        except (ModelRefused, requests.RequestException):
            pass  # the call has reported it
        took_ms = (time.monotonic() - began) * 1000
        self._tally.call(self._system.name, use.model, took_ms=took_ms, failed=failed)

    def _pause_s(self) -> float:
        hour = (time.monotonic() - self._began) / self._day_s * HOURS % HOURS
        rate = self._system.calls_a_second * max(0.1, self._system.day.share(hour))
        return self._chance.uniform(0.5, 1.5) / rate

"""The three Tritons that must behave alike: the fake in-process, the fake over HTTP, and the real one."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from models_registry.providers.gateway import TritonGateway
from models_registry.providers.observation import RemoteState
from models_registry.providers.triton import HttpTritonGateway
from tests.triton.fake import FakeModel, FakeTriton
from tests.triton.fake_server import FakeTritonServer
from tests.triton.real import RealTriton, broken_model, slow_model

TIMEOUT_S, POST_TIMEOUT_S = 1.0, 1.5
PATIENCE_S = 20.0


class World(Protocol):
    """A Triton with `gateway` to it, and what a test does to it from outside."""

    gateway: TritonGateway

    def add(self, name: str, *, load_s: float = 0.0, size_mb: int = 0, failure: str = "") -> None: ...
    def call(self, name: str, *, fails: bool = False) -> None: ...
    def forget(self, name: str) -> None: ...
    def set_budget(self, budget_mb: int) -> None: ...
    def pause(self) -> None: ...
    def kill(self) -> None: ...
    def start(self) -> None: ...
    def freeze(self) -> None: ...
    def thaw(self) -> None: ...


def wait_until(world: World, condition: Callable[[], bool]) -> None:
    """Let the world's time pass until `condition` holds."""
    give_up_at = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < give_up_at, "it did not happen in time"
        world.pause()


def wait_for(world: World, name: str, state: RemoteState) -> None:
    wait_until(world, lambda: world.gateway.observe().of(name).state == state)


class _FakeWorld:
    def __init__(self, fake: FakeTriton) -> None:
        self.fake = fake

    def add(self, name: str, *, load_s: float = 0.0, size_mb: int = 0, failure: str = "") -> None:
        message = f"Internal: RuntimeError: {failure}" if failure else ""
        self.fake.add(FakeModel(name, load_s=load_s, unload_s=0.3, size_mb=size_mb, failure=message))

    def call(self, name: str, *, fails: bool = False) -> None:
        self.fake.call(name, fails=fails)

    def forget(self, name: str) -> None:
        self.fake.forget(name)

    def set_budget(self, budget_mb: int) -> None:
        self.fake.budget_mb = budget_mb

    def freeze(self) -> None:
        self.fake.hang = True

    def thaw(self) -> None:
        self.fake.hang = False


class InProcess(_FakeWorld):
    """No waiting: time passes when the test says so."""

    def __init__(self) -> None:
        super().__init__(FakeTriton())
        self.gateway: TritonGateway = self.fake

    def pause(self) -> None:
        self.fake.advance(0.05)

    def kill(self) -> None:
        self.fake.down = True

    def start(self) -> None:
        self.fake.restart()

    def close(self) -> None:
        pass


class OverHttp(_FakeWorld):
    """The fake behind Triton's endpoints, asked by the real gateway."""

    def __init__(self) -> None:
        super().__init__(FakeTriton(clock=time.monotonic))
        self._server = FakeTritonServer(self.fake).start()
        self._port = int(self._server.url.rpartition(":")[2])
        self.gateway: TritonGateway = HttpTritonGateway(
            self._server.url, timeout_s=TIMEOUT_S, post_timeout_s=POST_TIMEOUT_S
        )

    def pause(self) -> None:
        time.sleep(0.02)

    def kill(self) -> None:
        self._server.stop()

    def start(self) -> None:
        self.fake.restart()
        self._server = FakeTritonServer(self.fake, self._port).start()

    def close(self) -> None:
        self.gateway.close()
        self._server.stop()


class Real:
    """A real server; one for all tests of a module, each with models of its own."""

    def __init__(self, folder: Path) -> None:
        self.triton = RealTriton(folder, []).start()
        self.gateway: TritonGateway = HttpTritonGateway(
            self.triton.url,
            metrics_url=self.triton.metrics_url,
            timeout_s=TIMEOUT_S,
            post_timeout_s=POST_TIMEOUT_S,
        )

    def add(self, name: str, *, load_s: float = 0.0, size_mb: int = 0, failure: str = "") -> None:
        if failure:
            self.triton.add(broken_model(name, failure, load_s=load_s))
        else:
            self.triton.add(slow_model(name, load_s, size_mb))

    def call(self, name: str, *, fails: bool = False) -> None:
        self.triton.infer(name, ["fail" if fails else "hello"])

    def forget(self, name: str) -> None:
        self.triton.remove(name)

    def set_budget(self, budget_mb: int) -> None:
        settings = {"budget_mb": budget_mb, "time_scale": 1.0}
        (self.triton.repository / "gpu.json").write_text(json.dumps(settings))

    def pause(self) -> None:
        time.sleep(0.02)

    def kill(self) -> None:
        self.triton.kill()

    def start(self) -> None:
        self.triton.start()

    def freeze(self) -> None:
        self.triton.freeze()

    def thaw(self) -> None:
        self.triton.thaw()

    def close(self) -> None:
        self.gateway.close()
        self.triton.kill()


def loaded(world: World, name: str, **settings: Any) -> None:
    world.add(name, **settings)
    world.gateway.post_load(name)
    wait_for(world, name, RemoteState.READY)


def changed(config: dict[str, Any] | None) -> dict[str, Any]:
    """The configuration with a note that makes it another one."""
    assert config is not None
    return config | {"parameters": config.get("parameters", {}) | {"note": {"string_value": "changed"}}}


def note_of(config: dict[str, Any] | None) -> str:
    assert config is not None
    return config.get("parameters", {}).get("note", {}).get("string_value", "")

"""The Triton servers of a benchmark: the real one where it runs, else the tests' fake behind the same endpoints."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.callers import Caller
from benchmarks.stage import StageFailed, running, wait_for
from modelmanager.embedded.triton import TritonUnsupported
from tests.triton.real import RealTriton, slow_model


@dataclass(frozen=True)
class Server:
    """A running server, by its address; `kind` says which it is."""

    url: str
    kind: str

    def load(self, name: str) -> None:
        """Load a model by the server's own hand; returns when it is loaded."""
        Caller(self.url).call("POST", f"/v2/repository/models/{name}/load", {}, expect=200)

    def unload(self, name: str) -> None:
        """Unload a model by the server's own hand; returns when its memory is free, asking every 5 ms."""
        caller = Caller(self.url)
        caller.call("POST", f"/v2/repository/models/{name}/unload", {}, expect=200)
        wait_for(lambda: self._is_unloaded(caller, name), what=f"the unload of {name}", every_s=0.005)

    def _is_unloaded(self, caller: Caller, name: str) -> bool:
        rows = caller.call("POST", "/v2/repository/index", {}, expect=200).json()
        return all(row.get("state", "UNAVAILABLE") == "UNAVAILABLE" for row in rows if row["name"] == name)


@contextlib.contextmanager
def some_triton(*, models: int, load_s: float = 0.0, fake: bool = False) -> Iterator[Server]:
    """A server that offers model-000, model-001 …, each of which takes `load_s` (and a little more) to load."""
    with contextlib.ExitStack() as leaving:
        server = None if fake else _real(leaving, models, load_s)
        if server is None:
            url = leaving.enter_context(fake_servers(1, models=models, load_s=load_s))[0]
            server = Server(url, "fake Triton (Python)")
        yield server


def _real(leaving: contextlib.ExitStack, models: int, load_s: float) -> Server | None:
    folder = Path(leaving.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-triton-")))
    offered = [slow_model(f"model-{number:03d}", load_s=load_s) for number in range(models)]
    try:
        started = leaving.enter_context(RealTriton(folder, offered))
    except TritonUnsupported as reason:
        print(f"{reason} A fake server stands in.", file=sys.stderr)
        return None
    except RuntimeError as error:
        raise StageFailed(str(error)) from error
    version = Caller(started.url).call("GET", "/v2", expect=200).json()["version"]
    return Server(started.url, f"real Triton {version}")


@contextlib.contextmanager
def fake_servers(count: int, *, models: int, load_s: float = 0.1, unload_s: float = 1.2) -> Iterator[list[str]]:
    """The addresses of so many fake servers, all in one other process."""
    with contextlib.ExitStack() as leaving:
        folder = Path(leaving.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-fakes-")))
        told = folder / "urls"
        argv = [sys.executable, "-m", "benchmarks.fake_servers", f"--servers={count}", f"--models={models}"]
        leaving.enter_context(
            running([*argv, f"--load-s={load_s}", f"--unload-s={unload_s}"], env=os.environ, log=told)
        )
        wait_for(lambda: told.read_text().count("\n") >= count, what=f"{count} fake servers")
        yield told.read_text().split()[:count]

"""The running product on a real Triton of the test's own, whose models share one simulated GPU."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from modelmanager.embedded.repository import DemoModel
from tests.e2e.caller import Caller
from tests.e2e.product import RunningProduct, started_product
from tests.triton import direct
from tests.triton.real import RealTriton

PROVIDER = "triton"


class Stage(NamedTuple):
    """A product, a caller with every scope, and the real Triton."""

    product: RunningProduct
    api: Caller
    triton: RealTriton

    def set_up(self, name: str, **fields: Any) -> None:
        """Change a model's settings."""
        self.api.must("PATCH", f"/models/{name}/", fields)

    def set_up_server(self, **fields: Any) -> None:
        """Change the server's limits."""
        self.api.must("PATCH", f"/providers/{PROVIDER}/", fields)

    def is_ready(self, name: str) -> bool:
        """Triton's own word at this moment."""
        return direct.is_ready(self.triton.url, name)

    def loads(self, name: str = "") -> int:
        """How often Triton began to load the model (or any), by its own log."""
        return self._logged(f'"loading: {name}:' if name else '"loading: ')

    def ran_out_of_memory(self) -> bool:
        """Whether any load ever failed for want of memory, by Triton's own log."""
        return bool(self._logged("out of memory"))

    def _logged(self, text: str) -> int:
        return self.triton.log.read_text(errors="replace").count(text)


@contextlib.contextmanager
def product_on_own_triton(
    folder: Path, models: Sequence[DemoModel], *, budget_mb: int, env: Mapping[str, str] | None = None
) -> Iterator[Stage]:
    """Everything started, the models registered with their sizes, and the server told that it has `budget_mb`."""
    with (
        RealTriton(folder / "triton", models, budget_mb=budget_mb) as triton,
        started_product(folder / "data", {**(env or {}), "TRITON_URL": triton.url}) as product,
    ):
        stage = Stage(product, Caller(product.url, product.client_key), triton)
        for model in models:
            stage.set_up(model.name, gpu_memory_mb=model.gpu_memory_mb)
        stage.set_up_server(gpu_memory_mb=budget_mb, max_loaded_models=None)
        yield stage

"""Which of the real Triton's counters counts requests, whatever they hold and however it batches them."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields
from pathlib import Path

import pytest

from modelmanager.embedded.repository import DemoModel, write_model
from models_registry.providers.counters import Counters
from models_registry.providers.triton import HttpTritonGateway
from tests.triton.real import RealTriton, slow_model

pytestmark = pytest.mark.triton

CODE = """
import triton_python_backend_utils as pb
from simulated_gpu import SimulatedModel


class TritonPythonModel(SimulatedModel):
    def execute(self, requests):
        texts = [pb.get_input_tensor_by_name(request, "TEXT").as_numpy() for request in requests]
        return [pb.InferenceResponse(output_tensors=[pb.Tensor("ECHO", text)]) for text in texts]
"""


class Batching(DemoModel):
    """Takes up to 8 texts at once, and waits 0.3 s for requests that it can serve together."""

    def config(self) -> str:
        text = super().config().replace("max_batch_size: 0", "max_batch_size: 8").replace("dims: [-1]", "dims: [1]")
        return text + "dynamic_batching { max_queue_delay_microseconds: 300000 }\n"


@pytest.fixture
def triton(triton_installation: object, tmp_path: Path) -> Iterator[RealTriton]:
    echo = slow_model("batching")
    with RealTriton(tmp_path, []) as server:
        model = Batching(**{field.name: getattr(echo, field.name) for field in fields(echo)})
        write_model(server.repository, model, code=CODE)
        yield server


def test_requests_are_counted_not_what_they_hold_nor_how_they_are_batched(triton: RealTriton) -> None:
    gateway = HttpTritonGateway(triton.url)
    gateway.post_load("batching")
    assert triton.infer("batching", ["a", "b", "c"], shape=[3, 1]) == 200
    with ThreadPoolExecutor(4) as threads:
        answers = list(threads.map(lambda text: triton.infer("batching", [text], shape=[1, 1]), "abcd"))
    assert answers == [200] * 4
    assert triton.infer("batching", ["a"] * 9, shape=[9, 1]) == 400  # refused before it reaches the model

    (counted,) = gateway.counters()
    raw = gateway._ask(lambda client: client.get_inference_statistics())["model_stats"][0]
    gateway.close()
    assert (counted.succeeded, counted.failed) == (5, 0)
    assert raw["inference_count"] == 7
    assert raw["execution_count"] < 5
    assert isinstance(counted, Counters)

"""Fails to load, as a model does whose files are damaged: found while reading them, before any memory is taken."""

import json
import time
from typing import Any

from simulated_gpu import settings


class TritonPythonModel:
    def initialize(self, args: dict[str, str]) -> None:
        parameters = json.loads(args["model_config"])["parameters"]
        time.sleep(float(parameters["load_s"]["string_value"]) * settings()["time_scale"])
        raise RuntimeError("the weights are damaged: checksum of model.safetensors does not match its index")

    def execute(self, requests: list[Any]) -> list[Any]:
        return []

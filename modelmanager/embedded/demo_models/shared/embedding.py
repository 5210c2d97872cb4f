"""The two embedding models differ in their number of dimensions only."""

from typing import Any

import numpy as np
from simulated_gpu import SimulatedModel
from text import answer, embed, strings


class EmbeddingModel(SimulatedModel):
    dimensions = 64

    def execute(self, requests: list[Any]) -> list[Any]:
        return [self._embed_all(strings(request, "TEXT")) for request in requests]

    def _embed_all(self, texts: list[str]) -> Any:
        rows = [embed(text, self.dimensions) for text in texts]
        return answer(EMBEDDING=np.stack(rows) if rows else np.zeros((0, self.dimensions), dtype=np.float32))

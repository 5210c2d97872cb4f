"""Scores passages by what they share with the query: words count more than likeness."""

from typing import Any

import numpy as np
from simulated_gpu import SimulatedModel
from text import answer, embed, strings, words

DIMENSIONS = 256


class TritonPythonModel(SimulatedModel):
    def execute(self, requests: list[Any]) -> list[Any]:
        return [self._score_all(request) for request in requests]

    def _score_all(self, request: Any) -> Any:
        query = " ".join(strings(request, "QUERY"))
        scores = [score(query, passage) for passage in strings(request, "PASSAGES")]
        return answer(SCORES=np.array(scores, dtype=np.float32))


def score(query: str, passage: str) -> float:
    """From 0 to 1: 70 % the share of the query's words found, 30 % the cosine of the two."""
    wanted, found = set(words(query)), set(words(passage))
    overlap = len(wanted & found) / len(wanted) if wanted else 0.0
    cosine = float(embed(query, DIMENSIONS) @ embed(passage, DIMENSIONS))
    return 0.7 * overlap + 0.3 * max(cosine, 0.0)

"""Embedding with 64 dimensions."""

from embedding import EmbeddingModel


class TritonPythonModel(EmbeddingModel):
    dimensions = 64

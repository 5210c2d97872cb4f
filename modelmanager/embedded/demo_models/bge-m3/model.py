"""Embedding with 256 dimensions."""

from embedding import EmbeddingModel


class TritonPythonModel(EmbeddingModel):
    dimensions = 256

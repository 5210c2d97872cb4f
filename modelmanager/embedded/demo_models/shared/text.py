"""Small real work on Korean and English text, shared by the demo models."""

import re
import zlib
from typing import Any

import numpy as np
import triton_python_backend_utils as pb

_WORD = re.compile(r"[0-9A-Za-z]+|[가-힣]+")
_SENTENCE = re.compile(r"(?<=[.!?。])\s+|\n+")
# Particles that follow a Korean noun; the longest first.
_PARTICLES = (
    "으로부터",
    "에서는",
    "으로는",
    "에게서",
    "이라는",
    "으로",
    "에서",
    "에게",
    "까지",
    "부터",
    "처럼",
    "보다",
    "하고",
    "은",
    "는",
    "이",
    "가",
    "을",
    "를",
    "의",
    "에",
    "와",
    "과",
    "도",
    "로",
    "만",
)


def words(text: str) -> list[str]:
    """Lower-case words, Korean ones without the particle at their end."""
    return [_stem(word.lower()) for word in _WORD.findall(text)]


def _stem(word: str) -> str:
    for particle in _PARTICLES:
        if word.endswith(particle) and len(word) - len(particle) >= 2:
            return word[: -len(particle)]
    return word


def sentences(text: str) -> list[str]:
    return [sentence.strip() for sentence in _SENTENCE.split(text) if sentence.strip()]


def embed(text: str, dimensions: int) -> np.ndarray:
    """A unit vector of hashed words and character trigrams: texts that share them are near each other."""
    vector = np.zeros(dimensions, dtype=np.float32)
    for word in words(text):
        padded = f"<{word}>"
        for gram in {word, *(padded[i : i + 3] for i in range(len(padded) - 2))}:
            bits = zlib.crc32(gram.encode())
            vector[bits % dimensions] += 1.0 if bits & 0x80000000 else -1.0
    length = float(np.linalg.norm(vector))
    return vector / length if length else vector


def strings(request: Any, name: str) -> list[str]:
    """The texts of a TYPE_STRING input, flat."""
    tensor = pb.get_input_tensor_by_name(request, name)
    return [value.decode("utf-8", errors="replace") for value in tensor.as_numpy().reshape(-1)]


def answer(**outputs: Any) -> Any:
    """A response from numpy arrays and lists of texts."""
    tensors = []
    for name, value in outputs.items():
        if isinstance(value, list):
            value = np.array([text.encode() for text in value], dtype=np.object_)
        tensors.append(pb.Tensor(name, value))
    return pb.InferenceResponse(output_tensors=tensors)

"""What a configuration document may hold, as JSON Schema (2020-12), by kind of model.

A key that its kind does not know is refused, since one that is mistyped would have no effect and nobody
would know; `extra` is free. Models of kind `other` are free altogether. `triton` is for Triton models only.
"""

import json
from functools import cache
from pathlib import Path
from typing import Any

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).parent
OPEN_KIND = "other"
NOT_THERE: dict[str, Any] = {"not": {}}


@cache
def schema_of(kind: str, *, on_triton: bool) -> dict[str, Any]:
    """The schema of a document for models of this kind, on Triton or at an API provider."""
    own = {} if kind == OPEN_KIND else _read(kind)
    load = {"triton": _read("triton") if on_triton else NOT_THERE}
    return {
        "$schema": DIALECT,
        "title": f"Configuration of a model of kind {kind}",
        "type": "object",
        "properties": {**own, **_read("common"), **load},
        "additionalProperties": kind == OPEN_KIND,
    }


def _read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return found

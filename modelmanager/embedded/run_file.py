"""`DATA_DIR/run.json`: where the running product is, for tools that drive it."""

import json
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class RunFile:
    """Written whole (never half), readable by the owner only, rewritten when its content changes."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written: dict[str, Any] | None = None

    def write(self, content: Mapping[str, Any]) -> bool:
        """Publish `content`; False when it is what stands there already."""
        if self._written == content:
            return False
        write_private(self.path, json.dumps(content, indent=2) + "\n")
        self._written = json.loads(json.dumps(content))
        return True

    def remove(self) -> None:
        """Take it away; fine when there is none."""
        self.path.unlink(missing_ok=True)
        self._written = None


def write_private(path: Path, text: str) -> None:
    """Replace `path` by `text` in one step, mode 0600."""
    handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(draft).replace(path)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise

"""Windows in the console."""

from modelmanager.console.windows.page import WindowAdmin

__all__ = ["WindowAdmin"]

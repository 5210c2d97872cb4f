"""The pages about models."""

from modelmanager.console.models.page import ModelAdmin

__all__ = ["ModelAdmin"]

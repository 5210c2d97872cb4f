"""The pages about providers."""

from modelmanager.console.providers.page import ProviderAdmin

__all__ = ["ProviderAdmin"]

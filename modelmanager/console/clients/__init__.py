"""The pages about clients and their keys."""

from modelmanager.console.clients.keys import ClientKeyAdmin
from modelmanager.console.clients.page import ClientAdmin

__all__ = ["ClientAdmin", "ClientKeyAdmin"]

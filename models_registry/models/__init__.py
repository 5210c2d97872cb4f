"""Tables of the registry."""

from models_registry.models.audit import AuditEntry
from models_registry.models.config import ConfigUse, ConfigVersion, ServerConfig
from models_registry.models.event import StatusEvent
from models_registry.models.model import RegisteredModel
from models_registry.models.price import ModelPrice
from models_registry.models.provider import Provider
from models_registry.models.window import Window

__all__ = [
    "AuditEntry",
    "ConfigUse",
    "ConfigVersion",
    "ModelPrice",
    "Provider",
    "RegisteredModel",
    "ServerConfig",
    "StatusEvent",
    "Window",
]

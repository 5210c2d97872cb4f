"""Tables of the registry."""

from models_registry.models.event import StatusEvent
from models_registry.models.model import ConfigVersion, RegisteredModel
from models_registry.models.provider import Provider

__all__ = ["ConfigVersion", "Provider", "RegisteredModel", "StatusEvent"]

"""The words of the design, as values: stored, served and translated."""

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

SYSTEM = "system"  # the actor of what nobody in particular did


class ProviderKind(models.TextChoices):
    TRITON = "triton", "NVIDIA Triton"
    OPENAI = "openai", "OpenAI"
    AZURE_OPENAI = "azure_openai", "Azure OpenAI"
    OPENAI_COMPATIBLE = "openai_compatible", _("OpenAI-compatible")


class ModelKind(models.TextChoices):
    CHAT = "chat", _("Chat")
    EMBEDDING = "embedding", _("Embedding")
    RERANK = "rerank", _("Rerank")
    PREPROCESSING = "preprocessing", _("Preprocessing")
    OTHER = "other", _("Other")


class Policy(models.TextChoices):
    MANUAL = "manual", _("Manual")
    SCHEDULED = "scheduled", _("Scheduled")
    ON_DEMAND = "on_demand", _("On demand")


class SwitchState(models.TextChoices):
    AUTO = "auto", _("Automatic")
    ON = "on", _("On")
    OFF = "off", _("Off")


class Observed(models.TextChoices):
    """What the provider last said about the model."""

    UNKNOWN = "unknown", _("Unknown")
    ABSENT = "absent", _("Absent")
    UNLOADED = "unloaded", _("Unloaded")
    LOADING = "loading", _("Loading")
    READY = "ready", _("Ready")
    UNLOADING = "unloading", _("Unloading")
    FAILED = "failed", _("Failed")


class ErrorCode(models.TextChoices):
    NONE = "", ""
    MISSING = "missing", _("Missing from the provider")
    NOT_LOADED = "not_loaded", _("Not loaded any more")
    LOAD_FAILED = "load_failed", _("Loading failed")
    ACTIVATION_TIMEOUT = "activation_timeout", _("Activation timed out")
    PROVIDER_UNREACHABLE = "provider_unreachable", _("Provider unreachable")
    CREDENTIAL_INVALID = "credential_invalid", _("Credential invalid")
    NOT_OFFERED = "not_offered", _("Not offered by the provider")


class Status(models.IntegerChoices):
    """Where a model stands, in lifecycle order; gaps leave room for more."""

    REGISTERED = 10, _("Registered")
    ACTIVATING = 20, _("Activating")
    ACTIVE = 30, _("Active")
    RECOVERED = 40, _("Recovered")
    IN_USE = 50, _("In use")
    ERROR = 60, _("Error")

    @property
    def word(self) -> str:
        """The API's word for this status."""
        return self.name.lower()


class AuditKind(models.TextChoices):
    """What the audit trail tells about."""

    PROVIDER = "provider", _("Provider")
    MODEL = "model", _("Model")
    WINDOW = "window", _("Window")
    CLIENT = "client", _("Client")


class AuditAction(models.TextChoices):
    """What somebody did."""

    CREATED = "created", pgettext_lazy("deed", "Created")
    CHANGED = "changed", _("Changed")
    DELETED = "deleted", _("Deleted")
    RESTORED = "restored", _("Restored")
    KEY_REVEALED = "key_revealed", _("Key shown")
    KEY_PROMOTED = "key_promoted", _("Second key made the first")
    KEY_ISSUED = "key_issued", _("Key issued")
    KEY_REVOKED = "key_revoked", _("Key revoked")


RESIDENT = (Observed.LOADING, Observed.READY, Observed.UNLOADING)

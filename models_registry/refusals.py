"""Refusals of the registry."""

from modelmanager.lib.refusals import EditConflict, Refusal


class ModelInUse(Refusal):
    """The model is leased, bound, wanted or loaded; `impact` says what would break."""

    code = "model_in_use"


class ProviderInUse(Refusal):
    """Living models are served by this provider."""

    code = "provider_in_use"


class ModelTooLarge(Refusal):
    """The model could never fit its server, however much was evicted."""

    code = "model_too_large"


class RemoteTaken(Refusal):
    """Another living model stands for the same object of the provider."""

    code = "remote_taken"


class UrlTaken(Refusal):
    """Another living provider stands for the same Triton server."""

    code = "url_taken"


class NoSecondKey(Refusal):
    """The provider has one key only."""

    code = "no_second_key"


class KeyUnreadable(Refusal):
    """The stored key was encrypted with a key that this installation does not have."""

    code = "key_unreadable"


class ProviderDeleted(Refusal):
    """The model's provider is deleted; restore that first."""

    code = "provider_deleted"


class WindowDeleted(Refusal):
    """The model's window is deleted; restore that first."""

    code = "window_deleted"


class ProviderUnreachable(Refusal):
    """The provider is disabled or did not answer."""

    code = "provider_unreachable"
    status = 503


class WindowInUse(Refusal):
    """Living models follow this window."""

    code = "window_in_use"


class ConfigConflict(EditConflict):
    """Somebody made or applied a version meanwhile: `current` is that one, `diff` leads from it to what was sent."""

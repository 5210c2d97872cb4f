"""From names in addresses to rows."""

from django.utils.translation import gettext as _

from modelmanager.lib.refusals import NotFound
from models_registry.models import Provider, RegisteredModel


def provider_named(name: str) -> Provider:
    """The living provider of that name. Raises NotFound."""
    provider = Provider.objects.filter(live_name=name).first()
    if provider is None:
        raise NotFound(_("There is no such provider."))
    return provider


def model_named(name: str) -> RegisteredModel:
    """The living model of that name, with provider and config. Raises NotFound."""
    model = RegisteredModel.objects.select_related("provider", "config").filter(live_name=name).first()
    if model is None:
        raise NotFound(_("There is no such model."))
    return model


def deleted_provider(name: str) -> Provider:
    """The provider of that name that was deleted last, or the living one. Raises NotFound."""
    rows = Provider.all_objects.filter(name=name)
    provider = rows.filter(deleted_at__isnull=False).order_by("-deleted_at").first() or rows.first()
    if provider is None:
        raise NotFound(_("There is no such provider."))
    return provider


def deleted_model(name: str) -> RegisteredModel:
    """The model of that name that was deleted last, or the living one. Raises NotFound."""
    rows = RegisteredModel.all_objects.select_related("provider", "config").filter(name=name)
    model = rows.filter(deleted_at__isnull=False).order_by("-deleted_at").first() or rows.first()
    if model is None:
        raise NotFound(_("There is no such model."))
    return model

"""From names in addresses to rows."""

from typing import TypeVar

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from modelmanager.lib.refusals import NotFound
from models_registry.models import Provider, RegisteredModel, Window

Row = TypeVar("Row", Provider, RegisteredModel, Window)


def provider_named(name: str) -> Provider:
    """The living provider of that name. Raises NotFound."""
    provider = Provider.objects.filter(live_name=name).first()
    return _exactly(provider, name, _("There is no such provider."))


def model_named(name: str) -> RegisteredModel:
    """The living model of that name, with provider and config. Raises NotFound."""
    model = RegisteredModel.objects.select_related("provider", "config", "window").filter(live_name=name).first()
    return _exactly(model, name, _("There is no such model."))


def deleted_provider(name: str) -> Provider:
    """The provider of that name that was deleted last, or the living one. Raises NotFound."""
    rows = Provider.all_objects.filter(name=name)
    return _exactly(_last_deleted(rows), name, _("There is no such provider."))


def deleted_model(name: str) -> RegisteredModel:
    """The model of that name that was deleted last, or the living one. Raises NotFound."""
    rows = RegisteredModel.all_objects.select_related("provider", "config", "window").filter(name=name)
    return _exactly(_last_deleted(rows), name, _("There is no such model."))


def model_ever_named(name: str) -> RegisteredModel:
    """The living model of that name, or else the one that was deleted last. Raises NotFound."""
    rows = RegisteredModel.all_objects.filter(name=name)
    return _exactly(
        rows.filter(deleted_at__isnull=True).first() or _last_deleted(rows), name, _("There is no such model.")
    )


def window_named(name: str) -> Window:
    """The living window of that name. Raises NotFound."""
    window = Window.objects.filter(live_name=name).first()
    return _exactly(window, name, _("There is no such window."))


def deleted_window(name: str) -> Window:
    """The window of that name that was deleted last, or the living one. Raises NotFound."""
    rows = Window.all_objects.filter(name=name)
    return _exactly(_last_deleted(rows), name, _("There is no such window."))


def _last_deleted(rows: QuerySet[Row]) -> Row | None:
    """Of rows of one name the one that was deleted last, or the living one."""
    return rows.filter(deleted_at__isnull=False).order_by("-deleted_at").first() or rows.first()


def _exactly(row: Row | None, name: str, otherwise: str) -> Row:
    """The row found by that name. MariaDB also finds it by the name with blanks behind."""
    if row is None or row.name != name:
        raise NotFound(otherwise)
    return row

"""What keeps a model from being deleted, one by one, with the way to each."""

from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.translation import gettext as _

from modelmanager.console.deleting import Blocker
from modelmanager.console.words import short_time
from modelmanager.lib.clock import now
from models_registry.models import RegisteredModel
from models_registry.vocabulary import RESIDENT, Observed
from usage.services.impact import impact


def blockers(model: RegisteredModel) -> list[Blocker]:
    """Leases, bindings, the switch and the GPU; empty when nothing stands in the way."""
    held = impact(model)
    found = [Blocker(_lease(lease), _page("usage_lease", lease["id"])) for lease in held["leases"]]
    found += [Blocker(_binding(binding), _page("usage_binding", binding["id"])) for binding in held["bindings"]]
    own_page = _page("models_registry_registeredmodel", model.pk)
    if model.on_gpu and model.wanted:
        found.append(Blocker(_("It is switched on: deactivate it first."), own_page))
    if model.on_gpu and model.observed in RESIDENT:
        state = Observed(model.observed).label
        found.append(
            Blocker(_("It is on the GPU (%(state)s): wait until it is unloaded.") % {"state": state}, own_page)
        )
    return found


def _lease(lease: dict[str, Any]) -> str:
    words = {"client": lease["client"], "time": short_time(lease["expires_at"], now()), "instance": lease["instance"]}
    if lease["instance"]:
        return _("%(client)s (%(instance)s) is using it: the lease runs until %(time)s.") % words
    return _("%(client)s is using it: the lease runs until %(time)s.") % words


def _binding(binding: dict[str, Any]) -> str:
    return _("%(client)s is set up to use it as “%(reference)s”.") % binding


def _page(name: str, pk: int) -> str:
    try:
        return reverse(f"admin:{name}_change", args=[pk])
    except NoReverseMatch:
        return ""

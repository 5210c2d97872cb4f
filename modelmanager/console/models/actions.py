"""What can be done with a model."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import DELETION
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from unfold.widgets import UnfoldAdminTextInputWidget, UnfoldBooleanSwitchWidget

from modelmanager.console.actions import ObjectAction, Told
from modelmanager.console.actor import actor_of
from modelmanager.lib.clock import now
from models_registry.models import RegisteredModel
from models_registry.own_words import retold
from models_registry.services import switching
from models_registry.services.looking import verify_model
from models_registry.vocabulary import Observed, Policy, SwitchState
from monitoring.sync import Report, resync
from usage.services.impact import delete_model


class UntilForm(forms.Form):
    """Until when a switch holds."""

    until = forms.DateTimeField(
        label=gettext_lazy("Until"),
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
        help_text=gettext_lazy("Empty: until somebody says otherwise."),
    )


class DeactivateForm(UntilForm):
    """The same, and whether to wait for the leases."""

    force = forms.BooleanField(
        label=gettext_lazy("Revoke open leases at once"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=gettext_lazy("Otherwise they may go on for the drain time of its server."),
    )


def activate(request: HttpRequest, model: RegisteredModel, data: dict[str, Any]) -> Told:
    """Switch it on; loading it is begun, and not waited for."""
    until = data.get("until")
    switching.activate(model, actor=actor_of(request), until=until)
    return Told(_("%(model)s is switched on.") % {"model": model}, logged=_("Switched on.") + _until(until))


def deactivate(request: HttpRequest, model: RegisteredModel, data: dict[str, Any]) -> Told:
    """Switch it off; open leases drain, or with `force` are revoked at once."""
    until, force = data.get("until"), bool(data.get("force"))
    switching.deactivate(model, actor=actor_of(request), until=until, force=force)
    revoked = " " + _("Open leases were revoked.") if force else ""
    return Told(_("%(model)s is switched off.") % {"model": model}, logged=_("Switched off.") + _until(until) + revoked)


def automatic(request: HttpRequest, model: RegisteredModel, data: dict[str, Any]) -> Told:
    """Take back what a person said: its policy decides again."""
    switching.automatic(model, actor=actor_of(request))
    return Told(_("%(model)s follows its policy again.") % {"model": model}, logged=_("Given back to its policy."))


def verify(request: HttpRequest, model: RegisteredModel, data: dict[str, Any]) -> Told:
    """Ask its provider now; changes nothing."""
    found = verify_model(model)
    words = {"model": model, "detail": found.detail, "ms": found.latency_ms}
    if found.ready:
        return Told(_("%(model)s is ready: asked its provider just now, answered in %(ms)s ms.") % words)
    words["state"] = Observed(found.observed).label
    text = _("%(model)s is not ready: its provider says “%(state)s”. %(detail)s") % words
    return Told(text, messages.ERROR if model.wanted else messages.INFO)


def resync_server(request: HttpRequest, model: RegisteredModel, data: dict[str, Any]) -> Told:
    """Look at the model's server now and take the next step there; each server once a request."""
    reports: dict[int, Report] = request.__dict__.setdefault("resynced", {})
    if model.provider_id not in reports:
        reports[model.provider_id] = resync(model.provider, patience_s=0)
    report = reports[model.provider_id]
    return tell_report(report, model.name)


def tell_report(report: Report, name: str = "") -> Told:
    """What a look at a server found, about one of its models or all of them."""
    if report.error:
        words = {"provider": report.provider, "error": retold(report.error)}
        return Told(_("%(provider)s does not answer: %(error)s") % words, messages.ERROR)
    lines = [line for line in report.lines if name in ("", line.model)]
    off = [line.model for line in lines if not line.in_line]
    if not off:
        what = name or report.provider
        return Told(_("%(what)s is as it should be.") % {"what": what})
    next_step = _("Next: %(step)s.") % {"step": report.next_step} if report.next_step else ""
    text = ngettext("%(names)s is not as wanted yet.", "%(names)s are not as wanted yet.", len(off))
    return Told(f"{text % {'names': ', '.join(off)}} {next_step}".strip(), messages.WARNING)


def delete(request: HttpRequest, model: RegisteredModel, data: dict[str, Any]) -> Told:
    """Mark it as deleted; refused while something uses it."""
    delete_model(model, actor=actor_of(request))
    return Told(_("%(model)s is deleted.") % {"model": model}, logged=_("Deleted."), flag=DELETION)


def _until(until: Any) -> str:
    return " " + _("Until %(time)s.") % {"time": until.isoformat(timespec="minutes")} if until else ""


def _lives(model: RegisteredModel) -> bool:
    return model.deleted_at is None


def _can_be_switched_on(model: RegisteredModel) -> bool:
    settled = model.switch.says_on(now()) and model.wanted and not model.error_code
    return _lives(model) and not settled


def _can_be_switched_off(model: RegisteredModel) -> bool:
    """A manual model that is off stays off by itself; any other may be kept from coming by itself."""
    comes_by_itself = model.activation_policy != Policy.MANUAL and not model.switch.says_off(now())
    return _lives(model) and (model.wanted or comes_by_itself)


ACTIVATE = ObjectAction(
    name="activate",
    label=gettext_lazy("Activate"),
    icon="play_arrow",
    permission="switch",
    variant="primary",
    form=UntilForm,
    run=activate,
    shown=_can_be_switched_on,
)
DEACTIVATE = ObjectAction(
    name="deactivate",
    label=gettext_lazy("Deactivate"),
    icon="stop",
    permission="switch",
    question=gettext_lazy(
        "No new lease starts; open ones drain first. A model on a GPU is unloaded then, and its place is free."
    ),
    form=DeactivateForm,
    run=deactivate,
    shown=_can_be_switched_off,
)
AUTOMATIC = ObjectAction(
    name="automatic",
    label=gettext_lazy("Automatic"),
    icon="autorenew",
    permission="switch",
    run=automatic,
    shown=lambda model: _lives(model) and model.switch_state != SwitchState.AUTO,
)
VERIFY = ObjectAction(
    name="verify",
    label=gettext_lazy("Verify now"),
    icon="fact_check",
    permission="view",
    run=verify,
    shown=_lives,
)
RESYNC = ObjectAction(
    name="resync",
    label=gettext_lazy("Resync its server"),
    icon="sync",
    permission="switch",
    run=resync_server,
    shown=lambda model: _lives(model) and model.on_gpu,
)
DELETE = ObjectAction(
    name="delete",
    label=gettext_lazy("Delete"),
    icon="delete",
    permission="delete",
    variant="danger",
    question=gettext_lazy("Their history stays, their names become free, and they can be restored later."),
    run=delete,
    shown=_lives,
)

"""Registering many of the models that a provider offers: chosen in its catalog, looked at, then confirmed."""

from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from modelmanager.console.actions import ObjectAction, Shown
from modelmanager.console.actor import actor_of
from modelmanager.console.editing import tell_refusal
from modelmanager.lib.refusals import Refusal
from models_registry.models import Provider
from models_registry.services.importing import Line, Outcome, Wish, import_models
from models_registry.vocabulary import ModelKind, Policy

NAME = "import"
TEMPLATE = "console/provider/import.html"


class NamesField(forms.Field):
    """Names at the provider, as boxes are ticked; hidden wherever they are not."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: Any) -> list[str]:
        return [str(name) for name in value or []]


class ImportForm(forms.Form):
    """What is to be imported, and as what."""

    remote_names = NamesField(required=False)
    pattern = forms.CharField(
        label=_("Or all whose names fit"),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "gpt-4*"}),
        help_text=_("With * and ?, when nothing is ticked."),
    )
    prefix = forms.CharField(  # type: ignore[assignment]  # a form has one of its own, for names in the page
        label=_("Our names begin with"),
        required=False,
        max_length=50,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Then comes the provider's name for the model."),
    )
    kind = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        choices=[("", _("as the name tells")), *ModelKind.choices],
        widget=UnfoldAdminSelectWidget,
    )
    activation_policy = forms.ChoiceField(
        label=_("Activation policy"),
        choices=[(policy.value, policy.label) for policy in (Policy.MANUAL, Policy.ON_DEMAND)],
        widget=UnfoldAdminSelectWidget,
    )
    gpu_memory_mb = forms.IntegerField(
        label=_("GPU memory of each (MB)"),
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput)

    def __init__(self, provider: Provider, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not provider.is_triton:
            del self.fields["gpu_memory_mb"]

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        if not values.get("remote_names") and not values.get("pattern"):
            raise forms.ValidationError(_("Tick the models to import, or give a pattern."))
        return values

    def wish(self) -> Wish:
        """What the person asks for; what is ticked outranks the pattern."""
        values = {name: value for name, value in self.cleaned_data.items() if name != "confirmed"}
        ticked = values.pop("remote_names")
        return Wish(**{**values, "pattern": "" if ticked else values["pattern"]}, remote_names=ticked or None)


def _import(request: HttpRequest, provider: Provider, data: dict[str, Any]) -> Shown:
    form = ImportForm(provider, request.POST)
    if not form.is_valid():
        return Shown(TEMPLATE, {"form": form, "lines": []})
    done = form.cleaned_data["confirmed"]
    try:
        lines = import_models(provider, form.wish(), actor=actor_of(request), dry_run=not done)
    except Refusal as refusal:
        tell_refusal(form, refusal)
        return Shown(TEMPLATE, {"form": form, "lines": []})
    return Shown(TEMPLATE, {"form": form, "done": done, **_counted(lines)}, logged=_told(lines) if done else "")


def _counted(lines: list[Line]) -> dict[str, Any]:
    counts = {outcome.value: sum(line.outcome == outcome for line in lines) for outcome in Outcome}
    # What is about to happen comes first, then what will not.
    order = {outcome: position for position, outcome in enumerate((Outcome.CREATED, Outcome.REFUSED, Outcome.SKIPPED))}
    return {"lines": sorted(lines, key=lambda line: order[line.outcome]), "counts": counts}


def _told(lines: list[Line]) -> str:
    created = sum(line.outcome == Outcome.CREATED for line in lines)
    return ngettext("Imported %(n)d model.", "Imported %(n)d models.", created) % {"n": created}


IMPORT = ObjectAction(
    name=NAME,
    label=_("Import models"),
    icon="download",
    permission="import",
    own_page=True,
    run=_import,
    shown=lambda provider: provider.deleted_at is None,
)

"""Forms that save through a service: its refusals become errors, and a stale edit tells what changed."""

import json
from typing import Any

from django import forms
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from modelmanager.lib.refusals import EditConflict, Invalid, Refusal

HIDDEN = ("edition", "seen")


class ServiceForm(forms.ModelForm):
    """A form whose last step of cleaning is the service itself, so that what it refuses lands on the fields.

    A subclass writes `create` and `update`. The hidden fields carry what the person saw: the row's
    edition and the values, so that only what was really changed is written, and a conflict can tell
    what somebody else changed meanwhile. Values of `secret_fields` are never repeated.
    """

    actor: str = ""
    secret_fields: tuple[str, ...] = ()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.prepare()
        if self.instance.pk:
            seen = json.dumps(self._shown(dict(self.initial)))
            # Not declared in the class: the admin would take them for fields of the table.
            self.fields["edition"] = forms.IntegerField(
                required=False, widget=forms.HiddenInput, initial=self.instance.edition
            )
            self.fields["seen"] = forms.CharField(required=False, widget=forms.HiddenInput, initial=seen)

    def prepare(self) -> None:
        """Fit the fields to the row, before anything of it is shown."""

    def create(self, values: dict[str, Any]) -> Any:
        """Make the row; returns it. May raise any Refusal."""
        raise NotImplementedError

    def update(self, row: Any, changes: dict[str, Any], edition: int | None) -> Any:
        """Change the row; returns it. May raise any Refusal."""
        raise NotImplementedError

    # -- saving

    def _post_clean(self) -> None:
        """Carry it out, instead of building the row here: the service checks the row itself."""
        if self.errors:
            return
        try:
            self.instance = self._carry_out()
        except EditConflict as conflict:
            self._tell_conflict(conflict)
        except Refusal as refusal:
            tell_refusal(self, refusal)

    def _carry_out(self) -> Any:
        values = {name: value for name, value in self.cleaned_data.items() if name not in HIDDEN}
        if not self.instance.pk:
            return self.create(values)
        typed, seen = self._shown(values), self._seen()
        changes = {name: values[name] for name in values if name not in typed or typed[name] != seen.get(name)}
        return self.update(self.instance, changes, self.cleaned_data["edition"]) if changes else self.instance

    def save(self, commit: bool = True) -> Any:
        """Everything is saved already."""
        return self.instance

    def save_m2m(self) -> None:
        """Nothing is left to be saved."""

    # -- what the person saw

    def _seen(self) -> dict[str, str]:
        try:
            seen = json.loads(self.cleaned_data.get("seen") or "{}")
        except ValueError:
            return {}
        return seen if isinstance(seen, dict) else {}

    def _shown(self, values: dict[str, Any]) -> dict[str, str]:
        """The values as their widgets would show them, without secrets."""
        names = [name for name in self.fields if name not in (*HIDDEN, *self.secret_fields)]
        return {name: _text(self.fields[name], values.get(name)) for name in names if name in values}

    def _tell_conflict(self, conflict: EditConflict) -> None:
        """Say what changed, take over what this person did not touch, and let a second save win knowingly."""
        row = conflict.extra["row"]
        now_shown = self._shown(forms.model_to_dict(row, fields=list(self.fields)))
        seen, typed = self._seen(), self._shown(self.cleaned_data)
        theirs = [name for name in now_shown if now_shown[name] != seen.get(name)]
        told = "; ".join(self._change(name, seen.get(name, ""), now_shown[name]) for name in theirs)
        detail = _("Somebody else saved this in the meantime. Changed since you opened it: %(changes)s. ")
        advice = _("Your own changes are still in the form: look at them, then save again.")
        untouched = {name: now_shown[name] for name in theirs if typed.get(name) == seen.get(name)}
        self._retype({**untouched, "edition": row.edition, "seen": json.dumps(now_shown)})
        self.add_error(None, detail % {"changes": told or "–"} + advice)

    def _retype(self, values: dict[str, Any]) -> None:
        data: Any = self.data.copy()  # type: ignore[attr-defined]
        for name, value in values.items():
            data[self.add_prefix(name)] = value
        self.data = data

    def _change(self, name: str, before: str, after: str) -> str:
        field = self.fields[name]
        label = field.label or name
        return f"{capfirst(str(label))}: {_label(field, before)} → {_label(field, after)}"


def tell_refusal(form: forms.BaseForm, refusal: Refusal) -> None:
    """Put a refusal onto the form: errors of fields where they belong, all else above the form."""
    if not isinstance(refusal, Invalid):
        form.add_error(None, refusal.detail)
        return
    for error in refusal.extra["errors"]:
        name, _dot, place = error["field"].partition(".")
        if name in form.fields:
            form.add_error(name, _placed(place, error["detail"]))
        else:
            form.add_error(None, f"{error['field']}: {error['detail']}" if error["field"] else error["detail"])


def _placed(place: str, detail: str) -> str:
    """An error in a list, with the number of its row as people count."""
    number = place.partition(".")[0]
    return f"{int(number) + 1}: {detail}" if number.isdecimal() else detail


def told(refusal: Refusal) -> str:
    """A refusal as one line of text, with the errors of its fields."""
    errors = refusal.extra.get("errors", [])
    return " ".join(error["detail"] for error in errors) if errors else refusal.detail


def _text(field: forms.Field, value: Any) -> str:
    shown = field.prepare_value(value.pk if isinstance(value, models.Model) else value)
    return "" if shown is None else str(shown)


def _label(field: forms.Field, text: str) -> str:
    if isinstance(field, forms.ChoiceField):
        choices: Any = field.choices
        labels = {str(value): str(label) for value, label in choices}
        return labels.get(text, text) or "–"
    return text or "–"

"""A model's configuration: its versions, an editor, comparing any two, applying one and going back."""

import json
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from modelmanager.console.actions import ObjectAction, Shown, Told
from modelmanager.console.actor import actor_of
from modelmanager.console.pages import ObjectPage
from modelmanager.lib import strict_json
from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Invalid
from models_registry.config_schemas import schema_of
from models_registry.in_force import use_at
from models_registry.json_pointers import Diff, diff
from models_registry.models import ConfigVersion, RegisteredModel, ServerConfig
from models_registry.refusals import ConfigConflict
from models_registry.services import configs
from models_registry.services.configs import Effect

TEMPLATE = "console/models/configs.html"
CONFIRMATION = "console/models/apply_config.html"
CHANGE = "change_registeredmodel"
SHOWN = 100


def look(request: HttpRequest, model: RegisteredModel) -> dict[str, Any]:
    """The versions, and in the editor the one of `?edit=`, or what an edit goes on from; two of them compared."""
    head = configs.head_of(model)
    edited = _version(model, request.GET.get("edit")) or head
    return {
        **_told_about(request, model),
        "text": _pretty(edited.values if edited else {}),
        "based_on": head.number if head else "",
        "edited": edited,
        "compared": _compared(model, request),
    }


def save(request: HttpRequest, model: RegisteredModel, data: dict[str, Any]) -> Told | Shown:
    """Make a version of what was typed, and go on to what applying it would do, where that was asked for.

    What is refused comes back with the text as it was typed.
    """
    text, based_on = request.POST.get("values", ""), request.POST.get("based_on", "")
    typed = {"text": text, "based_on": based_on, "comment": request.POST.get("comment", "")[:500]}
    try:
        version = configs.create_version(
            model,
            _parsed(text),
            actor=actor_of(request),
            comment=typed["comment"],
            based_on=_number(based_on),
        )
    except Invalid as refusal:
        return Shown(TEMPLATE, {**_told_about(request, model), **typed, "errors": refusal.extra["errors"]})
    except ConfigConflict as refusal:
        head = refusal.extra["row"]
        both = {"head": head, "pretty": _pretty(head.values), "lines": _lines(Diff(**refusal.extra["diff"]))}
        again = {"based_on": head.number, "conflict": both}
        return Shown(TEMPLATE, {**_told_about(request, model), **typed, **again})
    logged = _("Made configuration version %(number)d.") % {"number": version.number}
    if "apply" in request.POST:
        return Shown(CONFIRMATION, _what_applying_does(model, version), logged=logged)
    words = {"model": model, "number": version.number}
    return Told(_("Version %(number)d of %(model)s is made; apply it to use it.") % words, logged=logged)


def confirm(request: HttpRequest, model: RegisteredModel) -> dict[str, Any]:
    """What applying the version of `?number=` will do."""
    return _what_applying_does(model, configs.version_of(model, _number(request.GET.get("number", "")) or 0))


def apply(request: HttpRequest, model: RegisteredModel, data: dict[str, Any]) -> Told:
    """Make the version of `number` current; refused where somebody was first since the page was shown."""
    number = _number(request.POST.get("number", "")) or 0
    reason = request.POST.get("reason", "")[:500]
    edition = _number(request.POST.get("edition", ""))
    version = configs.apply_version(model, number, actor=actor_of(request), reason=reason, edition=edition)
    words = {"model": model, "number": version.number}
    return Told(_("Version %(number)d of %(model)s is current.") % words, logged=_applied(version))


def _what_applying_does(model: RegisteredModel, version: ConfigVersion) -> dict[str, Any]:
    model.refresh_from_db(fields=["edition"])  # making the version has raised it
    changes = diff(model.config.values if model.config else {}, version.values)
    told = {"version": version, "lines": _lines(changes), "effect": _effect(model, version)}
    return {**told, "edition": model.edition, "reason": version.comment}


def _told_about(request: HttpRequest, model: RegisteredModel) -> dict[str, Any]:
    versions = ConfigVersion.objects.filter(model=model).prefetch_related("uses")[:SHOWN]
    in_force = use_at(model, now())
    return {
        "versions": [(version, next(iter(version.uses.all()), None)) for version in versions],
        "in_force": in_force.config_id if in_force else None,
        "server": ServerConfig.objects.filter(model=model).first(),
        "allowed": _allowed(model),
        "may_change": model.deleted_at is None and request.user.has_perm(f"models_registry.{CHANGE}"),
    }


def _allowed(model: RegisteredModel) -> str:
    """What a document of this model may hold: each field with its rules, as JSON Schema has them."""
    fields = schema_of(model.kind, on_triton=model.on_gpu)["properties"]
    return "\n".join(f"{name}: {json.dumps(rules, ensure_ascii=False)}" for name, rules in fields.items())


def _compared(model: RegisteredModel, request: HttpRequest) -> dict[str, Any] | None:
    one, other = (_version(model, request.GET.get(name)) for name in ("from", "to"))
    if one is None or other is None:
        return None
    sides = [(version, _pretty(version.values)) for version in (one, other)]
    return {"sides": sides, "lines": _lines(diff(one.values, other.values))}


def _lines(found: Diff) -> list[tuple[str, str, str, str]]:
    """(what, pointer, before, after) of each difference, in the order of the pointers."""
    lines = [
        *(("added", at, "", _short(value)) for at, value in found.added.items()),
        *(("removed", at, _short(value), "") for at, value in found.removed.items()),
        *(("changed", at, _short(both["from"]), _short(both["to"])) for at, both in found.changed.items()),
    ]
    return sorted(lines, key=lambda line: line[1])


def _effect(model: RegisteredModel, version: ConfigVersion) -> str:
    match configs.effect_of(model, version):
        case Effect.AT_NEXT_LOAD:
            return _("The model is not loaded: it is used from the next load on.")
        case Effect.AT_ONCE:
            return _("New leases carry it at once; open ones keep theirs. Nothing is loaded anew.")
    drains = ngettext(
        "No new lease starts. %(n)d open lease drains for at most %(s)d s; then the model is loaded anew.",
        "No new lease starts. %(n)d open leases drain for at most %(s)d s; then the model is loaded anew.",
        model.open_leases,
    ) % {"n": model.open_leases, "s": model.provider.drain_s}
    idle = _("Nobody uses the model now: it is unloaded and loaded anew at once.")
    back = _("If that load fails, the version that is loaded now becomes current again.")
    return f"{drains if model.open_leases else idle} {back}"


def _applied(version: ConfigVersion) -> str:
    return _("Made configuration version %(number)d current.") % {"number": version.number}


def _parsed(text: str) -> Any:
    try:
        return strict_json.loads(text)
    except strict_json.NotStrict as error:
        raise Invalid.of("values", str(error), code="malformed") from error


def _version(model: RegisteredModel, text: str | None) -> ConfigVersion | None:
    number = _number(text or "")
    return None if number is None else ConfigVersion.objects.filter(model=model, number=number).first()


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 9 else None


def _pretty(values: Any) -> str:
    return json.dumps(values, indent=2, ensure_ascii=False)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 300 else text[:299] + "…"


def _never(_model: RegisteredModel) -> bool:
    """Reached from the page of the versions, not by a button of the model's."""
    return False


PAGE = ObjectPage(name="configs", label=gettext_lazy("Configuration"), icon="tune", look=look, template=TEMPLATE)
CONFIRM = ObjectPage(
    name="apply-config",
    label=gettext_lazy("Apply a configuration version"),
    look=confirm,
    template=CONFIRMATION,
    permission="change",
    shown=_never,
)
SAVE = ObjectAction(
    name="save-config",
    label=gettext_lazy("Configuration"),
    run=save,
    permission="change",
    own_page=True,
    shown=_never,
)
APPLY = ObjectAction(
    name="apply-config",
    label=gettext_lazy("Apply"),
    run=apply,
    permission="change",
    own_page=True,
    shown=_never,
)

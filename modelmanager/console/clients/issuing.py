"""Giving a client a key. The key is in the answer to that one request, and nowhere else."""

from datetime import timedelta
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.widgets import INPUT_CLASSES, UnfoldAdminCheckboxSelectMultipleWidget

from modelmanager.console.actions import ObjectAction, Shown
from modelmanager.console.actor import actor_of
from modelmanager.lib.clock import now
from usage.models import Client, Scope
from usage.services.clients import issue_key

EXPLAINED = [
    (Scope.USE, gettext_lazy("use: lease models, keep bindings, report usage – what a chatbot needs")),
    (Scope.READ, gettext_lazy("read: see models, providers, operations and all other lists")),
    (Scope.MANAGE, gettext_lazy("manage: register, switch, change and delete everything; includes read and use")),
    (Scope.SECRETS, gettext_lazy("secrets: be told the keys of API providers in leases")),
]
USUAL_LIFE = timedelta(days=365)


class KeyForm(forms.Form):
    """What the key may do, and for how long."""

    scopes = forms.MultipleChoiceField(
        label=gettext_lazy("What it may do"),
        choices=EXPLAINED,
        initial=[Scope.READ, Scope.USE],
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
    )
    expires_at = forms.DateTimeField(
        label=gettext_lazy("Expires"),
        required=False,
        widget=forms.DateTimeInput({"type": "datetime-local", "class": " ".join(INPUT_CLASSES)}, "%Y-%m-%dT%H:%M"),
        help_text=gettext_lazy("Empty: never. A key that expires limits what a forgotten copy can do."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.setdefault("expires_at", timezone.localtime(now() + USUAL_LIFE))


def _issue(request: HttpRequest, client: Client, data: dict[str, Any]) -> Shown:
    powerful = request.user.is_superuser
    wish = {"scopes": data["scopes"], "expires_at": data["expires_at"]}
    key, row = issue_key(client, **wish, actor=actor_of(request), powerful=powerful)
    told = {"hint": row.hint, "scopes": ", ".join(row.scopes)}
    context = {"key": key, "key_row": row, "try_url": request.build_absolute_uri(_first_call(row.scopes))}
    return Shown("console/client/key.html", context, logged=_("Issued the key %(hint)s (%(scopes)s).") % told)


def _first_call(scopes: list[str]) -> str:
    """Something that a key of these scopes may ask for."""
    return "/api/v1/models/" if {Scope.READ, Scope.MANAGE} & set(scopes) else "/api/v1/leases/"


ISSUE_KEY = ObjectAction(
    name="issue-key",
    label=gettext_lazy("Issue a key"),
    icon="key",
    permission="change",
    variant="primary",
    own_page=True,
    form=KeyForm,
    run=_issue,
)

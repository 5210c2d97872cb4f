"""Actions on rows: one function, reached by a button on the row's page and for many rows of the list.

A GET never changes anything: it shows the question or the form of an action; a POST carries it out.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.functional import Promise
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from modelmanager.console.editing import tell_refusal, told
from modelmanager.lib.refusals import Refusal

Text = str | Promise
AT_ONCE = 500


@dataclass(frozen=True)
class Told:
    """What an action found, for the person who asked; `logged` goes to the row's history unless empty."""

    text: str
    level: int = messages.SUCCESS
    logged: str = ""
    flag: int = CHANGE


@dataclass(frozen=True)
class Shown:
    """What an action found that fills a page: rendered in answer to the POST itself, and kept nowhere.

    For an action with `own_page`. `logged` goes to the row's history unless empty.
    """

    template: str
    context: dict[str, Any]
    logged: str = ""
    flag: int = CHANGE


@dataclass(frozen=True)
class ObjectAction:
    """Something that can be done with a row. `run(request, row, data)` calls one service; it may refuse.

    `permission` names the admin's `has_<permission>_permission`. With a `question` or a `form` a dialog
    asks first, or with `own_page` a page does. `shown` says whether it makes sense for a row.
    """

    name: str
    label: Text
    run: Callable[[HttpRequest, Any, dict[str, Any]], Told | Shown]
    permission: str
    icon: str = ""
    question: Text = ""
    form: type[forms.Form] | None = None
    variant: str = "default"
    own_page: bool = False
    shown: Callable[[Any], bool] = field(default=lambda row: True)

    @property
    def asks(self) -> bool:
        return bool(self.question) or self.form is not None


@dataclass(frozen=True)
class Button:
    """An action as it is offered on a page, or a page about the row."""

    action: Any
    url: str


class WithActions(ModelAdmin):
    """`object_actions` are buttons of a row's page, `bulk_actions` actions of the list."""

    object_actions: tuple[ObjectAction, ...] = ()
    bulk_actions: tuple[ObjectAction, ...] = ()

    # -- one row

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.action_view)
        return [path("<path:object_id>/do/<slug:name>/", view, name=f"{self._url_name()}_do"), *super().get_urls()]

    def buttons(self, request: HttpRequest, row: Any) -> list[Button]:
        """What this person may do with this row now."""
        return [
            Button(action, self.url_of("do", row.pk, action.name))
            for action in self.object_actions
            if action.shown(row) and self._may(request, action, row)
        ]

    def action_view(self, request: HttpRequest, object_id: str, name: str) -> HttpResponse:
        """Ask (GET) or carry out (POST) one action on one row."""
        action = next((action for action in self.object_actions if action.name == name), None)
        if action is None:
            raise Http404
        row = self.row_for(request, object_id, action.permission)
        if request.method != "POST":
            return self._ask(request, action, row) if action.asks else HttpResponseNotAllowed(["POST"])
        form = action.form(request.POST) if action.form else forms.Form(request.POST)
        answer = self._carry_out(request, action, row, form) if form.is_valid() else None
        return answer or self._ask(request, action, row, form)

    def _carry_out(self, request: HttpRequest, action: ObjectAction, row: Any, form: forms.Form) -> HttpResponse | None:
        """The answer once it is done with, refused or not; None when the person should correct the form."""
        try:
            outcome = action.run(request, row, form.cleaned_data)
        except Refusal as refusal:
            if action.form is not None:
                tell_refusal(form, refusal)
                return None
            messages.error(request, told(refusal))
        else:
            if isinstance(outcome, Shown):
                return self._show(request, action, row, outcome)
            self._tell(request, row, outcome)
        return self._go(request, self._back(request, row))

    def _tell(self, request: HttpRequest, row: Any, outcome: Told | Shown) -> None:
        if outcome.logged:
            LogEntry.objects.log_actions(
                request.user.pk or 0, [row], outcome.flag, change_message=outcome.logged, single_object=True
            )
        if isinstance(outcome, Told):
            messages.add_message(request, outcome.level, outcome.text)

    def _show(self, request: HttpRequest, action: ObjectAction, row: Any, outcome: Shown) -> TemplateResponse:
        self._tell(request, row, outcome)
        context = {**self.page_context(request, row, action.label), "action": action, **outcome.context}
        return TemplateResponse(request, outcome.template, context, headers={"Cache-Control": "no-store"})

    def page_context(self, request: HttpRequest, row: Any, title: Text) -> dict[str, Any]:
        """What every page about one row needs."""
        return {
            **self.admin_site.each_context(request),
            "title": f"{title} – {row}",
            "page_title": title,
            "opts": self.opts,
            "original": row,
            "row": row,
            "model_admin": self,
            "back_url": self._back(request, row),
        }

    def _back(self, request: HttpRequest, row: Any) -> str:
        """The page on which an action was asked for: `?next=`, or the row's own."""
        wish = request.GET.get("next", "")
        ours = wish.startswith("/") and url_has_allowed_host_and_scheme(wish, allowed_hosts=None)
        return wish if ours else self.url_of("change", row.pk)

    def _ask(
        self, request: HttpRequest, action: ObjectAction, row: Any, form: forms.Form | None = None
    ) -> TemplateResponse:
        if form is None and action.form is not None:
            form = action.form()
        context = {**self.page_context(request, row, action.label), "action": action, "form": form}
        return TemplateResponse(request, "console/action.html", context)

    def _go(self, request: HttpRequest, url: str) -> HttpResponse:
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={"HX-Redirect": url})
        return HttpResponseRedirect(url)

    # -- many rows

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """The bulk actions that this person may take; never Django's own deletion, which knows no services."""
        if request.GET.get("_popup"):
            return {}
        return {
            f"bulk_{action.name}": (_bulk(action), f"bulk_{action.name}", action.label)
            for action in self.bulk_actions
            if self._may(request, action, None)
        }

    def run_on_all(self, request: HttpRequest, action: ObjectAction, rows: QuerySet[Any]) -> HttpResponse | None:
        """Carry out an action on every row and tell the result of each; ask first where it asks."""
        if rows.count() > AT_ONCE:
            messages.error(request, _("Choose at most %(n)d at a time.") % {"n": AT_ONCE})
            return None
        if action.question and "confirmed" not in request.POST:
            return self._ask_for_all(request, action, rows)
        for row in rows:
            if not action.shown(row) or not self._may(request, action, row):
                messages.warning(request, _("%(row)s: nothing to do.") % {"row": row})
                continue
            try:
                self._tell(request, row, action.run(request, row, {}))
            except Refusal as refusal:
                messages.error(request, f"{row}: {told(refusal)}")
        return None

    def _ask_for_all(self, request: HttpRequest, action: ObjectAction, rows: QuerySet[Any]) -> TemplateResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": action.label,
            "opts": self.opts,
            "action": action,
            "rows": rows,
            "posted": [(key, value) for key, values in request.POST.lists() for value in values if key != _CSRF],
        }
        return TemplateResponse(request, "console/bulk_action.html", context)

    # -- small print

    def row_for(self, request: HttpRequest, object_id: str, permission: str) -> Any:
        """The row of a page. Raises Http404, or PermissionDenied without this permission for it."""
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        if not self._has(request, permission, row):
            raise PermissionDenied
        return row

    def url_of(self, page: str, *args: Any) -> str:
        """The address of one of this admin's pages: changelist, add, change, delete, do …"""
        return reverse(f"{self.admin_site.name}:{self._url_name()}_{page}", args=args)

    def _url_name(self) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}"

    def _may(self, request: HttpRequest, action: Any, row: Any) -> bool:
        return self._has(request, action.permission, row)

    def _has(self, request: HttpRequest, permission: str, row: Any) -> bool:
        return bool(getattr(self, f"has_{permission}_permission")(request, row))


_CSRF = "csrfmiddlewaretoken"


def _bulk(action: ObjectAction) -> Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]:
    def run(model_admin: WithActions, request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        return model_admin.run_on_all(request, action, rows)

    return run

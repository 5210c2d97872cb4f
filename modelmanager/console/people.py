"""Who may sign in, and who tried: users, groups, failed sign-ins, sessions."""

from typing import Any

import axes.admin  # noqa: F401  what it registers is registered before it is taken out
from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin
from unfold.decorators import display
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from modelmanager.console.badges import badge, clock_time
from modelmanager.console.lists import between
from modelmanager.console.record import RecordAdmin, clipped

# AccessFailureLog is never written with our settings, so it has no page.
for model in (User, Group, AccessAttempt, AccessLog, AccessFailureLog):
    admin.site.unregister(model)

GIVES_POWER = ("is_superuser", "groups", "user_permissions")


@admin.register(User)
class UserAdmin(DjangoUserAdmin, ModelAdmin):
    """Only a superuser says who may do what, and only a superuser touches another."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_filter_submit = True

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, *GIVES_POWER)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj)


def _may_touch(request: HttpRequest, user: Any) -> bool:
    return bool(request.user.is_superuser or user is None or not user.is_superuser)


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, ModelAdmin):
    """A group gives permissions: only superusers change what it gives."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_superuser)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.is_superuser)


class SignInAdmin(RecordAdmin):
    """What is known of a sign-in; never what was typed."""

    search_fields = ("username", "ip_address")
    list_filter = (between("attempt_time"),)

    @display(description=gettext_lazy("At"))
    def shown_at(self, row: Any) -> Any:
        return clock_time(row.attempt_time)

    @display(description=gettext_lazy("Browser"))
    def shown_browser(self, row: Any) -> SafeString | str:
        return clipped(row.user_agent)


@admin.register(AccessAttempt)
class AccessAttemptAdmin(SignInAdmin):
    """Failed sign-ins that count against an account; deleting one unlocks it."""

    list_display = ("username", "ip_address", "shown_state", "failures_since_start", "shown_at", "shown_browser")
    fields = ("username", "ip_address", "shown_state", "failures_since_start", "shown_at", "user_agent", "path_info")
    readonly_fields = fields
    empty_title = gettext_lazy("No failed sign-ins")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("axes.delete_accessattempt")

    @display(description=gettext_lazy("State"))
    def shown_state(self, attempt: AccessAttempt) -> SafeString:
        left = settings.AXES_FAILURE_LIMIT - attempt.failures_since_start
        if left <= 0:
            return badge(_("Locked out"), "danger", icon="lock")
        return badge(_("%(n)d attempts left") % {"n": left})


@admin.register(AccessLog)
class AccessLogAdmin(SignInAdmin):
    """Who signed in, and when."""

    list_display = ("username", "ip_address", "shown_at", "shown_end", "shown_browser")
    fields = ("username", "ip_address", "shown_at", "shown_end", "user_agent")
    readonly_fields = fields

    @display(description=gettext_lazy("Signed out"))
    def shown_end(self, row: AccessLog) -> Any:
        return clock_time(row.logout_time)

"""Background jobs: the failed ones can be read. The queue and its schedules are no operator's business:
one malformed schedule would stop all scheduling, and a job may be any importable function."""

from typing import Any

import django_q.admin  # noqa: F401  what it registers is registered before it is taken out
from django.contrib import admin
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.decorators import display

from modelmanager.console.badges import clock_time
from modelmanager.console.lists import between
from modelmanager.console.record import RecordAdmin, clipped

for model in (Failure, OrmQ, Schedule, Success):
    if admin.site.is_registered(model):
        admin.site.unregister(model)


@admin.register(Failure)
class FailureAdmin(RecordAdmin):
    """Jobs that ended with an error of ours."""

    ordering = ("-started",)
    list_display = ("func", "shown_started", "shown_stopped", "shown_result")
    list_filter = (between("started"),)
    search_fields = ("func",)
    fields = ("func", "shown_started", "shown_stopped", "attempt_count", "result")
    readonly_fields = fields
    empty_title = _("No failed jobs")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("django_q.delete_failure")

    @display(description=_("Started"))
    def shown_started(self, job: Failure) -> Any:
        return clock_time(job.started)

    @display(description=_("Stopped"))
    def shown_stopped(self, job: Failure) -> Any:
        return clock_time(job.stopped)

    @display(description=_("Error"))
    def shown_result(self, job: Failure) -> SafeString | str:
        return clipped(str(job.result or ""))

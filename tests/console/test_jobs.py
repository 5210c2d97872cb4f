"""Of background jobs an operator sees the failed ones, and touches no schedule."""

from datetime import timedelta

from django.contrib import admin
from django.test import Client as Browser
from django_q.models import Failure, OrmQ, Schedule, Success, Task

from modelmanager.lib.clock import now
from tests.console.pages import page, text_of

FAILURES = "django_q.failure"


def test_a_failed_job_tells_what_broke_and_can_be_put_away(browser: Browser) -> None:
    times = {"started": now() - timedelta(seconds=2), "stopped": now()}
    Task.objects.create(id="a" * 32, name="job", func="monitoring.tasks.poll", success=False, result="boom", **times)
    assert "monitoring.tasks.poll" in text_of(browser.get(page(FAILURES)))
    shown = text_of(browser.get(page(FAILURES, "change", "a" * 32)))
    assert "boom" in shown
    assert browser.post(page(FAILURES, "delete", "a" * 32), {"post": "yes"}).status_code == 302
    assert not Failure.objects.exists()


def test_neither_schedules_nor_the_queue_are_pages_of_the_console() -> None:
    assert not any(admin.site.is_registered(table) for table in (Schedule, OrmQ, Success))

"""Waking a server: after the commit, alone, and never later than somebody asked before."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import transaction

from modelmanager.lib.clock import now
from models_registry.models import Provider
from models_registry.waking import wake
from tests.monitoring.world import World

TASK = "monitoring.tasks.watch"


def alarm(world: World) -> datetime | None:
    return Provider.all_objects.values_list("wake_at", flat=True).get(pk=world.provider.pk)


def test_the_alarm_is_set_after_the_commit_and_not_within(shared_world: World, tasks: list[str]) -> None:
    with transaction.atomic():
        wake(shared_world.provider.pk)
        assert (alarm(shared_world), tasks) == (None, [])
    assert (alarm(shared_world), tasks) == (now(), [TASK])


def test_what_is_rolled_back_wakes_nobody(shared_world: World, tasks: list[str]) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():
        wake(shared_world.provider.pk)
        raise RuntimeError
    assert (alarm(shared_world), tasks) == (None, [])


def test_an_earlier_alarm_stays(shared_world: World) -> None:
    wake(shared_world.provider.pk, at=shared_world.at(10))
    wake(shared_world.provider.pk, at=shared_world.at(300))
    assert alarm(shared_world) == shared_world.at(10)


def test_a_later_alarm_is_brought_forward(shared_world: World) -> None:
    wake(shared_world.provider.pk, at=shared_world.at(300))
    wake(shared_world.provider.pk)
    assert alarm(shared_world) == now()


def test_what_is_due_later_than_a_minute_starts_no_task(shared_world: World, tasks: list[str]) -> None:
    wake(shared_world.provider.pk, at=now() + timedelta(seconds=61))
    assert tasks == []
    wake(shared_world.provider.pk, at=now() + timedelta(seconds=59))
    assert tasks == [TASK]


def test_nothing_else_is_written_with_it(shared_world: World, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(1) as asked:
        wake(shared_world.provider.pk)
    assert asked.captured_queries[0]["sql"].count("wake_at") >= 1


def test_a_lock_lost_while_waking_is_tried_again(shared_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import OperationalError
    from django.db.models import QuerySet

    update, failures = QuerySet.update, iter([OperationalError(1213, "Deadlock found")])

    def losing(self: Any, **values: Any) -> int:
        if "wake_at" in values and (error := next(failures, None)):
            raise error
        return update(self, **values)

    monkeypatch.setattr(QuerySet, "update", losing)
    wake(shared_world.provider.pk)
    assert alarm(shared_world) == now()

"""Users, groups and sign-ins: who may do what to whom."""

from typing import Any

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.models import Group, User
from django.test import Client as Browser
from pytest_django import DjangoAssertNumQueries

from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of

USERS, GROUPS = "auth.user", "auth.group"


@pytest.fixture
def keeper(db: None) -> Browser:
    """May manage users, but is no superuser."""
    return signed_in(staff("kim", "view_user", "add_user", "change_user", "delete_user", "change_group", "view_group"))


def test_a_superuser_makes_a_member_of_staff(browser: Browser) -> None:
    password = {"usable_password": "true", "password1": "quite-long-42", "password2": "quite-long-42"}
    assert browser.post(page(USERS, "add"), {"username": "nora"} | password).status_code == 302
    nora = User.objects.get(username="nora")
    assert browser.get(page(USERS, "change", nora.pk)).status_code == 200
    assert browser.get(f"/admin/auth/user/{nora.pk}/password/").status_code == 200


def test_who_is_no_superuser_makes_none(keeper: Browser) -> None:
    nora = staff("nora")
    sent = {"username": "nora", "is_active": "on", "is_staff": "on", "is_superuser": "on", "user_permissions": ["1"]}
    sent |= {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    assert keeper.post(page(USERS, "change", nora.pk), sent).status_code == 302
    nora.refresh_from_db()
    assert not nora.is_superuser
    assert not nora.user_permissions.exists()


def test_who_is_no_superuser_does_not_touch_one(keeper: Browser, admin: User) -> None:
    assert keeper.post(page(USERS, "change", admin.pk), {"username": "mine"}).status_code == 403
    assert keeper.post(f"/admin/auth/user/{admin.pk}/password/", {}).status_code == 403
    assert keeper.post(page(USERS, "delete", admin.pk), {"post": "yes"}).status_code == 403
    chosen = {"action": "delete_selected", "_selected_action": [admin.pk], "post": "yes"}
    keeper.post(page(USERS), chosen)
    assert User.objects.get(pk=admin.pk).username == "olivia"


def test_a_group_is_changed_by_superusers_only(keeper: Browser, browser: Browser) -> None:
    group = Group.objects.create(name="operators")
    assert keeper.post(page(GROUPS, "change", group.pk), {"name": "mine"}).status_code == 403
    assert keeper.get(page(GROUPS)).status_code == 200
    assert browser.post(page(GROUPS, "change", group.pk), {"name": "night shift"}).status_code == 302


def test_a_failed_sign_in_is_seen_without_what_was_typed_and_unlocked(browser: Browser) -> None:
    Browser().post("/admin/login/", {"username": "olivia", "password": "typed-by-mistake"})
    attempt = AccessAttempt.objects.get()
    for address in (page("axes.accessattempt"), page("axes.accessattempt", "change", attempt.pk)):
        body = browser.get(address)
        assert "olivia" in text_of(body)
        assert "9 attempts left" in text_of(body)
        assert "typed-by-mistake" not in body.content.decode()
    assert "typed-by-mistake" not in attempt.post_data

    assert browser.post(page("axes.accessattempt", "delete", attempt.pk), {"post": "yes"}).status_code == 302
    assert not AccessAttempt.objects.exists()


def test_who_comes_to_the_sign_in_page_by_itself_lands_on_the_overview(client: Browser, db: None) -> None:
    User.objects.create_user("nora", password="quite-long-42", is_staff=True)
    answer = client.post("/admin/login/", {"username": "nora", "password": "quite-long-42"})
    assert answer.headers["Location"] == "/admin/"


def test_one_locked_out_says_so_until_it_is_unlocked(browser: Browser, client: Browser, settings: Any) -> None:
    settings.AXES_FAILURE_LIMIT = 3
    User.objects.create_user("nora", password="quite-long-42", is_staff=True)
    for _try in range(3):
        Browser().post("/admin/login/", {"username": "nora", "password": "wrong"})
    right = {"username": "nora", "password": "quite-long-42"}
    assert client.post("/admin/login/?next=/admin/", right).status_code == 429
    assert "Locked out" in text_of(browser.get(page("axes.accessattempt")))
    browser.post(page("axes.accessattempt", "delete", AccessAttempt.objects.get().pk), {"post": "yes"})
    assert client.post("/admin/login/?next=/admin/", right).status_code == 302


def test_sign_ins_are_only_looked_at(browser: Browser) -> None:
    row = AccessLog.objects.create(username="olivia", ip_address="10.0.0.7", http_accept="", path_info="/")
    assert "10.0.0.7" in text_of(browser.get(page("axes.accesslog")))
    assert browser.get(page("axes.accesslog", "change", row.pk)).status_code == 200
    assert browser.post(page("axes.accesslog", "delete", row.pk), {"post": "yes"}).status_code == 403


@pytest.mark.parametrize("label", [USERS, "axes.accesslog", "axes.accessattempt"])
def test_each_list_takes_the_same_queries_for_one_and_for_many(
    browser: Browser, label: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(15):
        staff(f"user-{number}")
        about = {"username": f"user-{number}", "ip_address": "10.0.0.7", "http_accept": "", "path_info": "/"}
        AccessLog.objects.create(**about)
        AccessAttempt.objects.create(**about, failures_since_start=1)
    with django_assert_max_num_queries(6):
        assert "user-14" in text_of(browser.get(page(label)))

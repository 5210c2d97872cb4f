"""The console speaks Korean unless somebody wishes for English."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.urls import reverse

from tests.locale.visible import visible_texts
from tests.monitoring.world import World
from usage.services.bindings import bind
from usage.services.clients import issue_key

# Names and data of the arranged world, and what is the same in every language.
NAMES = {
    "Model Manager",
    "English",
    "en",
    "ko",
    "esc",
    "GPU",
    "ID",
    "API",
    "URL",
    "NVIDIA Triton",
    "OpenAI",
    "Azure OpenAI",
}
DATA = {
    "asia",
    "seoul",
    "olivia",
    "chatbot",
    "gpu",
    "bge-m3",
    "rag-chat",
    "broken",
    "kb-search",
    "night",
    "pod-1",
    "read",
    "use",
    "system",
    "csv",
    "xlsx",
}
WORD = re.compile(r"[A-Za-z]{2,}")
HANGUL = re.compile(r"[가-힣]")
# Addresses, hints of keys, actors, events and entries by their codes, sign-ins by theirs, and what no browser told.
CODED = re.compile(
    r"http://|(: – → )?mm_|user:|\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ([a-z]+ )?[a-z_]+$|Access Log for |<unknown>$"
)
PERMISSION = re.compile(r"\| Can (add|change|delete|view) ")  # Django stores these names in English


@pytest.fixture
def lived_in(world: World) -> World:
    """One model in use, one that waits for it, one in error."""
    for name in ("bge-m3", "rag-chat", "broken"):
        world.add(name)
    world.make_ready("bge-m3")
    world.use("bge-m3", instance="pod-1")
    bind("bge-m3", client_id=world.client.pk, reference="kb-search")
    issue_key(world.client, scopes=["read", "use"], actor="user:kim")
    world.put("broken", error_code="load_failed", error_message="broken", wanted=True)
    world.put("rag-chat", switch_state="on", wanted=True, observed="unloaded", queued_at=world.at(0))
    world.look()
    return world


@pytest.fixture
def operator(lived_in: World) -> Browser:
    """Somebody signed in whose browser wishes for no language."""
    browser = Browser()
    browser.force_login(User.objects.create_superuser("olivia"))
    return browser


def pages() -> list[str]:
    """Every list and form, and the pages of the first row where there is one."""
    found = [reverse("admin:index"), reverse("admin:password_change"), reverse("admin:search") + "?s=bge&extended=1"]
    for model, its_admin in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        found += [reverse(f"{name}_{kind}") for kind in ("changelist", "add")]
        row = getattr(model, "all_objects", model._default_manager).first()
        if row is not None:
            found += [reverse(f"{name}_{kind}", args=[row.pk]) for kind in ("change", "history", "delete")]
            actions = getattr(its_admin, "object_actions", ())
            found += [reverse(f"{name}_do", args=[row.pk, action.name]) for action in actions if action.asks]
    return found


def english_in(html: str) -> list[str]:
    """Texts without a Korean letter that are neither a name nor data."""
    return [
        text for text in visible_texts(html) if WORD.search(text) and not HANGUL.search(text) and not _is_data(text)
    ]


def _is_data(text: str) -> bool:
    if text in NAMES or CODED.match(text) or PERMISSION.search(text):
        return True
    parts = [part for part in re.split(r'[ /:,()|"]+', text.lower()) if WORD.search(part)]
    return all(part in DATA for part in parts)


@pytest.mark.slow
def test_no_page_of_the_console_is_left_in_english(operator):
    left, read = {}, 0
    for page in pages():
        answer = operator.get(page)
        assert answer.status_code in (200, 403), page
        if english := english_in(answer.content.decode()):
            left[page] = english
        assert not [text for text in visible_texts(answer.content.decode()) if "</" in text], page
        read += answer.status_code == 200
    assert left == {}
    assert read > 30


def test_the_list_of_models_is_korean(operator):
    texts = visible_texts(operator.get("/admin/models_registry/registeredmodel/").content.decode())
    assert any(text.startswith("모델 목록 |") for text in texts)
    assert {"상태", "사용 중", "활성화 중", "오류", "관측 상태"} <= set(texts)


def test_the_sign_in_page_is_korean(db):
    page = Browser().get("/admin/login/")
    assert page["Content-Language"] == "ko"
    assert english_in(page.content.decode()) == []
    assert "로그인" in visible_texts(page.content.decode())


def test_a_failed_sign_in_is_told_in_korean(db):
    answer = Browser().post("/admin/login/", {"username": "olivia", "password": "wrong"})
    told = visible_texts(answer.content.decode())
    assert any("또는 비밀번호가 올바르지 않습니다" in text for text in told)


def test_somebody_locked_out_is_told_in_korean(db, settings):
    settings.AXES_FAILURE_LIMIT = 1
    answer = Browser().post("/admin/login/", {"username": "olivia", "password": "wrong"})
    assert answer.status_code == 429
    assert answer.content.decode() == "로그인 시도가 너무 많아 계정이 잠겼습니다. 잠시 후 다시 시도하세요."


def test_a_browser_that_wishes_for_english_gets_it(operator):
    page = operator.get("/admin/models_registry/registeredmodel/", headers={"accept-language": "en-US,en;q=0.9"})
    texts = visible_texts(page.content.decode())
    assert page["Content-Language"] == "en"
    assert {"Status", "In use", "Activating", "Error"} <= set(texts)
    assert {text for text in texts if HANGUL.search(text)} == {"한국어"}


def test_the_language_chooser_outranks_the_browser(operator):
    page = "/admin/models_registry/registeredmodel/"
    chosen = operator.post("/i18n/setlang/", {"language": "en", "next": page}, headers={"accept-language": "ko"})
    assert chosen["Location"] == page
    assert operator.get(page, headers={"accept-language": "ko"})["Content-Language"] == "en"
    operator.post("/i18n/setlang/", {"language": "ko", "next": page}, headers={"accept-language": "en"})
    assert operator.get(page, headers={"accept-language": "en"})["Content-Language"] == "ko"


def test_the_chooser_is_on_every_page_with_both_languages(operator):
    page = operator.get("/admin/").content.decode()
    assert reverse("set_language") in page
    assert {"한국어", "English"} <= set(visible_texts(page))


def test_what_is_not_there_or_not_allowed_is_told_in_korean(operator):
    for page, status, told in (
        ("/admin/none-such/", 404, "이 주소에는 아무것도 없습니다."),
        (reverse("admin:usage_lease_add"), 403, "권한이 없습니다. 관리자에게 권한을 요청하세요."),
    ):
        answer = operator.get(page)
        assert answer.status_code == status
        assert told in visible_texts(answer.content.decode())
        assert english_in(answer.content.decode()) == []


def test_an_error_of_ours_is_told_in_korean(operator, monkeypatch):
    operator.raise_request_exception = False
    monkeypatch.setattr("modelmanager.console.overview.overview", lambda request: 1 / 0)
    answer = operator.get("/admin/")
    assert answer.status_code == 500
    assert "서버에서 문제가 발생했습니다. 내용은 로그에 기록되었습니다." in visible_texts(answer.content.decode())

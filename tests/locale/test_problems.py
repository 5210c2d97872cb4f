"""Problem documents speak the caller's language; codes do not."""

import json

import pytest
from django.test import Client as Browser

from tests.monitoring.world import World
from usage.services.clients import issue_key

KOREAN, ENGLISH = "ko-KR,ko;q=0.9", "en-GB,en;q=0.8"
# The call, and what it says: status, code, title and detail in English, title and detail in Korean.
TOLD = {
    "unknown": (
        ("GET", "/api/v1/models/none-such/", None),
        (404, "not_found", "Not found", "There is no such model.", "찾을 수 없음", "없는 모델입니다."),
    ),
    "refused": (
        ("POST", "/api/v1/leases/", {"model": "sleeper"}),
        (
            409,
            "model_inactive",
            "Conflict",
            "“sleeper” is not switched on: an operator can activate it.",
            "현재 상태와 충돌",
            "“sleeper” 모델이 켜져 있지 않습니다. 운영자가 활성화할 수 있습니다.",
        ),
    ),
    "invalid": (
        ("POST", "/api/v1/leases/", {}),
        (400, "invalid", "Bad request", "Some values are not valid.", "잘못된 요청", "올바르지 않은 값이 있습니다."),
    ),
    "method": (
        ("DELETE", "/api/v1/leases/", None),
        (
            405,
            "method_not_allowed",
            "Method not allowed",
            'Method "DELETE" not allowed.',
            "허용되지 않은 메서드",
            '메서드 "DELETE"는 허용되지 않습니다.',
        ),
    ),
    "nowhere": (
        ("GET", "/api/v1/nothing/", None),
        (
            404,
            "not_found",
            "Not found",
            "There is nothing at this address.",
            "찾을 수 없음",
            "이 주소에는 아무것도 없습니다.",
        ),
    ),
}


@pytest.fixture
def ask(world: World):
    """Call the API with a key that may do everything, and read the problem it answers with."""
    world.add("sleeper")
    key, _row = issue_key(world.client, scopes=["manage"], actor="user:kim")
    browser = Browser(headers={"authorization": f"Bearer {key}"})

    def call(request, **headers):
        method, path, body = request
        data = b"" if body is None else json.dumps(body).encode()
        answer = browser.generic(method, path, data, content_type="application/json", headers=headers)
        assert answer["Content-Type"].startswith("application/problem+json")
        return answer

    return call


@pytest.mark.parametrize("case", TOLD)
def test_texts_follow_the_language_and_codes_stay(ask, case):
    request, (status, code, title, detail, korean_title, korean_detail) = TOLD[case]
    for language, texts in ((ENGLISH, (title, detail)), (KOREAN, (korean_title, korean_detail))):
        answer = ask(request, **{"accept-language": language})
        problem = answer.json()
        assert (answer.status_code, problem["status"], problem["code"]) == (status, status, code)
        assert problem["type"].endswith(f":{code}")
        assert (problem["title"], problem["detail"]) == texts
        assert answer["Content-Language"] == language[:2]


def test_without_a_wish_the_installation_s_language_is_spoken(ask):
    problem = ask(TOLD["unknown"][0]).json()
    assert (problem["code"], problem["detail"]) == ("not_found", "없는 모델입니다.")


def test_a_language_we_do_not_speak_gets_the_installation_s(ask):
    assert ask(TOLD["unknown"][0], **{"accept-language": "fr"}).json()["title"] == "찾을 수 없음"


@pytest.mark.parametrize(
    ("language", "detail"), [(ENGLISH, "This field is required."), (KOREAN, "이 필드는 필수 항목입니다.")]
)
def test_errors_of_fields_follow_too(ask, language, detail):
    problem = ask(TOLD["invalid"][0], **{"accept-language": language}).json()
    assert problem["errors"] == [{"field": "model", "code": "required", "detail": detail}]


@pytest.mark.parametrize(
    ("language", "detail"), [(ENGLISH, "This key is not valid."), (KOREAN, "올바르지 않은 키입니다.")]
)
def test_a_wrong_key_is_told_in_the_language_asked_for(db, language, detail):
    headers = {"authorization": "Bearer mm_wrong", "accept-language": language}
    answer = Browser().get("/api/v1/models/", headers=headers)
    assert (answer.status_code, answer.json()["code"], answer.json()["detail"]) == (401, "not_authenticated", detail)

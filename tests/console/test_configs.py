"""A model's configuration in the console: editing, comparing, applying with what that will do, and going back."""

import json
import re
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.messages import get_messages
from django.test import Client

from models_registry.models import ConfigVersion
from models_registry.services.configs import create_version
from tests.console.conftest import signed_in, staff
from tests.console.pages import page, text_of
from tests.monitoring.world import World

MODELS = "models_registry.registeredmodel"


@pytest.fixture
def chat(world: World) -> World:
    world.add("chat", kind="chat")
    return world


def look(world: World, name: str = "configs") -> str:
    return page(MODELS, "look", world.model("chat").pk, name)


def do(world: World, name: str) -> str:
    return page(MODELS, "do", world.model("chat").pk, name)


def save(browser: Client, world: World, values: Any, *, based_on: int = 1, **more: str) -> Any:
    text = values if isinstance(values, str) else json.dumps(values)
    return browser.post(do(world, "save-config"), {"values": text, "based_on": based_on, **more})


def configured(world: World, values: dict[str, Any], **more: Any) -> ConfigVersion:
    return create_version(world.model("chat"), values, actor="user:lee", **more)


def told(answer: Any) -> list[str]:
    return [str(message) for message in get_messages(answer.wsgi_request)]


def current(world: World) -> int:
    config = world.model("chat").config
    assert config is not None
    return config.number


def test_the_editor_tells_what_a_document_may_hold(browser: Client, chat: World) -> None:
    shown = text_of(browser.get(look(chat)))
    assert 'temperature: {"type": "number", "minimum": 0, "maximum": 2}' in shown
    assert "triton: {" in shown


class TestTheList:
    def test_it_tells_who_when_why_and_what_is_in_force(self, browser: Client, chat: World) -> None:
        configured(chat, {"temperature": 0.2}, comment="colder answers", apply=True)
        text = text_of(browser.get(look(chat)))
        assert "user:lee" in text and "colder answers" in text
        assert re.search(r"2 current ", text) and re.search(r"1 in force ", text)

    def test_the_model_s_page_leads_there(self, browser: Client, chat: World) -> None:
        answer = browser.get(page(MODELS, "change", chat.model("chat").pk))
        assert look(chat) in answer.content.decode()

    def test_what_the_server_has_otherwise_is_told(self, browser: Client, chat: World) -> None:
        from models_registry.models import ServerConfig

        differs = [{"pointer": "/max_batch_size", "wanted": 8, "found": 4}]
        ServerConfig.objects.create(model=chat.model("chat"), differs=differs, read_at=chat.at(0))
        assert "/max_batch_size : 8 → 4" in text_of(browser.get(look(chat)))

    def test_it_takes_as_many_queries_for_thirty_versions(
        self, browser: Client, chat: World, django_assert_num_queries: Any
    ) -> None:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        browser.get(look(chat))
        with CaptureQueriesContext(connection) as few:
            browser.get(look(chat))
        for n in range(30):
            configured(chat, {"seed": n}, apply=True)
        with django_assert_num_queries(len(few)):
            browser.get(look(chat))


class TestEditing:
    def test_a_version_is_made_and_not_applied(self, browser: Client, chat: World) -> None:
        answer = save(browser, chat, {"temperature": 0.2}, comment="colder")
        assert answer.status_code == 302
        assert told(answer) == ["Version 2 of chat is made; apply it to use it."]
        version = ConfigVersion.objects.get(number=2)
        assert (version.values, version.comment, version.created_by) == ({"temperature": 0.2}, "colder", "user:olivia")
        assert current(chat) == 1
        assert LogEntry.objects.get().change_message == "Made configuration version 2."

    def test_the_editor_begins_with_what_there_is(self, browser: Client, chat: World) -> None:
        configured(chat, {"system_prompt": "너는 <사서>"})
        answer = browser.get(look(chat))
        assert answer.context["text"] == '{\n  "system_prompt": "너는 <사서>"\n}'
        assert answer.context["based_on"] == 2
        assert "<사서>" not in answer.content.decode()
        assert browser.get(look(chat), {"edit": "1"}).context["text"] == "{}"

    def test_every_error_is_told_at_its_pointer_and_the_text_is_kept(self, browser: Client, chat: World) -> None:
        text = '{"temperature":  9,\n "surprise": 1, "triton": {"max_batch_size": "x"}}'
        answer = save(browser, chat, text, comment="why not")
        shown = text_of(answer)
        for pointer in ("/temperature Give at most 2.", "/surprise There is no such field.", "/triton/max_batch_size"):
            assert pointer in shown
        assert (answer.context["text"], answer.context["comment"]) == (text, "why not")
        assert ConfigVersion.objects.count() == 1

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"a": 1, "a": 2}', '{"seed": NaN}', "null", "x" * 100_000])
    def test_what_is_no_document_is_refused_with_the_text_kept(self, browser: Client, chat: World, text: str) -> None:
        answer = save(browser, chat, text)
        assert answer.status_code == 200 and answer.context["errors"]
        assert answer.context["text"] == text
        assert ConfigVersion.objects.count() == 1

    def test_the_second_of_two_people_is_shown_both(self, browser: Client, chat: World) -> None:
        configured(chat, {"temperature": 0.7, "seed": 1}, comment="by lee")
        answer = save(browser, chat, {"temperature": 0.2}, based_on=1, comment="mine")
        shown = text_of(answer)
        assert "user:lee made version 2 in the meantime" in shown
        assert '"temperature": 0.7' in shown and '{"temperature": 0.2}' in shown
        assert "/temperature 0.7 0.2" in shown and "/seed 1 –" in shown
        assert answer.context["comment"] == "mine"
        assert ConfigVersion.objects.count() == 2

        again = save(browser, chat, {"temperature": 0.2, "seed": 1}, based_on=answer.context["based_on"])
        assert again.status_code == 302 and ConfigVersion.objects.count() == 3


class TestComparing:
    def test_any_two_side_by_side(self, browser: Client, chat: World) -> None:
        configured(chat, {"temperature": 0.7, "stop": ["a"]})
        configured(chat, {"temperature": 0.2, "top_p": 0.9})
        answer = browser.get(look(chat), {"from": 2, "to": 3})
        lines = answer.context["compared"]["lines"]
        assert lines == [
            ("removed", "/stop", '["a"]', ""),
            ("changed", "/temperature", "0.7", "0.2"),
            ("added", "/top_p", "", "0.9"),
        ]
        body = answer.content.decode()
        for what in ("mm-removed", "mm-changed", "mm-added"):
            assert what in body

    @pytest.mark.parametrize(
        "query", [{"from": "x", "to": "1"}, {"from": "9" * 40, "to": "1"}, {"from": "1"}, {"edit": "-1"}]
    )
    def test_strange_numbers_compare_nothing(self, browser: Client, chat: World, query: dict[str, str]) -> None:
        answer = browser.get(look(chat), query)
        assert answer.status_code == 200 and answer.context["compared"] is None


class TestApplying:
    def confirm(self, browser: Client, world: World, number: int) -> Any:
        return browser.get(look(world, "apply-config"), {"number": number})

    def apply(self, browser: Client, world: World, number: int, **more: Any) -> Any:
        edition = more.pop("edition", world.model("chat").edition)
        return browser.post(do(world, "apply-config"), {"number": number, "edition": edition, **more})

    def test_it_says_what_it_will_do(self, browser: Client, chat: World) -> None:
        configured(chat, {"triton": {"max_batch_size": 8}})
        configured(chat, {"temperature": 0.2})
        assert "used from the next load on" in text_of(self.confirm(browser, chat, 2))
        chat.bring_up("chat")
        assert "Nobody uses the model now" in text_of(self.confirm(browser, chat, 2))
        assert "Nothing is loaded anew." in text_of(self.confirm(browser, chat, 3))
        chat.use("chat")
        chat.use("chat")
        assert "2 open leases drain for at most 60 s" in text_of(self.confirm(browser, chat, 2))

    def test_while_it_drains_the_list_says_what_comes(self, browser: Client, chat: World) -> None:
        chat.bring_up("chat")
        chat.use("chat")
        configured(chat, {"triton": {"max_batch_size": 8}}, apply=True)
        assert "then it is loaded anew with its current configuration" in text_of(browser.get(page(MODELS)))
        assert "Configuration applied" in text_of(browser.get(page(MODELS, "change", chat.model("chat").pk)))

    def test_applying_tells_who_and_why(self, browser: Client, chat: World) -> None:
        configured(chat, {"temperature": 0.2})
        answer = self.apply(browser, chat, 2, reason="answers wander")
        assert told(answer) == ["Version 2 of chat is current."]
        assert current(chat) == 2
        event = chat.model("chat").events.get()
        assert (event.actor, event.message) == ("user:olivia", "version 2: answers wander")

    def test_saving_goes_on_to_it(self, browser: Client, chat: World) -> None:
        answer = save(browser, chat, {"temperature": 0.2}, comment="colder", apply="1")
        assert "Make version 2 of chat current" in text_of(answer)
        assert current(chat) == 1
        context = answer.context
        self.apply(browser, chat, 2, edition=context["edition"], reason=context["reason"])
        assert current(chat) == 2

    def test_going_back_is_applying_the_one_before(self, browser: Client, chat: World) -> None:
        configured(chat, {"temperature": 0.2}, apply=True)
        self.apply(browser, chat, 1, reason="it was better")
        assert current(chat) == 1

    def test_somebody_who_was_quicker_refuses_it(self, browser: Client, chat: World) -> None:
        configured(chat, {"temperature": 0.2})
        seen = chat.model("chat").edition
        configured(chat, {"temperature": 0.9}, apply=True)
        answer = self.apply(browser, chat, 2, edition=seen)
        assert "Somebody changed the configuration in the meantime" in told(answer)[0]
        assert current(chat) == 3

    @pytest.mark.parametrize("number", ["", "9", "x", "9" * 30])
    def test_one_that_is_not_there_is_refused(self, browser: Client, chat: World, number: str) -> None:
        assert self.confirm(browser, chat, number).status_code == 200
        assert "There is no such configuration version." in told(self.apply(browser, chat, number))[0]

    def test_a_get_applies_nothing(self, browser: Client, chat: World) -> None:
        configured(chat, {"temperature": 0.2})
        assert browser.get(do(chat, "apply-config"), {"number": 2}).status_code == 405
        assert current(chat) == 1


def test_whoever_may_only_look_sees_and_changes_nothing(chat: World) -> None:
    configured(chat, {"temperature": 0.2})
    viewer = signed_in(staff("vera", "view_registeredmodel"))
    answer = viewer.get(look(chat))
    assert answer.status_code == 200 and "save-config" not in answer.content.decode()
    assert viewer.get(look(chat, "apply-config"), {"number": 2}).status_code == 403
    assert viewer.post(do(chat, "apply-config"), {"number": 2}).status_code == 403
    assert save(viewer, chat, {}).status_code == 403
    assert (current(chat), ConfigVersion.objects.count()) == (1, 2)

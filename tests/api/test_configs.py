"""`/models/{name}/configs/`: the contract, to the letter."""

from datetime import timedelta
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from modelmanager.lib.clock import now
from tests.api.calls import Caller, done, refused
from tests.monitoring.world import World

PATH = "models/embedder/configs/"


@pytest.fixture
def embedder(everything: World) -> World:
    everything.put("embedder", kind="embedding")
    return everything


def post(caller: Caller, values: Any, **more: Any) -> Any:
    headers = more.pop("headers", {})
    return caller.post(PATH, {"values": values, **more}, headers=headers)


def errors_of(response: Any) -> dict[str, str]:
    return {error["field"]: error["code"] for error in refused(response, 400, "invalid")["errors"]}


def test_a_version_is_made_and_told(embedder: World, manager: Caller) -> None:
    made = done(post(manager, {"batch_size": 8}, comment="larger"), 201)
    assert (made["number"], made["values"], made["comment"]) == (2, {"batch_size": 8}, "larger")
    assert (made["created_by"], made["current"], made["loaded"]) == ("client:operator", False, False)
    assert made["applied"] is None
    assert done(manager.get(f"{PATH}2/")) == made


def test_versions_are_listed_newest_first(embedder: World, manager: Caller) -> None:
    for size in (1, 2):
        done(post(manager, {"batch_size": size}), 201)
    told = done(manager.get(PATH))
    assert [version["number"] for version in told["results"]] == [3, 2, 1]
    assert [version["current"] for version in told["results"]] == [False, False, True]
    assert told["count"] == 3


def test_with_apply_it_is_current_and_tells_who_and_why(embedder: World, manager: Caller) -> None:
    made = done(post(manager, {"batch_size": 8}, comment="larger", apply=True), 201)
    assert made["current"] is True
    assert made["applied"] | {"at": ""} == {
        "at": "",
        "by": "client:operator",
        "reason": "larger",
        "in_force_since": None,  # on Triton, and not loaded with it yet
    }
    assert done(manager.get("models/embedder/"))["config"] == {"number": 2, "values": {"batch_size": 8}}


def test_applying_and_going_back(embedder: World, manager: Caller) -> None:
    done(post(manager, {"batch_size": 8}), 201)
    assert done(manager.post(f"{PATH}2/apply/", {"reason": "larger"}))["applied"]["reason"] == "larger"
    assert done(manager.post(f"{PATH}1/apply/"))["current"] is True
    assert done(manager.get("models/embedder/"))["config"]["number"] == 1
    refused(manager.post(f"{PATH}9/apply/"), 404, "not_found")


def test_all_that_is_wrong_is_told_by_json_pointer(embedder: World, manager: Caller) -> None:
    values = {"batch_size": 0, "temperature": 1, "triton": {"instance_group": [{"count": "two"}]}}
    assert errors_of(post(manager, values)) == {
        "/batch_size": "min_value",
        "/temperature": "unknown_field",
        "/triton/instance_group/0/count": "invalid_type",
    }
    assert errors_of(post(manager, [])) == {"values": "not_a_dict"}
    assert errors_of(post(manager, {"extra": {"a": "x" * 70_000}})) == {"values": "too_large"}
    assert errors_of(manager.post(PATH, {})) == {"values": "required"}
    assert done(manager.get(PATH))["count"] == 1


def test_a_name_that_is_there_twice_is_malformed(embedder: World, manager: Caller) -> None:
    body = b'{"values": {"batch_size": 1, "batch_size": 2}}'
    problem = refused(manager.send("post", PATH, body), 400, "malformed")
    assert "batch_size" in problem["detail"]


def test_a_difference_is_told_by_json_pointer(embedder: World, manager: Caller) -> None:
    done(post(manager, {"batch_size": 8, "extra": {"a/b": [1, 2]}}), 201)
    done(post(manager, {"batch_size": 4, "normalize": True, "extra": {"a/b": [1]}}), 201)
    assert done(manager.get(f"{PATH}2/diff/3/")) == {
        "added": {"/normalize": True},
        "removed": {"/extra/a~1b/1": 2},
        "changed": {"/batch_size": {"from": 8, "to": 4}},
    }
    assert done(manager.get(f"{PATH}3/diff/3/")) == {"added": {}, "removed": {}, "changed": {}}
    refused(manager.get(f"{PATH}3/diff/9/"), 404, "not_found")


class TestWhatWasInForce:
    def at(self, caller: Caller, at: Any) -> list[int]:
        return [version["number"] for version in done(caller.get(PATH, at=at.isoformat()))["results"]]

    def test_it_has_one_answer(self, embedder: World, manager: Caller) -> None:
        from models_registry.services.registration import register_model

        embedder.provider.kind = "openai"
        embedder.provider.save()
        name = {"name": "remote", "remote_name": "remote", "provider": embedder.provider, "kind": "embedding"}
        register_model(actor="user:kim", verify=False, **name)
        path = "models/remote/configs/"
        times = []
        for size in (1, 2):
            embedder.advance(3600)
            times.append(now())
            done(manager.post(path, {"values": {"batch_size": size}, "apply": True, "comment": f"{size}"}), 201)
        embedder.advance(3600)
        done(manager.post(f"{path}2/apply/", {"reason": "back"}))

        def told(at: Any) -> Any:
            return done(manager.get(path, at=at.isoformat()))["results"]

        assert told(times[0] - timedelta(hours=2)) == []
        answers = [told(at)[0] for at in (times[0] - timedelta(seconds=1), times[0], times[1], now())]
        assert [(answer["number"], answer["applied"]["reason"]) for answer in answers] == [
            (1, ""),
            (2, "1"),
            (3, "2"),
            (2, "back"),
        ]
        assert answers[2]["applied"]["in_force_since"] == answers[2]["applied"]["at"]

    def test_of_a_triton_model_it_is_what_was_loaded(self, embedder: World, manager: Caller) -> None:
        embedder.bring_up("embedder")
        embedder.put("embedder", config=embedder.model("embedder").config)
        assert self.at(manager, now()) == [1]
        embedder.switch_off("embedder")
        embedder.settle()
        embedder.advance(60)
        done(post(manager, {"batch_size": 8}, apply=True), 201)
        assert self.at(manager, now()) == [1]
        embedder.advance(60)
        embedder.bring_up("embedder")
        assert self.at(manager, now()) == [2]
        lease = done(manager.post("leases/", {"model": "embedder"}), 201)
        assert lease["config"] == {"number": 2, "values": {"batch_size": 8}}

    def test_it_is_loaded_only_once_the_server_says_so(self, embedder: World, manager: Caller) -> None:
        def loaded() -> bool:
            return bool(done(manager.get(f"{PATH}1/"))["loaded"])

        embedder.put("embedder", loaded_config=embedder.model("embedder").config, observed="loading")
        assert not loaded()
        embedder.put("embedder", observed="ready")
        assert loaded()

    @pytest.mark.parametrize("at", ["yesterday", "2026-11-25", "2026-11-25T10:00:00", "9" * 100, "2026-13-45T00:00Z"])
    def test_a_time_that_is_none_is_invalid(self, embedder: World, manager: Caller, at: str) -> None:
        assert "at" in errors_of(manager.get(PATH, at=at))


class TestTwoEditors:
    def test_the_second_is_shown_both(self, embedder: World, manager: Caller) -> None:
        done(post(manager, {"batch_size": 8}, based_on=1, apply=True), 201)
        problem = refused(post(manager, {"batch_size": 4, "normalize": True}, based_on=1), 409, "edit_conflict")
        assert problem["current"]["number"] == 2
        assert problem["current"]["values"] == {"batch_size": 8}
        assert problem["diff"] == {
            "added": {"/normalize": True},
            "removed": {},
            "changed": {"/batch_size": {"from": 8, "to": 4}},
        }
        done(post(manager, {"batch_size": 4}, based_on=2), 201)

    def test_if_match_takes_the_edition_of_the_model(self, embedder: World, manager: Caller) -> None:
        listed = manager.get(PATH)
        tag = {"If-Match": listed["ETag"]}
        assert manager.get("models/embedder/")["ETag"] == listed["ETag"] == manager.get(f"{PATH}1/")["ETag"]
        made = post(manager, {"batch_size": 8}, headers=tag)
        assert done(made, 201) and made["ETag"] != listed["ETag"]
        refused(post(manager, {"batch_size": 4}, headers=tag), 409, "edit_conflict")
        answer = manager.post(f"{PATH}2/apply/", headers=tag)
        assert refused(answer, 409, "edit_conflict")["current"]["number"] == 2
        assert answer["ETag"] == made["ETag"]
        done(manager.post(f"{PATH}2/apply/", headers={"If-Match": made["ETag"]}))


class TestSchemas:
    @pytest.mark.parametrize("kind", ["chat", "embedding", "rerank", "preprocessing", "other"])
    def test_a_client_can_check_a_document_itself(self, world: World, chatbot: Caller, kind: str) -> None:
        schema = done(chatbot.get(f"config-schemas/{kind}/"))
        Draft202012Validator.check_schema(schema)
        assert Draft202012Validator(schema).is_valid({"timeout_s": 3, "triton": {"max_batch_size": 8}})
        assert not Draft202012Validator(schema).is_valid({"triton": {"surprise": 1}})

    def test_at_an_api_provider_there_are_no_load_settings(self, world: World, chatbot: Caller) -> None:
        schema = done(chatbot.get("config-schemas/other/", provider_kind="openai"))
        assert not Draft202012Validator(schema).is_valid({"triton": {}})

    def test_other_kinds_are_not_found(self, world: World, chatbot: Caller) -> None:
        refused(chatbot.get("config-schemas/poetry/"), 404, "not_found")
        assert errors_of(chatbot.get("config-schemas/chat/", provider_kind="x")) == {"provider_kind": "invalid_choice"}

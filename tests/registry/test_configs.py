"""Making configuration versions and making them current: numbered, checked, and nobody's work is lost."""

from typing import Any

import pytest

from modelmanager.lib.clock import now
from modelmanager.lib.refusals import Invalid, NotFound
from models_registry.models import AuditEntry, ConfigUse, RegisteredModel
from models_registry.refusals import ConfigConflict
from models_registry.services.configs import apply_version, create_version, head_of, version_of
from models_registry.services.registration import delete_model, register_model, update_model
from tests.registry.arranging import a_provider, fresh, in_force_at

pytestmark = pytest.mark.django_db


@pytest.fixture
def chat() -> RegisteredModel:
    """A model at an API provider, with its version 1."""
    provider = a_provider(kind="openai")
    fields = {"name": "chat", "remote_name": "gpt", "kind": "chat", "provider": provider}
    return register_model(actor="user:kim", verify=False, **fields)


@pytest.fixture
def on_triton() -> RegisteredModel:
    fields = {"name": "chat", "remote_name": "chat", "kind": "chat", "provider": a_provider()}
    return register_model(actor="user:kim", verify=False, **fields)


def make(model: RegisteredModel, *, actor: str = "user:kim", apply: bool = False, **more: Any) -> int:
    values = more.pop("values", {"temperature": 0.5})
    return create_version(model, values, actor=actor, apply=apply, **more).number


def current(model: RegisteredModel) -> int:
    config = fresh(model).config
    assert config is not None
    return config.number


class TestMaking:
    def test_versions_are_numbered_and_tell_who_and_why(self, chat: RegisteredModel):
        numbers = [make(chat, values={"seed": n}, comment=f"try {n}", actor="user:lee") for n in (1, 2, 3)]
        assert numbers == [2, 3, 4]
        third = version_of(chat, 3)
        assert (third.values, third.comment, third.created_by) == ({"seed": 2}, "try 2", "user:lee")
        assert current(chat) == 1

    def test_each_model_has_numbers_of_its_own(self, chat: RegisteredModel):
        other = register_model(name="other", remote_name="o", provider=chat.provider, actor="user:kim", verify=False)
        assert (make(chat), make(other)) == (2, 2)

    def test_the_same_values_again_are_a_version_too(self, chat: RegisteredModel):
        assert (make(chat, apply=True), make(chat, apply=True)) == (2, 3)
        assert current(chat) == 3

    def test_with_apply_it_is_current_and_in_force_at_once(self, chat: RegisteredModel):
        make(chat, apply=True, comment="colder")
        assert current(chat) == 2
        use = ConfigUse.objects.latest("id")
        assert (use.actor, use.reason, use.since) == ("user:kim", "colder", use.at)

    def test_what_does_not_fit_is_refused_with_all_errors_and_nothing_is_stored(self, chat: RegisteredModel):
        with pytest.raises(Invalid) as refusal:
            make(chat, values={"temperature": 9, "surprise": 1, "triton": {}}, apply=True)
        told = [(error["field"], error["code"]) for error in refusal.value.extra["errors"]]
        assert told == [("/surprise", "unknown_field"), ("/temperature", "max_value"), ("/triton", "not_triton")]
        assert chat.configs.count() == 1
        assert current(chat) == 1

    def test_a_deleted_model_gets_none(self, chat: RegisteredModel):
        delete_model(chat, actor="user:kim")
        with pytest.raises(NotFound):
            make(chat)

    def test_odd_values_come_back_as_they_were(self, chat: RegisteredModel):
        odd: dict[str, Any] = {
            "extra": {"~/": None, "큰 수": 2**63 - 1, "small": -(2**63) + 1, "🙂": '\n\t\\"', "f": 1e-300, "": {}}
        }
        make(chat, values=odd)
        assert version_of(chat, 2).values == odd


class TestApplying:
    def test_an_older_one_is_applied_again(self, chat: RegisteredModel):
        make(chat, apply=True)
        apply_version(chat, 1, actor="user:lee", reason="worse than before")
        assert current(chat) == 1
        event = chat.events.latest("id")
        assert (event.code, event.actor) == ("config_applied", "user:lee")
        assert event.message == "version 1: worse than before"

    def test_it_is_on_the_audit_trail(self, chat: RegisteredModel):
        make(chat, apply=True, comment="colder")
        entry = AuditEntry.objects.latest("id")
        assert (entry.changes, entry.reason, entry.actor) == ({"config": {"from": 1, "to": 2}}, "colder", "user:kim")

    def test_the_current_one_again_changes_nothing(self, chat: RegisteredModel):
        make(chat, apply=True)
        before = (ConfigUse.objects.count(), chat.events.count(), fresh(chat).edition, AuditEntry.objects.count())
        apply_version(chat, 2, actor="user:kim")
        after = (ConfigUse.objects.count(), chat.events.count(), fresh(chat).edition, AuditEntry.objects.count())
        assert before == after

    def test_one_that_is_not_there_is_not_found(self, chat: RegisteredModel):
        with pytest.raises(NotFound):
            apply_version(chat, 7, actor="user:kim")

    def test_one_that_no_longer_fits_is_refused(self, chat: RegisteredModel):
        make(chat)
        update_model(chat, {"kind": "embedding"}, actor="user:kim")
        with pytest.raises(Invalid) as refusal:
            apply_version(chat, 2, actor="user:kim")
        assert refusal.value.extra["errors"][0]["field"] == "/temperature"

    def test_a_new_version_is_a_new_try(self, on_triton: RegisteredModel):
        failed = {"error_code": "load_failed", "failures": 5, "error_message": "no such kernel"}
        RegisteredModel.objects.filter(pk=on_triton.pk).update(wanted=True, **failed)
        make(on_triton, apply=True)
        model = fresh(on_triton)
        assert (model.error_code, model.failures, model.status_word) == ("", 0, "activating")

    def test_a_move_to_an_api_provider_puts_what_was_applied_into_force(self, on_triton: RegisteredModel):
        make(on_triton, apply=True)
        in_force = in_force_at(on_triton, fresh(on_triton).updated_at)
        assert in_force is not None and in_force.number == 1
        update_model(on_triton, {"provider": a_provider("openai", port=9, kind="openai")}, actor="user:kim")
        in_force = in_force_at(on_triton, now())
        assert in_force is not None and in_force.number == 2


class TestWhoEditsAtTheSameTime:
    def test_the_second_of_two_edits_of_the_same_version_is_shown_both(self, chat: RegisteredModel):
        make(chat, values={"temperature": 0.1, "seed": 1}, based_on=1, apply=True)
        with pytest.raises(ConfigConflict) as refusal:
            make(chat, values={"temperature": 0.9, "stop": "x"}, based_on=1, apply=True)
        assert refusal.value.extra["row"].number == 2
        assert refusal.value.extra["diff"] == {
            "added": {"/stop": "x"},
            "removed": {"/seed": 1},
            "changed": {"/temperature": {"from": 0.1, "to": 0.9}},
        }
        assert (chat.configs.count(), current(chat)) == (2, 2)

    def test_also_when_the_first_one_is_not_current_yet(self, chat: RegisteredModel):
        make(chat, based_on=1)
        with pytest.raises(ConfigConflict):
            make(chat, based_on=1)
        assert make(chat, based_on=2) == 3

    def test_after_going_back_the_older_one_is_what_is_edited(self, chat: RegisteredModel):
        for n in (1, 2, 3):
            make(chat, values={"seed": n}, apply=True)
        apply_version(chat, 2, actor="user:lee")
        with pytest.raises(ConfigConflict):
            make(chat, based_on=4)
        assert make(chat, based_on=2) == 5
        head = head_of(chat)
        assert head is not None and head.number == 5

    def test_another_edition_of_the_model_refuses_both(self, chat: RegisteredModel):
        make(chat, edition=fresh(chat).edition)
        seen = fresh(chat).edition
        make(chat, apply=True)
        with pytest.raises(ConfigConflict):
            make(chat, edition=seen)
        with pytest.raises(ConfigConflict):
            apply_version(chat, 1, actor="user:kim", edition=seen)
        assert current(chat) == 3

    def test_without_either_the_last_one_wins(self, chat: RegisteredModel):
        assert (make(chat, apply=True), make(chat, apply=True)) == (2, 3)


class TestOnTriton:
    def test_other_settings_for_callers_take_effect_at_once_and_nothing_is_posted(self, world: Any):
        world.add("chat", kind="chat")
        world.bring_up("chat")
        make(world.model("chat"), values={"temperature": 0.1}, apply=True)
        world.settle()
        model = world.model("chat")
        assert model.loaded_config_id == model.config_id
        assert world.posts() == [("load", "chat")]
        grant = world.use("chat")
        assert (grant.model.loaded_config or grant.model.config).number == 2

    def test_of_a_model_that_is_not_loaded_it_is_in_force_once_it_is(self, world: Any):
        world.add("chat", kind="chat")
        make(world.model("chat"), values={"temperature": 0.1}, apply=True)
        before = in_force_at(world.model("chat"), world.at(0))
        world.advance(60)
        world.bring_up("chat")
        after = in_force_at(world.model("chat"), world.at(0))
        assert before is not None and after is not None
        assert (before.number, after.number) == (1, 2)

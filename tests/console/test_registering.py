"""Registering and editing a model by hand."""

from typing import Any

from django.contrib.admin.models import LogEntry
from django.test import Client

from models_registry.models import RegisteredModel
from models_registry.services.registration import update_model
from tests.console.pages import page, text_of
from tests.monitoring.world import World

MODELS = "models_registry.registeredmodel"


def typed(world: World, **fields: Any) -> dict[str, Any]:
    """What a person types into the form of a new model."""
    values = {
        "name": "bge-m3",
        "display_name": "BGE M3",
        "kind": "embedding",
        "description": "",
        "tags": "rag, korean",
        "provider": world.provider.pk,
        "remote_name": "bge-m3",
        "remote_version": "",
        "gpu_memory_mb": "2200",
        "priority": "0",
        "activation_policy": "manual",
        "window": "",
        "idle_ttl_s": "300",
    }
    return values | fields


def form_of(browser: Client, world: World, **changed: Any) -> dict[str, Any]:
    """The form of a model's page as a browser would send it back, with what a person changed."""
    form = browser.get(page(MODELS, "change", world.model("bge-m3").pk)).context["adminform"].form
    shown = {name: form[name].value() for name in form.fields}
    sent = {name: "" if value is None else value for name, value in shown.items() if value is not False}
    return {**sent, **changed}


def save(browser: Client, world: World, form: dict[str, Any]) -> Any:
    return browser.post(page(MODELS, "change", world.model("bge-m3").pk), form)


def errors(answer: Any) -> dict[str, list[str]]:
    return dict(answer.context["adminform"].form.errors)


def test_the_form_offers_what_the_server_lists_now(browser: Client, world: World) -> None:
    world.add("bge-m3")
    world.fake.add("rag-chat")
    offered = browser.get(page(MODELS, "catalog"), {"provider": world.provider.pk})
    assert '<option value="rag-chat">' in offered.content.decode()
    assert '<option value="bge-m3">' not in offered.content.decode()
    assert "Registered as bge-m3" in offered.content.decode()


def test_the_form_says_that_a_server_does_not_answer(browser: Client, world: World) -> None:
    world.fake.down = True
    answer = browser.get(page(MODELS, "catalog"), {"provider": world.provider.pk})
    assert "gpu does not answer" in text_of(answer)


def test_a_catalog_of_nothing_asks_for_a_provider(browser: Client, world: World) -> None:
    for nonsense in ("", "99", "x", "-1"):
        assert "Choose a provider" in text_of(browser.get(page(MODELS, "catalog"), {"provider": nonsense}))


def test_a_model_is_registered_and_its_page_opens(browser: Client, world: World) -> None:
    world.fake.add("bge-m3")
    answer = browser.post(page(MODELS, "add"), typed(world))
    model = world.model("bge-m3")
    assert answer.headers["Location"] == page(MODELS, "change", model.pk)
    assert (model.tags, model.gpu_memory_mb, model.kind) == (["rag", "korean"], 2200, "embedding")
    assert model.configs.get().created_by == "user:olivia"
    assert LogEntry.objects.get().get_change_message() == "Added."


def test_what_the_service_refuses_lands_on_its_field(browser: Client, world: World) -> None:
    world.add("bge-m3")
    answer = browser.post(page(MODELS, "add"), typed(world, name="other", remote_name="nowhere"))
    assert "does not list" in errors(answer)["remote_name"][0]
    assert "name" not in errors(answer)
    answer = browser.post(page(MODELS, "add"), typed(world))
    assert errors(answer)["name"] == ["A model of this name exists already."]
    assert RegisteredModel.objects.count() == 1


def test_a_server_that_does_not_answer_is_told_above_the_form(browser: Client, world: World) -> None:
    world.fake.down = True
    answer = browser.post(page(MODELS, "add"), typed(world))
    assert "gpu does not answer" in errors(answer)["__all__"][0]


def test_an_edit_is_saved_with_what_was_changed_only(browser: Client, world: World) -> None:
    world.add("bge-m3", tags=["rag"])
    form = form_of(browser, world, priority="7")
    update_model(world.model("bge-m3"), {}, actor="user:peter")
    RegisteredModel.objects.filter(name="bge-m3").update(description="written by another hand")
    assert save(browser, world, form | {"edition": world.model("bge-m3").edition}).status_code == 302
    model = world.model("bge-m3")
    assert (model.priority, model.description, model.tags) == (7, "written by another hand", ["rag"])


def test_a_stale_edit_tells_what_changed_and_keeps_what_was_typed(browser: Client, world: World) -> None:
    world.add("bge-m3")
    form = form_of(browser, world, priority="7")
    update_model(world.model("bge-m3"), {"kind": "embedding", "priority": 3}, actor="user:peter")
    answer = save(browser, world, form)
    told = errors(answer)["__all__"][0]
    assert "Kind: Other → Embedding" in told
    assert "Priority: 0 → 3" in told
    kept = answer.context["adminform"].form
    assert kept["priority"].value() == "7"
    assert kept["kind"].value() == "embedding"
    assert world.model("bge-m3").priority == 3


def test_saving_again_after_a_conflict_wins_knowingly(browser: Client, world: World) -> None:
    world.add("bge-m3")
    form = form_of(browser, world, priority="7")
    update_model(world.model("bge-m3"), {"kind": "embedding"}, actor="user:peter")
    kept = save(browser, world, form).context["adminform"].form
    again = {name: kept[name].value() or "" for name in kept.fields}
    assert save(browser, world, again).status_code == 302
    model = world.model("bge-m3")
    assert (model.priority, model.kind) == (7, "embedding")


def test_facts_that_change_meanwhile_spoil_no_form(browser: Client, world: World) -> None:
    world.add("bge-m3")
    form = form_of(browser, world, priority="7")
    world.bring_up("bge-m3")
    assert save(browser, world, form).status_code == 302
    assert world.model("bge-m3").priority == 7


def test_a_wanted_model_is_not_moved(browser: Client, world: World) -> None:
    world.add("bge-m3")
    world.make_ready("bge-m3")
    answer = save(browser, world, form_of(browser, world, remote_name="other"))
    assert "Switch the model off" in errors(answer)["__all__"][0]
    assert world.model("bge-m3").remote_name == "bge-m3"


def test_the_name_of_a_model_stays(browser: Client, world: World) -> None:
    world.add("bge-m3")
    save(browser, world, form_of(browser, world, name="renamed", priority="7"))
    assert world.model("bge-m3").priority == 7


def test_a_form_with_nonsense_in_its_hidden_fields_does_no_harm(browser: Client, world: World) -> None:
    world.add("bge-m3")
    for seen in ("[]", "{", '{"priority": 4}'):
        assert save(browser, world, form_of(browser, world, seen=seen)).status_code == 302
    answer = save(browser, world, form_of(browser, world, edition="x", priority="7"))
    assert answer.status_code == 200
    assert world.model("bge-m3").priority == 0

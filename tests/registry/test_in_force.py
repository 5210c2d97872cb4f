"""Which configuration version was in force when has one answer, and it is what a lease carried."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from modelmanager.lib.clock import now
from models_registry import in_force
from models_registry.facts import change_facts
from models_registry.in_force import InForce
from models_registry.models import ConfigUse, ConfigVersion, RegisteredModel
from models_registry.models.config import WrittenOnce
from models_registry.services.registration import register_model
from models_registry.vocabulary import Observed
from tests.registry.arranging import a_model, a_provider, in_force_at
from usage.models import Lease

APP = "models_registry"


def registered(kind: str = "triton", name: str = "chat") -> RegisteredModel:
    provider = a_provider(kind=kind)
    return register_model(name=name, remote_name=name, provider=provider, actor="user:kim", verify=False)


def version(model: RegisteredModel, number: int, **values: Any) -> ConfigVersion:
    return ConfigVersion.objects.create(model=model, number=number, values=values)


def made_current(model: RegisteredModel, config: ConfigVersion, at: datetime, **loaded: Any) -> None:
    in_force.note_applied(model, config.pk, actor="user:kim", at=at, reason="colder")
    assert change_facts(model, {"config_id": config.pk, **loaded}, code="config_applied", actor="user:kim", at=at)


def load(model: RegisteredModel, config: ConfigVersion, at: datetime) -> None:
    for observed in (Observed.LOADING, Observed.READY):
        change_facts(model, {"observed": observed, "loaded_config_id": config.pk}, code="x", actor="system", at=at)


def numbers(model: RegisteredModel, *times: datetime) -> list[int]:
    found = [in_force_at(model, at) for at in times]
    return [config.number for config in found if config is not None]


@pytest.mark.django_db
class TestOfAnApiModel:
    def test_the_first_is_in_force_from_registration_on_and_before(self):
        model = registered("openai")
        assert numbers(model, now(), now() - timedelta(days=1)) == [1, 1]
        use = ConfigUse.objects.get()
        assert (use.actor, use.newest, use.since) == ("user:kim", 1, use.at)

    def test_another_is_in_force_from_the_moment_it_is_applied(self):
        model = registered("openai")
        at = now() + timedelta(hours=1)
        made_current(model, version(model, 2), at)
        assert numbers(model, at - timedelta(microseconds=1), at, at + timedelta(days=9)) == [1, 2, 2]
        assert list(ConfigUse.objects.values_list("config__number", "reason", "newest")) == [
            (2, "colder", 2),
            (1, "", 1),
        ]


@pytest.mark.django_db
class TestOfATritonModel:
    def test_what_is_not_loaded_yet_is_not_in_force(self):
        model = registered()
        at = now() + timedelta(hours=1)
        made_current(model, version(model, 2), at)
        assert numbers(model, at) == [1]

    def test_it_is_in_force_when_the_load_with_it_succeeded(self):
        model = registered()
        second = version(model, 2)
        applied_at, loaded_at = now() + timedelta(hours=1), now() + timedelta(hours=2)
        made_current(model, second, applied_at)
        for observed, at in ((Observed.LOADING, loaded_at - timedelta(seconds=9)), (Observed.READY, loaded_at)):
            change_facts(model, {"observed": observed, "loaded_config_id": second.pk}, code="x", actor="system", at=at)
        assert numbers(model, applied_at, loaded_at - timedelta(seconds=1), loaded_at) == [1, 1, 2]
        assert ConfigUse.objects.filter(config=second).values_list("since", "actor").get() == (loaded_at, "user:kim")

    def test_a_try_that_never_loaded_stays_one_when_a_later_try_succeeds(self):
        model = registered()
        first, second = model.config, version(model, 2)
        assert first is not None
        at = now() + timedelta(hours=1)
        change_facts(model, {"observed": Observed.READY}, code="ready", actor="system", at=at)
        for config in (second, first, second):  # did not load, so back, and once more
            made_current(model, config, at)
        tries = ConfigUse.objects.filter(config=second).order_by("id")
        for hours in (1, 2):  # loaded, and after a while loaded again
            load(model, second, at + timedelta(hours=hours))
        assert [use.since for use in tries] == [None, at + timedelta(hours=1)]

    def test_unloading_changes_no_history(self):
        model = registered()
        for observed in (Observed.READY, Observed.UNLOADED, Observed.READY):
            change_facts(model, {"observed": observed}, code="x", actor="system", at=now())
        assert ConfigUse.objects.count() == 1

    def test_one_that_somebody_else_loaded_runs_with_the_current(self):
        model = registered()
        at = now() + timedelta(hours=1)
        made_current(model, second := version(model, 2), at)
        change_facts(model, {"observed": Observed.READY}, code="ready", actor="system", at=at + timedelta(minutes=5))
        assert model.loaded_config_id == second.pk
        assert numbers(model, at, at + timedelta(minutes=5)) == [1, 2]

    def test_it_is_what_a_lease_carries(self, world):
        world.add("chat")
        world.bring_up("chat")
        world.advance(60)
        grant = world.use("chat")
        lease = Lease.objects.get(pk=grant.lease_id)
        assert in_force_at(world.model("chat"), lease.granted_at) == lease.config


@pytest.mark.django_db
def test_the_histories_of_many_models_are_read_by_one_query(django_assert_num_queries: Any):
    models = []
    provider = a_provider(kind="openai")
    for name in ("bge-m3", "chat", "rerank"):
        made = register_model(name=name, remote_name=name, provider=provider, actor="user:kim", verify=False)
        made_current(made, version(made, 2), now() + timedelta(hours=1))
        models.append(made)
    with django_assert_num_queries(1):
        history = InForce(model.pk for model in models)
        late = [history.at(model.pk, now() + timedelta(hours=2)) for model in models]
    assert [config.number for config in late if config] == [2, 2, 2]


@pytest.mark.django_db
def test_a_model_without_any_history_has_no_version_in_force():
    assert in_force_at(a_model(a_provider()), now()) is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    "write",
    [
        lambda first: first.save(),
        lambda first: first.delete(),
        lambda first: ConfigVersion.objects.filter(pk=first.pk).update(values={"a": 1}),
        lambda first: ConfigVersion.objects.bulk_update([first], ["values"]),
        lambda first: ConfigVersion.objects.all().delete(),
    ],
)
def test_a_version_is_written_once(write: Any):
    first = registered().config
    assert first is not None
    with pytest.raises(WrittenOnce):
        write(first)


@pytest.mark.django_db(transaction=True)
def test_models_from_before_have_run_with_their_version_since_they_were_registered():
    executor = MigrationExecutor(connection)
    try:
        old = executor.migrate([(APP, "0008_config_uses")]).apps
        provider = old.get_model(APP, "Provider").all_objects.create(
            name="gpu", kind="triton", base_url="u", server_key="k"
        )
        Model = old.get_model(APP, "RegisteredModel")
        model = Model.all_objects.create(name="chat", provider=provider, on_gpu=True, observed="ready")
        config = old.get_model(APP, "ConfigVersion").objects.create(model=model, number=1, created_by="user:kim")
        Model.all_objects.update(config=config)
    finally:
        call_command("migrate", verbosity=0)
    moved = RegisteredModel.objects.get()
    assert moved.loaded_config_id == moved.config_id
    use = ConfigUse.objects.get()
    assert (use.since, use.actor, use.newest) == (moved.created_at, "user:kim", 1)

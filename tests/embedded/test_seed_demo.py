"""`seed_demo`: the demo set is registered once, and what people did to it is respected."""

import io
import stat
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from modelmanager.embedded.repository import DEMO_GPU_MEMORY_MB, DEMO_MODELS
from models_registry import gateways
from models_registry.models import Provider, RegisteredModel
from models_registry.services.registration import delete_model
from tests.triton.fake import FakeTriton
from usage.models import Client, ClientKey
from usage.services.clients import digest_of, revoke_key

pytestmark = pytest.mark.django_db
URL = "http://127.0.0.1:18000"


@pytest.fixture
def triton(monkeypatch: pytest.MonkeyPatch) -> FakeTriton:
    fake = FakeTriton()
    for demo in DEMO_MODELS:
        fake.add(demo.name)
    monkeypatch.setattr(gateways, "triton", lambda provider: fake)
    return fake


def seed(*options: str) -> str:
    out = io.StringIO()
    call_command("seed_demo", *options, stdout=out)
    return out.getvalue()


def test_the_demo_set_is_registered_with_one_small_model_switched_on(triton: FakeTriton) -> None:
    assert "Registered 6 models" in seed("--triton-url", URL)
    provider = Provider.objects.get()
    assert (provider.base_url, provider.gpu_memory_mb, provider.max_loaded_models) == (URL, DEMO_GPU_MEMORY_MB, None)
    models = RegisteredModel.objects.all()
    assert {model.name for model in models} == {demo.name for demo in DEMO_MODELS}
    assert {model.activation_policy for model in models} == {"manual"}
    assert all(model.gpu_memory_mb for model in models)
    assert [model.name for model in models if model.wanted] == ["dict-preprocess"]


def test_a_second_time_nothing_changes(triton: FakeTriton) -> None:
    seed("--triton-url", URL)
    before = list(RegisteredModel.all_objects.order_by("id").values("id", "revision", "edition"))
    assert seed("--triton-url", URL) == ""
    assert list(RegisteredModel.all_objects.order_by("id").values("id", "revision", "edition")) == before
    assert Provider.all_objects.count() == 1


def test_what_a_person_deleted_stays_deleted(triton: FakeTriton) -> None:
    seed("--triton-url", URL)
    delete_model(RegisteredModel.objects.get(name="rag-chat"), actor="someone")
    assert seed("--triton-url", URL) == ""
    assert not RegisteredModel.objects.filter(name="rag-chat").exists()


def test_a_server_that_moved_to_another_port_is_followed(triton: FakeTriton) -> None:
    seed("--triton-url", URL)
    seed("--triton-url", "http://127.0.0.1:28000")
    assert Provider.all_objects.get().base_url == "http://127.0.0.1:28000"


def test_an_existing_server_is_registered_with_what_it_offers_and_nothing_of_it_is_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fake = FakeTriton()
    for name in ("Llama_3", "bge", "idle"):
        fake.add(name)
    fake.load_behind_our_back("Llama_3")
    fake.load_behind_our_back("bge")
    monkeypatch.setattr(gateways, "triton", lambda provider: fake)
    seed("--triton-url", URL, "--offered")
    assert Provider.objects.get().max_loaded_models == 2
    wanted = dict(RegisteredModel.objects.values_list("remote_name", "wanted"))
    assert wanted == {"Llama_3": True, "bge": True, "idle": False}
    assert RegisteredModel.objects.get(remote_name="Llama_3").name == "llama_3"
    assert seed("--triton-url", URL, "--offered") == ""


def test_an_existing_server_that_does_not_answer_is_registered_and_told() -> None:
    told = seed("--triton-url", "http://127.0.0.1:9", "--offered")
    assert "http://127.0.0.1:9 is registered, but does not answer" in told
    assert Provider.objects.get().base_url == "http://127.0.0.1:9"


def test_the_clients_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "client-key"
    seed("--empty", "--client-key-file", str(path))
    key = path.read_text().strip()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ClientKey.objects.get(digest=digest_of(key)).scopes == ["read", "use", "manage"]
    seed("--empty", "--client-key-file", str(path))
    assert path.read_text().strip() == key
    assert Client.objects.get().name == "demo"


def test_a_key_that_no_longer_works_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "client-key"
    seed("--empty", "--client-key-file", str(path))
    first = path.read_text()
    revoke_key(ClientKey.objects.get(), actor="user:kim")
    seed("--empty", "--client-key-file", str(path))
    assert path.read_text() != first
    assert ClientKey.objects.filter(revoked_at=None).count() == 1


def test_an_address_that_is_none_is_refused(triton: FakeTriton) -> None:
    with pytest.raises(CommandError, match="--triton-url"):
        seed("--triton-url", "nonsense")

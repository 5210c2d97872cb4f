"""A provider's key: encrypted in its column, readable only with the installation's keys, lost by nothing."""

from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.db import connection

from modelmanager.lib.encrypted_field import Unreadable
from modelmanager.lib.refusals import Refusal
from models_registry.models import Provider
from models_registry.services.providers import create_provider, update_provider
from tests.registry.arranging import a_provider

pytestmark = pytest.mark.django_db
SECRET = "canary-0123456789-abcd"
OLD, NEW, OTHER = (Fernet.generate_key().decode() for _ in range(3))


@pytest.fixture(autouse=True)
def installation(settings: Any) -> Any:
    settings.CREDENTIAL_KEYS = [OLD]
    return settings


def column(provider: Provider) -> str:
    """What the database holds, past the field."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT api_key FROM {Provider._meta.db_table} WHERE id = %s", [provider.pk])
        return str(cursor.fetchone()[0])


def key_of(provider: Provider) -> str:
    return str(Provider.objects.values_list("api_key", flat=True).get(pk=provider.pk))


def test_the_column_holds_ciphertext_only() -> None:
    provider = a_provider(api_key=SECRET)
    assert SECRET not in column(provider)
    assert Fernet(OLD).decrypt(column(provider)).decode() == SECRET
    assert key_of(provider) == SECRET


def test_one_text_is_encrypted_differently_each_time() -> None:
    assert column(a_provider(api_key=SECRET)) != column(a_provider("gpu2", port=18001, api_key=SECRET))


def test_nothing_stays_nothing() -> None:
    assert column(a_provider()) == ""


def test_a_wrong_key_reads_as_unreadable_and_lists_still_work(installation: Any) -> None:
    a_provider(api_key=SECRET)
    a_provider("gpu2", port=18001)
    installation.CREDENTIAL_KEYS = [OTHER]

    first, second = Provider.objects.order_by("id")

    assert (first.api_key, type(first.api_key), first.api_key_hint) == ("", Unreadable, "")
    assert type(second.api_key) is str


def test_what_is_no_ciphertext_at_all_is_unreadable_too() -> None:
    provider = a_provider()
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {Provider._meta.db_table} SET api_key = 'plain text'")
    assert isinstance(Provider.objects.get(pk=provider.pk).api_key, Unreadable)


def test_an_edit_of_something_else_leaves_the_ciphertext_as_it_is() -> None:
    provider = a_provider(api_key=SECRET)
    before = column(provider)
    update_provider(provider, {"drain_s": 5}, actor="user:kim")
    assert column(provider) == before


def test_an_edit_under_a_wrong_key_keeps_what_it_cannot_read(installation: Any) -> None:
    provider = a_provider(api_key=SECRET)
    before = column(provider)
    installation.CREDENTIAL_KEYS = [OTHER]
    update_provider(Provider.objects.get(pk=provider.pk), {"drain_s": 5}, actor="user:kim")
    assert column(provider) == before


def test_saving_a_whole_row_under_a_wrong_key_keeps_what_it_cannot_read(installation: Any) -> None:
    provider = a_provider(api_key=SECRET)
    before = column(provider)
    installation.CREDENTIAL_KEYS = [OTHER]
    Provider.objects.get(pk=provider.pk).save()
    assert column(provider) == before


def test_a_key_typed_anew_replaces_an_unreadable_one(installation: Any) -> None:
    provider = a_provider(api_key="lost-for-good-1234")
    installation.CREDENTIAL_KEYS = [NEW]
    update_provider(Provider.objects.get(pk=provider.pk), {"api_key": SECRET}, actor="user:kim")
    assert key_of(provider) == SECRET


def test_the_newest_key_encrypts_and_every_key_decrypts(installation: Any) -> None:
    provider = a_provider(api_key=SECRET)
    installation.CREDENTIAL_KEYS = [NEW, OLD]
    assert key_of(provider) == SECRET

    Provider.objects.get(pk=provider.pk).save()

    assert Fernet(NEW).decrypt(column(provider)).decode() == SECRET
    installation.CREDENTIAL_KEYS = [NEW]
    assert key_of(provider) == SECRET


@pytest.mark.parametrize(("key", "hint"), [("", ""), ("short", "…"), ("elevenchars", "…"), (SECRET, "…abcd")])
def test_a_hint_never_gives_a_short_key_away(key: str, hint: str) -> None:
    assert a_provider(api_key=key).api_key_hint == hint


def test_the_masked_value_saved_back_changes_nothing() -> None:
    provider = a_provider(api_key=SECRET)
    before = column(provider)
    update_provider(provider, {"api_key": provider.api_key_hint, "drain_s": 5}, actor="user:kim")
    assert column(provider) == before


def test_the_mask_of_a_short_key_saved_back_changes_nothing() -> None:
    provider = a_provider(api_key="short")
    update_provider(provider, {"api_key": "…"}, actor="user:kim")
    assert key_of(provider) == "short"


def test_an_empty_value_removes_the_key() -> None:
    provider = a_provider(api_key=SECRET)
    update_provider(provider, {"api_key": ""}, actor="user:kim")
    assert column(provider) == ""


def test_no_refusal_repeats_the_key() -> None:
    a_provider()
    with pytest.raises(Refusal) as refused:
        create_provider(actor="user:kim", name="gpu", kind="nonsense", base_url="", api_key=SECRET)
    assert SECRET not in f"{refused.value!r} {refused.value.detail} {refused.value.extra}"

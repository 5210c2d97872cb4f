"""Rotating the installation's keys: everything is re-encrypted, nothing is lost, whatever happens in between."""

import io
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from django.core.management import call_command
from django.db import connection

from modelmanager.lib import rotation
from modelmanager.lib.clock import now
from modelmanager.lib.encrypted_field import encrypted, opened
from modelmanager.lib.rotation import CHUNK, encrypted_columns, look_through, rotate
from models_registry.models import Provider
from tests.secrets.commands import database_url_of_the_test, environment, finished, started

NEW, OLD, OLDEST, FOREIGN = (Fernet.generate_key().decode() for _ in range(4))
API_KEY, API_KEY_2 = (column for column in encrypted_columns() if column.table is Provider)


@pytest.fixture(autouse=True)
def keys(settings: Any) -> Any:
    settings.CREDENTIAL_KEYS = [OLD]
    return settings


def add(count: int, *, prefix: str = "p", **fields: Any) -> None:
    """Providers whose keys tell whose they are."""
    rows = [
        Provider(name=f"{prefix}{n}", kind="openai", api_key=f"first-{prefix}{n}", api_key_2=f"second-{n}", **fields)
        for n in range(count)
    ]
    Provider.objects.bulk_create(rows, batch_size=500)


def put(name: str, ciphertext: str) -> None:
    """What another installation, or a broken copy, left in the column."""
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {Provider._meta.db_table} SET api_key = %s WHERE name = %s", [ciphertext, name])


def stored(column: rotation.Column = API_KEY) -> dict[str, str]:
    return dict(column.values().values_list("name", "stored"))


def key_numbers() -> set[int | None]:
    """Which of the present keys open what is stored, in both columns."""
    return {opened(text)[1] for column in (API_KEY, API_KEY_2) for text in stored(column).values()}


def run(*arguments: str) -> tuple[int, str]:
    """(exit code, output) of the command."""
    out = io.StringIO()
    try:
        call_command("rotate_credentials", *arguments, stdout=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def test_every_encrypted_column_is_found_by_itself() -> None:
    assert {str(column) for column in encrypted_columns()} >= {
        "models_registry.Provider.api_key",
        "models_registry.Provider.api_key_2",
    }


@pytest.mark.django_db
def test_everything_is_re_encrypted_with_the_first_key_and_reads_as_before(keys: Any) -> None:
    add(CHUNK + 1)
    add(3, prefix="deleted", deleted_at=now())
    Provider.objects.create(name="empty", kind="openai")
    keys.CREDENTIAL_KEYS = [NEW, OLD]

    code, told = run()

    assert (code, key_numbers()) == (0, {0})
    assert f"Provider.api_key: {CHUNK + 4} with the first key ({CHUNK + 4} re-encrypted now), 0 with an older" in told
    assert "may be dropped" in told
    keys.CREDENTIAL_KEYS = [NEW]
    assert all(row.api_key == f"first-{row.name}" for row in Provider.all_objects.exclude(name="empty"))


@pytest.mark.django_db
def test_a_second_rotation_writes_nothing(keys: Any) -> None:
    add(5)
    keys.CREDENTIAL_KEYS = [NEW, OLD]
    run()
    before = stored()
    assert run()[0] == 0
    assert stored() == before


@pytest.mark.django_db
def test_nothing_but_the_ciphertext_changes(keys: Any) -> None:
    add(1)
    columns = [
        field.attname for field in Provider._meta.concrete_fields if field.attname not in ("api_key", "api_key_2")
    ]
    before = Provider.objects.values(*columns).get()
    keys.CREDENTIAL_KEYS = [NEW, OLD]
    run()
    assert Provider.objects.values(*columns).get() == before


@pytest.mark.django_db
def test_a_check_tells_what_needs_an_older_key_and_changes_nothing(keys: Any) -> None:
    add(4)
    before = stored()
    keys.CREDENTIAL_KEYS = [NEW, OLD]

    code, told = run("--check")

    assert (code, stored()) == (1, before)
    assert "Provider.api_key: 0 with the first key (0 re-encrypted now), 4 with an older key, 0 that no key" in told
    assert "run rotate_credentials before you drop them" in told
    run()
    assert run("--check")[0] == 0


@pytest.mark.django_db
def test_what_no_key_opens_is_named_and_left_alone(keys: Any) -> None:
    add(3)
    put("p1", Fernet(FOREIGN).encrypt(b"elsewhere").decode())
    put("p2", "no ciphertext at all")
    before = stored()
    keys.CREDENTIAL_KEYS = [NEW, OLD]

    code, told = run()

    after = stored()
    assert code == 1
    assert (after["p1"], after["p2"]) == (before["p1"], before["p2"])
    assert opened(after["p0"]) == ("first-p0", 0)
    assert "cannot be opened: p1 (id" in told
    assert "cannot be opened: p2 (id" in told
    assert "no ciphertext at all" not in told


@pytest.mark.django_db
def test_a_value_that_is_edited_meanwhile_is_not_overwritten(keys: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    add(4)
    keys.CREDENTIAL_KEYS = [NEW, OLD, OLDEST]
    replace = rotation._replace

    def edited_in_between(column: rotation.Column, older: list[Any]) -> Any:
        if column == API_KEY and any(text == "first-p1" for _pk, _stored, text in older):
            put("p1", encrypted("typed just now"))
            put("p2", Fernet(OLDEST).encrypt(b"typed by a process that knows no newer key").decode())
            put("p3", "")
        return replace(column, older)

    monkeypatch.setattr(rotation, "_replace", edited_in_between)
    tally = rotate(API_KEY)

    assert (tally.current, tally.replaced, tally.older) == (1, 2, 0)
    assert key_numbers() == {0, 1}  # the other column was not rotated
    texts = {name: opened(text) for name, text in stored().items()}
    assert texts == {
        "p0": ("first-p0", 0),
        "p1": ("typed just now", 0),
        "p2": ("typed by a process that knows no newer key", 0),
    }


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.django_db(transaction=True)
def test_a_rotation_of_ten_thousand_rows_is_killed_and_goes_on(keys: Any, tmp_path: Path) -> None:
    add(10_000)
    put("p9999", Fernet(FOREIGN).encrypt(b"elsewhere").decode())
    lost = stored()["p9999"]
    env = environment(DATABASE_URL=database_url_of_the_test(), DATA_DIR=tmp_path, CREDENTIAL_KEYS=f"{NEW},{OLD}")
    env["SECRET_KEY"] = Fernet.generate_key().decode()

    killed = started("rotate_credentials", env=env)
    assert killed.stdout is not None
    for line in killed.stdout:
        if "api_key: 3" in line:
            break
    killed.kill()
    assert killed.wait() == -9
    keys.CREDENTIAL_KEYS = [NEW, OLD]
    half_way = look_through(API_KEY)
    assert 3_000 <= half_way.current < 9_999, "it was killed in the middle"
    assert half_way.older == 9_999 - half_way.current
    done_before = {name: text for name, text in stored().items() if opened(text)[1] == 0}

    resumed = finished("rotate_credentials", env=env, within_s=400)

    assert resumed.returncode == 1, resumed.stdout + resumed.stderr  # for the one that nobody can open
    assert "cannot be opened: p9999 (id" in resumed.stdout
    keys.CREDENTIAL_KEYS = [NEW]
    after = stored()
    assert len(after) == 10_000
    assert after.pop("p9999") == lost
    assert all(opened(text) == (f"first-{name}", 0) for name, text in after.items())
    assert {name: after[name] for name in done_before} == done_before, "what was done is not done again"
    assert look_through(API_KEY_2).current == 10_000

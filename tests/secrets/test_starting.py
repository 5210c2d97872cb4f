"""An installation with a missing, broken or placeholder secret does not start, and says what to do in a sentence."""

import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet

from modelmanager.checks import installation
from modelmanager.installation import problem_with_database_url, problem_with_secret_key, problems_with_credential_keys
from tests.ports import free_ports
from tests.secrets.commands import ROOT, environment, finished

pytestmark = pytest.mark.slow  # each starts a process
GOOD_KEY = Fernet.generate_key().decode()
GOOD_SECRET = "q1W8Zr3_tY6uI9oP2aS5dF7gH0jK4lX-cV8bN6mQ"
ELSEWHERE = "mysql://nobody@127.0.0.1:1/nothing"  # never connected to: the refusal comes first
COMMANDS = (["migrate", "--no-input"], ["worker"], ["check"], ["rotate_credentials"], ["create_client", "chatbot"])


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command[0])
def test_no_command_starts_on_a_database_elsewhere_without_secrets(tmp_path: Path, command: list[str]) -> None:
    refused = finished(*command, env=environment(DATA_DIR=tmp_path, DATABASE_URL=ELSEWHERE))
    assert refused.returncode == 1
    assert "CREDENTIAL_KEYS is not set" in refused.stderr
    assert "SECRET_KEY is not set" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "credential.keys").exists(), "a key of its own would hide that the right one is missing"


def test_the_web_server_does_not_start_either_and_does_not_try_again(tmp_path: Path) -> None:
    env = environment(
        DATA_DIR=tmp_path, DATABASE_URL=ELSEWHERE, SECRET_KEY=GOOD_SECRET, WEB_BIND=f"127.0.0.1:{free_ports(1)}"
    )
    argv = [sys.executable, "-m", "gunicorn", "-c", "gunicorn.conf.py", "modelmanager.wsgi:application"]
    refused = subprocess.run(argv, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60)
    assert refused.returncode == 3
    assert "CREDENTIAL_KEYS is not set" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_secrets_that_are_given_or_lie_in_the_data_directory_are_enough(tmp_path: Path) -> None:
    given = environment(
        DATA_DIR=tmp_path / "a", DATABASE_URL=ELSEWHERE, CREDENTIAL_KEYS=GOOD_KEY, SECRET_KEY=GOOD_SECRET
    )
    assert finished("check", env=given).returncode == 0
    (tmp_path / "credential.keys").write_text(f"{GOOD_KEY}\n{Fernet.generate_key().decode()}\n")
    (tmp_path / "secret.key").write_text(GOOD_SECRET)
    assert finished("check", env=environment(DATA_DIR=tmp_path, DATABASE_URL=ELSEWHERE)).returncode == 0


def test_on_the_embedded_database_the_secrets_make_themselves(tmp_path: Path) -> None:
    assert finished("check", env=environment(DATA_DIR=tmp_path)).returncode == 0
    for name in ("secret.key", "credential.keys"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert problems_with_credential_keys([(tmp_path / "credential.keys").read_text().strip()]) == []


def test_a_placeholder_is_refused_even_there(tmp_path: Path) -> None:
    refused = finished("migrate", env=environment(DATA_DIR=tmp_path, CREDENTIAL_KEYS="changeme-and-do-not-repeat"))
    assert refused.returncode == 1
    assert "CREDENTIAL_KEYS: key 1 of 1 is not a Fernet key" in refused.stderr
    assert "do-not-repeat" not in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("url", ["", "postgres://root:s3cret@db/x", "s3cret", "mysql://"])
def test_a_database_url_that_is_none_is_refused_in_a_sentence(tmp_path: Path, url: str) -> None:
    refused = finished("migrate", env=environment(DATA_DIR=tmp_path, DATABASE_URL=url, CREDENTIAL_KEYS=GOOD_KEY))
    assert refused.returncode == 1
    assert "DATABASE_URL" in refused.stderr
    assert "mysql://user:password@host:3306/name" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "s3cret" not in refused.stderr + refused.stdout


PLACEHOLDERS = {
    "a word": "changeme",
    "too short": Fernet.generate_key().decode()[:-4],
    "one byte over and over": "A" * 43 + "=",
    "text in base64": "dGhpcy1pcy1hLXBsYWNlaG9sZGVyLWtleS0zMi1ieXQ=",
    "not the URL's alphabet": "+" + Fernet.generate_key().decode()[1:],
    "in quotes": f'"{GOOD_KEY}"',
}


@pytest.mark.parametrize("key", list(PLACEHOLDERS.values()), ids=list(PLACEHOLDERS))
def test_what_is_no_random_key_is_found_at_its_place(key: str) -> None:
    [problem] = problems_with_credential_keys([GOOD_KEY, key])
    assert problem.startswith("CREDENTIAL_KEYS: key 2 of 2 is ")
    assert key not in problem


def test_a_made_key_is_never_taken_for_a_placeholder() -> None:
    assert problems_with_credential_keys([Fernet.generate_key().decode() for _ in range(2000)]) == []


@pytest.mark.parametrize(
    "secret",
    ["", "changeme", "s" * 60, "django-insecure-0v3rK2mzq8w!x#1d5yTbn4", "<a long random text, 50 characters>"],
)
def test_what_is_no_secret_is_refused(secret: str) -> None:
    problem = problem_with_secret_key(secret)
    assert problem.startswith("SECRET_KEY is ")
    assert not secret or secret not in problem


def test_what_is_in_order_has_no_problem(settings: Any) -> None:
    assert problem_with_secret_key(GOOD_SECRET) == ""
    assert problem_with_database_url("mysql://u:p@h:3306/n") == problem_with_database_url("sqlite:////x/y.db") == ""
    assert installation() == []
    settings.CREDENTIAL_KEYS = []
    assert [problem.id for problem in installation()] == ["modelmanager.E001"]

"""What an installation is given from outside: its secrets and its database, and what is wrong with them.

On the embedded database the secrets make themselves, as files beside it. For a database elsewhere they have to be
given: each host would make its own, and none could read what another has encrypted.
"""

import base64
import re
from pathlib import Path

from cryptography.fernet import Fernet
from django.core.management.utils import get_random_secret_key

from modelmanager.lib.secret_files import read_or_create

SECRET_KEY_FILE, CREDENTIAL_KEYS_FILE = "secret.key", "credential.keys"
MAKE_A_KEY = 'python3 -c "import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())"'
MAKE_A_SECRET = 'python3 -c "import secrets; print(secrets.token_urlsafe(50))"'  # noqa: S105
_FERNET_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")
# 32 random bytes have about 30 different values; fewer than this many they have once in 10**30 keys.
FEWEST_DIFFERENT_BYTES = 12
SHORTEST_SECRET, FEWEST_DIFFERENT_CHARACTERS = 32, 10
_PLACEHOLDER = re.compile(
    r"change.?(me|this|it)|placeholder|insecure|your.?(secret|key)|example|\btodo\b|[<>]", re.IGNORECASE
)


def make_secrets(data_dir: Path) -> None:
    """Make the files with the installation's secrets where they are not there yet; only their owner can read them."""
    read_or_create(data_dir / SECRET_KEY_FILE, get_random_secret_key)
    read_or_create(data_dir / CREDENTIAL_KEYS_FILE, lambda: Fernet.generate_key().decode())


def given_or_kept(given: str, path: Path) -> str:
    """A secret as it was given, else as its file in DATA_DIR has it, else empty."""
    return given or (path.read_text(encoding="utf-8").strip() if path.exists() else "")


def listed(keys: str) -> list[str]:
    """Keys with commas or line ends between them, newest first."""
    return [key.strip() for key in keys.replace("\n", ",").split(",") if key.strip()]


def problem_with_database_url(url: str) -> str:
    """Why this is no database of ours, in a sentence, or empty; never repeats the URL, which may hold a password."""
    if not url.strip():
        return "DATABASE_URL is empty: remove it to use the embedded database, or name one, " + _DATABASES
    scheme, there, rest = url.partition("://")
    return "" if there and scheme in ("sqlite", "mysql") and rest else f"DATABASE_URL must be {_DATABASES}"


_DATABASES = "sqlite:////path/to/file or mysql://user:password@host:3306/name."


def problem_with_retention(days: int) -> str:
    """Why records cannot be kept for so long, in a sentence, or empty."""
    if days >= 1:
        return ""
    return f"USAGE_RETENTION_DAYS is {days}: give 1 or more days, or the next night removes every usage record."


def problem_with_secret_key(secret: str) -> str:
    """Why this is no secret, in a sentence, or empty."""
    if not secret:
        return f"SECRET_KEY is not set, which a database elsewhere needs: make one with {MAKE_A_SECRET}"
    is_weak = len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_DIFFERENT_CHARACTERS
    if is_weak or _PLACEHOLDER.search(secret):
        return f"SECRET_KEY is a placeholder or too short, and could be guessed: make one with {MAKE_A_SECRET}"
    return ""


def problems_with_credential_keys(keys: list[str]) -> list[str]:
    """What is wrong with the keys, a sentence for each; never repeats one."""
    if not keys:
        return [
            "CREDENTIAL_KEYS is not set, and a database elsewhere needs it to encrypt the keys of providers: "
            f"make one with {MAKE_A_KEY} and keep it with your backups."
        ]
    found = ((number, _problem_with_key(key)) for number, key in enumerate(keys, start=1))
    return [
        f"CREDENTIAL_KEYS: key {number} of {len(keys)} {problem}: make one with {MAKE_A_KEY}"
        for number, problem in found
        if problem
    ]


def _problem_with_key(key: str) -> str:
    if not _FERNET_KEY.fullmatch(key):
        return "is not a Fernet key (44 characters that stand for 32 random bytes)"
    random = base64.urlsafe_b64decode(key)
    if len(set(random)) < FEWEST_DIFFERENT_BYTES or random.isascii():  # text, or one of 4 billion random keys
        return "is a placeholder and not random"
    return ""

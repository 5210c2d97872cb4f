"""A text field whose column holds ciphertext only."""

from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


class Unreadable(str):
    """The empty text that stands for a value none of the installation's keys opens."""


def _cipher() -> MultiFernet:
    return MultiFernet([Fernet(key) for key in settings.CREDENTIAL_KEYS])


class EncryptedTextField(models.TextField):
    """Encrypts with the first of `settings.CREDENTIAL_KEYS`, decrypts with any of them.

    Empty stays empty. A value that no key opens reads as `Unreadable()`, so that lists still work,
    and is written back untouched only by statements that leave this column out.
    """

    def get_prep_value(self, value: Any) -> str | None:
        if not value:
            return value
        return _cipher().encrypt(str(value).encode()).decode()

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        if not value:
            return value
        try:
            return _cipher().decrypt(value.encode()).decode()
        except InvalidToken:
            return Unreadable()

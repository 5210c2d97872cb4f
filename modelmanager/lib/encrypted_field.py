"""A text field whose column holds ciphertext only."""

import functools
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.db import models


class Unreadable(str):
    """The empty text that stands for a value none of the installation's keys opens; it keeps the `ciphertext`."""

    ciphertext: str

    def __new__(cls, ciphertext: str = "") -> "Unreadable":
        text = super().__new__(cls)
        text.ciphertext = ciphertext
        return text


@functools.lru_cache(maxsize=4)
def _ciphers(keys: tuple[str, ...]) -> tuple[Fernet, ...]:
    """Made once: that takes longer than to use one."""
    return tuple(Fernet(key) for key in keys)


def encrypted(text: str) -> str:
    """The text as ciphertext of the first key."""
    return _ciphers(tuple(settings.CREDENTIAL_KEYS))[0].encrypt(text.encode()).decode()


def opened(ciphertext: str) -> tuple[str, int | None]:
    """The text and the number of the key that opens it, counted from 0; ("", None) when none does."""
    for number, cipher in enumerate(_ciphers(tuple(settings.CREDENTIAL_KEYS))):
        try:
            return cipher.decrypt(ciphertext.encode()).decode(), number
        except InvalidToken:
            continue
    return "", None


class EncryptedTextField(models.TextField):
    """Encrypts with the first of `settings.CREDENTIAL_KEYS`, decrypts with any of them.

    Empty stays empty. A value that no key opens reads as `Unreadable()`, so that lists still work,
    and is written back as it was.
    """

    def get_prep_value(self, value: Any) -> str | None:
        if isinstance(value, Unreadable):
            return value.ciphertext
        if not value:
            return value
        return encrypted(str(value))

    def from_db_value(self, value: str | None, *_: object) -> str | None:
        if not value:
            return value
        text, key_number = opened(value)
        return Unreadable(value) if key_number is None else text

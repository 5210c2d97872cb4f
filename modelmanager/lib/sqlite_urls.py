"""The URL of a SQLite file."""

from pathlib import Path


def sqlite_url(path: Path) -> str:
    """Its URL, also where the path has characters that mean something else in one; others stay readable."""
    text = str(path)
    for character in "%?#":
        text = text.replace(character, f"%{ord(character):02X}")
    return f"sqlite:///{text}"

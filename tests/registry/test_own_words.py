"""What is kept in English and is ours is told in the reader's language; what a provider said stays as it was."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from models_registry import own_words
from models_registry.own_words import retold

ROOT = Path(__file__).parents[2]
# What these are called with is kept in rows, as it is.
KEEPERS = ("ProviderUnavailable", "ProviderRefused")
KEPT_NAMES = ("TIMED_OUT", "MEMORY_KEPT", "LOST")


@pytest.fixture(autouse=True)
def marked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A language in which every text of ours stands in brackets."""
    monkeypatch.setattr(own_words, "gettext", lambda text: f"[{text}]")


def sample(node: ast.expr) -> str | None:
    """The text that an expression makes, with a word for each of its values; None where it is no literal."""
    match node:
        case ast.Constant(str(text)):
            return text
        case ast.JoinedStr(parts):
            return "".join(part.value if isinstance(part, ast.Constant) else "word" for part in parts)  # type: ignore[misc]
    return None


def kept() -> Iterator[str]:
    """Our own texts that sources hand to a failure of a provider, or name as the end of an operation."""
    for path in [path for layer in ("models_registry", "usage", "monitoring") for path in (ROOT / layer).rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.Call(ast.Name(name), [said, *_]) if name in KEEPERS:
                    yield sample(said) or ""
                case ast.Assign([ast.Name(name)], said) if name in KEPT_NAMES:
                    yield sample(said) or ""


def test_every_text_of_ours_that_is_kept_is_known() -> None:
    texts = {text for text in kept() if text}
    assert len(texts) > 20
    assert {text for text in texts if not retold(text).startswith("[")} == set()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("connection refused", "[connection refused]"),
        ("TLS failed: certificate has expired", "[TLS failed: certificate has expired]"),
        ("broken answer: the index is not a list", "[broken answer: [the index is not a list]]"),
        ("the question was refused: the server answered 502", "[the question was refused: [the server answered 502]]"),
        ("waited 900 s for room, held by bge-m3, rag-chat", "[waited 900 s for room, held by bge-m3, rag-chat]"),
        ("waited 900 s for room", "[waited 900 s for room]"),
        (
            "waited 900 s for its provider, which is disabled",
            "[waited 900 s for its provider, which is disabled]",
        ),
        (
            "the server serves version 1, 2 of it, not 7: switch it off and correct its version",
            "[the server serves version 1, 2 of it, not 7: switch it off and correct its version]",
        ),
        ("version 3 did not load: CUDA out of memory", "[version 3 did not load: CUDA out of memory]"),
    ],
)
def test_ours_is_told_anew_with_what_stands_in_it(text: str, told: str) -> None:
    assert retold(text) == told


@pytest.mark.parametrize(
    "text", ["", "CUDA out of memory", "for bge-m3", "Internal: RuntimeError: connection refused", "HTTP 401: no\nkey"]
)
def test_what_a_provider_said_stays_as_it_was(text: str) -> None:
    assert retold(text) == text


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("evicted", "for bge-m3"),
        ("handing_over", "to bge-m3"),
        ("config_applied", "version 2: colder answers"),
        ("config_differs", "the server has it otherwise: /max_batch_size"),
    ],
)
def test_some_are_ours_in_events_of_one_code_only(code: str, text: str) -> None:
    assert retold(text, code) == f"[{text}]"
    assert retold(text, "load_failed") == text

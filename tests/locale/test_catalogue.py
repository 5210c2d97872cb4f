"""The Korean catalogue is complete, current and compiled."""

import gettext
import importlib.util
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.utils.translation import trans_real

from tests.locale.catalogue import PO, ROOT, Entry, entries
from tests.locale.extraction import Text, texts_below

OURS = [ROOT / name for name in ("modelmanager", "models_registry", "usage", "monitoring", "templates")]


@pytest.fixture(scope="module")
def catalogue() -> list[Entry]:
    return entries()


def test_every_text_is_translated(catalogue):
    assert catalogue
    assert [entry.text.msgid for entry in catalogue if not entry.translation or "fuzzy" in entry.flags] == []


def test_translations_keep_placeholders_and_tags(catalogue):
    assert [entry.text.msgid for entry in catalogue if entry.placeholders[0] != entry.placeholders[1]] == []


def test_the_compiled_catalogue_says_the_same(catalogue):
    with PO.with_suffix(".mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)._catalog
    assert {key: said for key, said in compiled.items() if key} == {_key(e.text): e.translation for e in catalogue}


def test_it_holds_the_texts_of_our_sources_and_no_others(catalogue):
    in_sources = {(text.context, text.msgid) for text in texts_below(OURS)}
    listed = {(entry.text.context, entry.text.msgid) for entry in catalogue}
    assert (in_sources - listed, listed - in_sources) == (set(), set())


def test_every_text_of_the_theme_has_a_translation():
    theme = _folder("unfold")
    contributed = [
        path for path in (theme / "contrib").iterdir() if f"unfold.contrib.{path.name}" in settings.INSTALLED_APPS
    ]
    parts = [path for path in theme.iterdir() if path.name not in ("contrib", "static")]
    assert _untranslated(texts_below([*parts, *contributed])) == []


def test_what_a_locked_out_person_reads_has_a_translation():
    texts = texts_below([_folder("axes") / "conf.py"])
    assert texts
    assert _untranslated(texts) == []


def _folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent


def _untranslated(texts: set[Text]) -> list[Text]:
    """Texts that Django shows in English to people who read Korean, whichever package should know better."""
    known: Any = trans_real.translation("ko")._catalog  # type: ignore[attr-defined]
    return sorted(text for text in texts if _key(text) not in known and _key(text, plural=True) not in known)


def _key(text: Text, *, plural: bool | None = None) -> str | tuple[str, int]:
    """How compiled catalogues name a text."""
    name = f"{text.context}\x04{text.msgid}" if text.context else text.msgid
    return (name, 0) if (bool(text.plural) if plural is None else plural) else name

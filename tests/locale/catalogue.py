"""Our Korean catalogue, as its file says."""

import ast
import re
from dataclasses import dataclass, field
from pathlib import Path

from tests.locale.extraction import Text

ROOT = Path(__file__).resolve().parent.parent.parent
PO = ROOT / "locale/ko/LC_MESSAGES/django.po"
LINE = re.compile(r'(msgctxt|msgid_plural|msgid|msgstr(?:\[0\])?)? ?(".*")$')
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[a-z]|\{\w*\}|</?(?:a|b|p|br|span|strong|em|code)\b[^>]*>")


@dataclass
class Entry:
    """One text with its translation."""

    text: Text
    translation: str
    flags: set[str] = field(default_factory=set)

    @property
    def placeholders(self) -> tuple[list[str], list[str]]:
        """What is put in, and the tags, of the text and of its translation; both sorted."""
        sides = (self.text.plural or self.text.msgid, self.translation)
        return tuple(sorted(PLACEHOLDER.findall(side)) for side in sides)  # type: ignore[return-value]


def entries() -> list[Entry]:
    """All entries but the header."""
    blocks = PO.read_text("utf-8").strip().split("\n\n")
    return [entry for entry in map(_entry, blocks) if entry.text.msgid]


def _entry(block: str) -> Entry:
    parts: dict[str, str] = {}
    flags: set[str] = set()
    name = ""
    for line in block.splitlines():
        if line.startswith("#,"):
            flags |= {flag.strip() for flag in line[2:].split(",")}
        elif match := LINE.match(line):
            name = match[1] or name
            parts[name] = parts.get(name, "") + ast.literal_eval(match[2])
    text = Text(parts.get("msgid", ""), parts.get("msgctxt", ""), parts.get("msgid_plural", ""))
    return Entry(text, parts.get("msgstr", "") or parts.get("msgstr[0]", ""), flags)

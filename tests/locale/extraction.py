"""The texts that Python files and templates hand to gettext, read without GNU gettext."""

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation.template import templatize

LITERAL = r"""u?('(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*")"""
CALL = re.compile(rf"\b(n?p?gettext|_)\(\s*{LITERAL}(?:\s*,\s*{LITERAL})?(?:\s*,\s*{LITERAL})?")


@dataclass(frozen=True, order=True)
class Text:
    """One entry of a catalogue, by what identifies it."""

    msgid: str
    context: str = ""
    plural: str = ""


def texts_below(roots: Iterable[Path]) -> set[Text]:
    """All texts of the .py and .html files at or below `roots`."""
    files = [file for root in roots for file in ([root] if root.is_file() else sorted(root.rglob("*.*")))]
    found: set[Text] = set()
    for file in files:
        if file.suffix == ".py":
            found.update(_in_python(file.read_text("utf-8")))
        elif file.suffix == ".html":
            found.update(_in_template(file.read_text("utf-8")))
    return found


def _in_python(source: str) -> Iterator[Text]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            name: str = getattr(node.func, "id", "") or getattr(node.func, "attr", "")
            strings = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
            yield from _text(name.removesuffix("_lazy").removesuffix("_noop"), strings)


def _in_template(source: str) -> Iterator[Text]:
    for name, *literals in CALL.findall(templatize(source)):
        yield from _text(name, [ast.literal_eval(literal) for literal in literals if literal])


def _text(function: str, strings: list[str]) -> Iterator[Text]:
    match function, strings:
        case ("_" | "gettext", [msgid, *_]):
            yield Text(msgid)
        case ("ngettext", [msgid, plural, *_]):
            yield Text(msgid, plural=plural)
        case ("pgettext", [context, msgid, *_]):
            yield Text(msgid, context)
        case ("npgettext", [context, msgid, plural, *_]):
            yield Text(msgid, context, plural)

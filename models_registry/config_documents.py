"""What a configuration document may be: checked against the schema of its model, all errors at once. Pure."""

import json
from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from modelmanager.lib import strict_json
from models_registry.config_schemas import schema_of
from models_registry.json_pointers import pointer

LARGEST_BYTES = 64 * 1024
DEEPEST = 16
MOST_ERRORS = 100

# Keywords of JSON Schema and the codes that our errors have.
CODES = {
    "type": "invalid_type",
    "enum": "invalid_choice",
    "minimum": "min_value",
    "exclusiveMinimum": "min_value",
    "maximum": "max_value",
    "minLength": "min_length",
    "maxLength": "max_length",
    "minItems": "min_length",
    "maxItems": "max_length",
    "minProperties": "min_length",
    "maxProperties": "max_length",
}


def errors_of(values: Any, *, kind: str, on_triton: bool) -> list[dict[str, str]]:
    """Every error of a document for such a model (at most 100), each on its JSON pointer within the document.

    What is wrong with the document as a whole is told on the field `values`.
    """
    if error := _unfit(values):
        return [{"field": "values", "code": error[0], "detail": error[1]}]
    from jsonschema import Draft202012Validator

    validator = Draft202012Validator(schema_of(kind, on_triton=on_triton))
    found = [error for broken in validator.iter_errors(values) for error in _told(broken)]
    return sorted(found, key=lambda error: error["field"])[:MOST_ERRORS]


def _unfit(values: Any) -> tuple[str, str] | None:
    """Why the document is not looked into."""
    if not isinstance(values, dict):
        return "not_a_dict", _("Give a JSON object.")
    try:
        strict_json.refuse_unstorable(values, deepest=DEEPEST)
        size = len(json.dumps(values, ensure_ascii=False, allow_nan=False).encode())
    except (ValueError, TypeError) as error:
        return "invalid", str(error)
    if size > LARGEST_BYTES:
        return "too_large", _("The document is larger than %(kb)d KiB.") % {"kb": LARGEST_BYTES // 1024}
    return None


def _told(broken: Any) -> Iterator[dict[str, str]]:
    """One error of jsonschema as ours: a name that is too much or lacks is told on its own pointer."""
    path = list(broken.absolute_path)
    match broken.validator:
        case "additionalProperties":
            known = broken.schema.get("properties", {})
            for name in (name for name in broken.instance if name not in known):
                yield _error([*path, name], "unknown_field", _("There is no such field."))
        case "required":
            for name in (name for name in broken.validator_value if name not in broken.instance):
                yield _error([*path, name], "required", _("This is required."))
        case "not" if "propertyNames" in broken.absolute_schema_path:
            yield _error([*path, broken.instance], "misplaced", _("This has a place of its own, or never changes."))
        case "not":
            yield _error(path, "not_triton", _("Only a model on a Triton server is loaded with settings."))
        case keyword:
            yield _error(path, CODES.get(keyword, "invalid"), _detail(keyword, broken.validator_value))


def _error(path: list[str | int], code: str, detail: str) -> dict[str, str]:
    return {"field": pointer(path), "code": code, "detail": detail}


def _detail(keyword: str, limit: Any) -> str:
    texts = {
        "type": _("Give a value of this type: %(limit)s."),
        "enum": _("Choose from %(limit)s."),
        "minimum": _("Give at least %(limit)s."),
        "exclusiveMinimum": _("Give more than %(limit)s."),
        "maximum": _("Give at most %(limit)s."),
        "minLength": _("Give at least %(limit)s characters."),
        "maxLength": _("Give at most %(limit)s characters."),
        "minItems": _("Give at least %(limit)s entries."),
        "maxItems": _("Give at most %(limit)s entries."),
        "minProperties": _("Give at least %(limit)s entries."),
        "maxProperties": _("Give at most %(limit)s entries."),
    }
    shown = ", ".join(map(str, limit)) if isinstance(limit, list) else limit
    return texts.get(keyword, _("This is not valid.")) % {"limit": shown}

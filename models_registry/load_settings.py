"""What a configuration document says about loading on Triton. Pure.

Triton takes a whole configuration at a load, instead of the one in its repository and not on top of it. So the
document's section `triton` is a JSON merge patch (RFC 7396) over the server's own configuration of the model.
"""

import json
from typing import Any

from models_registry.json_pointers import pointer, same

# A server that decides itself reports what it decided.
SERVER_DECIDES = "KIND_AUTO"


def load_settings(values: dict[str, Any]) -> dict[str, Any]:
    """The patch that the document makes of the server's own configuration; empty: none."""
    section = dict(values.get("triton") or {})
    patch: dict[str, Any] = {**section.pop("config", {}), **section}
    if "parameters" in patch:
        patch["parameters"] = {name: _parameter(value) for name, value in patch["parameters"].items()}
    return patch


def load_alike(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two documents make a server load the model in the same way."""
    return same(load_settings(one), load_settings(other))


def merged(base: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """The configuration that is sent: `base` with the patch on it; a version policy replaces the one there is."""
    policy = {"version_policy": None} if "version_policy" in patch else {}
    result: dict[str, Any] = json.loads(json.dumps(_patched({**base, **policy}, patch)))
    return result


def differences(effective: dict[str, Any], patch: dict[str, Any]) -> list[dict[str, Any]]:
    """Where a server's effective configuration is not what the patch says: `{pointer, wanted, found}` each."""
    return list(_differences(effective, patch, ""))


def _parameter(value: Any) -> Any:
    return {"string_value": value} if isinstance(value, str) else value


def _patched(target: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = _patched(result.get(name), value)
    return result


def _differences(found: Any, wanted: Any, at: str) -> Any:
    if isinstance(wanted, dict) and isinstance(found, dict):
        for name, value in wanted.items():
            yield from _differences(found.get(name), value, at + pointer([name]))
    elif isinstance(wanted, list) and isinstance(found, list) and len(wanted) == len(found):
        for place, value in enumerate(wanted):
            yield from _differences(found[place], value, at + pointer([place]))
    elif not _is_as_wanted(found, wanted):
        yield {"pointer": at, "wanted": wanted, "found": found}


def _is_as_wanted(found: Any, wanted: Any) -> bool:
    """64-bit numbers are texts in the JSON of some servers, and what is empty may be left out."""
    if wanted == SERVER_DECIDES or same(found, wanted):
        return True
    if wanted in (None, {}, [], "", 0, False):
        return found in (None, {}, [], "", 0, False)
    return isinstance(wanted, int) and isinstance(found, str) and found == str(wanted)

"""What the generated schema cannot know: how each operation may refuse, and that bodies hold nothing unknown."""

from typing import Any

from modelmanager.api.problems import MEDIA_TYPE

PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details; `code` is stable, texts follow Accept-Language.",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "retry_after_s": {"type": "integer", "description": "Where waiting helps; also as Retry-After."},
        "errors": {
            "type": "array",
            "description": "With code `invalid`.",
            "items": {
                "type": "object",
                "required": ["field", "code", "detail"],
                "properties": {name: {"type": "string"} for name in ("field", "code", "detail")},
            },
        },
    },
}
MEANINGS = {
    400: "Invalid or malformed input",
    401: "No working key",
    403: "The key lacks the scope",
    404: "Not found",
    409: "Refused as things are now",
    413: "The body is too large",
    415: "The body is not JSON",
    503: "Not now: the provider is silent or the model on its way",
}


def describe_problems(result: dict[str, Any], generator: Any, request: Any, public: bool) -> dict[str, Any]:
    """Add the problem document and, to each operation, the problems that it may answer with."""
    schemas = result["components"].setdefault("schemas", {})
    schemas["Problem"] = PROBLEM
    result["components"]["responses"] = {f"Refused{status}": _response(status) for status in MEANINGS}
    for operations in result["paths"].values():
        for method, operation in operations.items():
            for status in _refusals(method):
                operation["responses"][str(status)] = {"$ref": f"#/components/responses/Refused{status}"}
    for name in _bodies(result):
        schemas[name]["additionalProperties"] = False
    return result


def _refusals(method: str) -> list[int]:
    statuses = [400, 401, 403, 404]
    if method != "get":
        statuses.append(409)
    if method in ("post", "patch"):
        statuses += [413, 415]
    return [*statuses, 503]


def _response(status: int) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    waiting = {"headers": {"Retry-After": {"schema": {"type": "integer"}}}} if status == 503 else {}
    return {"description": MEANINGS[status], **waiting, "content": content}


def _bodies(result: dict[str, Any]) -> set[str]:
    """Names of the schemas that requests are made of: those that end so, since requests are split off."""
    return {name for name in result["components"]["schemas"] if name.endswith("Request")}

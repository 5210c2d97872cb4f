"""Every endpoint of the API, from the list of addresses itself: a new one is under these tests by itself."""

import re
from dataclasses import dataclass
from typing import Any

from drf_spectacular.generators import SchemaGenerator

from modelmanager.urls import api

METHODS = ("get", "post", "put", "patch", "delete")
PARAMETER = re.compile(r"<\w+:(\w+)>")
NAMES = {"providers": "gpu", "models": "embedder", "windows": "night"}


@dataclass(frozen=True)
class Endpoint:
    """One method of one address, such as `post models/<str:name>/activate/`."""

    method: str
    route: str

    def __str__(self) -> str:
        return f"{self.method} {self.route}"

    @property
    def parameters(self) -> list[str]:
        return PARAMETER.findall(self.route)

    @property
    def template(self) -> str:
        """The address as the schema writes it."""
        return "/api/v1/" + PARAMETER.sub(r"{\1}", self.route)

    def path(self, **values: Any) -> str:
        """The address with `values` in it, or the names of the world (`name`) and 1 (`…_id`, `number`)."""
        name = NAMES.get(self.route.partition("/")[0], "")
        return PARAMETER.sub(lambda match: str(values.get(match[1], name if match[1] == "name" else 1)), self.route)


def _methods(pattern: Any) -> list[str]:
    return [method for method in METHODS if hasattr(pattern.callback.view_class, method)]


ENDPOINTS = [Endpoint(method, str(pattern.pattern)) for pattern in api for method in _methods(pattern)]
SCHEMA: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)


def body_schema(endpoint: Endpoint) -> dict[str, Any] | None:
    """The JSON schema of the endpoint's body; None for one that takes none."""
    operation = SCHEMA["paths"][endpoint.template][endpoint.method]
    body = operation.get("requestBody")
    return _one(resolved(body["content"]["application/json"]["schema"])) if body else None


def takes_a_list(endpoint: Endpoint) -> bool:
    """Whether the endpoint takes a list of objects as well as a single one."""
    operation = SCHEMA["paths"][endpoint.template][endpoint.method]
    body = operation.get("requestBody")
    return bool(body) and "oneOf" in resolved(body["content"]["application/json"]["schema"])


def _one(schema: dict[str, Any]) -> dict[str, Any]:
    """Of one or a list the one."""
    return resolved(schema["oneOf"][0]) if "oneOf" in schema else schema


def resolved(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema that a reference stands for."""
    while reference := schema.get("$ref") or (schema["allOf"][0].get("$ref") if "allOf" in schema else None):
        schema = SCHEMA["components"]["schemas"][reference.rpartition("/")[2]]
    return schema


def smallest_body(endpoint: Endpoint) -> dict[str, Any] | None:
    """A body that the schema allows, with the required fields only."""
    schema = body_schema(endpoint)
    if schema is None:
        return None
    return {field: _example(schema["properties"][field]) for field in schema.get("required", [])}


def _example(schema: dict[str, Any]) -> Any:
    schema = resolved(schema)
    if "enum" in schema:
        return schema["enum"][0]
    examples = {"string": "a-name", "integer": schema.get("minimum", 1), "boolean": True, "object": {}}
    return examples.get(schema.get("type", ""), [])

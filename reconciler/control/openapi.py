"""The public door's description (OpenAPI 3.1), made of its table and its types.

``schemas/openapi.json`` is this module's output; the daemon serves the same at ``/v1/openapi.json``.
Neighbours: ``routes`` is the table, ``requests`` and ``answers`` the types. It must not hold what they
already say.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any, get_args, get_origin

from reconciler import __version__
from reconciler.control import answers
from reconciler.control.requests import Nothing
from reconciler.control.routes import ROUTES, Route
from reconciler.control.schema import Schemas, described
from reconciler.metrics import CONTENT_TYPE

OPENAPI = "3.1.0"
_ABOUT = (
    "What a daemon answers on its unix socket: `curl --unix-socket /run/reconciler/control.sock "
    "http://localhost/v1/status`. Keys are lower_snake_case, times RFC 3339 in UTC, durations seconds. New "
    "keys may come; one that was shipped stays."
)


@cache
def document() -> dict[str, Any]:
    """The description as a JSON-ready object."""
    schemas = Schemas("#/components/schemas/%s")
    paths: dict[str, Any] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": OPENAPI,
        "info": {
            "title": "reconciler",
            "version": __version__,
            "description": _ABOUT,
            "license": {"name": "GPL-2.0-or-later", "identifier": "GPL-2.0-or-later"},
        },
        "servers": [{"url": "http://localhost", "description": "on the unix socket control.sock"}],
        "paths": paths,
        "components": {"schemas": dict(sorted(schemas.named.items()))},
    }


def as_json() -> str:
    """The text of ``schemas/openapi.json``."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _operation(route: Route, schemas: Schemas) -> dict[str, Any]:
    operation = {
        "operationId": route.name,
        "summary": route.summary,
        "responses": {
            "200": {"description": _meaning(route), "content": _content(route, schemas)},
            "default": {"description": described(answers.Error), "content": _json(schemas.of(answers.Error))},
        },
    }
    if route.takes is Nothing:
        return operation
    operation["description"] = described(route.takes)
    if route.method == "POST":
        return {**operation, "requestBody": {"content": _json(schemas.of(route.takes))}}
    return {**operation, "parameters": _parameters(route.takes)}


def _parameters(takes: Any) -> list[dict[str, Any]]:
    """A query's keys: they are no object of their own."""
    apart = Schemas("%s")
    asked = apart.named[apart.of(takes)["$ref"]]
    return [
        {"name": name, "in": "query", "required": name in asked.get("required", ()), "schema": schema}
        for name, schema in asked["properties"].items()
    ]


def _content(route: Route, schemas: Schemas) -> dict[str, Any]:
    match route.answers:
        case "metrics":
            return {CONTENT_TYPE: {"schema": {"type": "string"}}}
        case "openapi":
            return _json({"type": "object"})
        case "stream":
            return {"application/x-ndjson": {"schema": schemas.of(route.gives)}}
    return _json(schemas.of(route.gives))


def _json(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}}


def _meaning(route: Route) -> str:
    if route.answers in ("metrics", "openapi"):
        return route.summary
    lines = " One object a line; an empty line is a sign of life." if route.answers == "stream" else ""
    return " ".join(described(kind) for kind in _kinds(route.gives)) + lines


def _kinds(gives: Any) -> list[Any]:
    """The types that an answer is made of: a list's, or one of several."""
    if get_origin(gives) is None:
        return [gives]
    return [kind for part in get_args(gives) for kind in _kinds(part)]

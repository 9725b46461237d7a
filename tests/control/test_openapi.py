"""The door's description is true: every route is in it, and what a real daemon answers is as it says."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from reconciler.control import openapi
from reconciler.control.routes import ROUTES
from reconciler.control.schema import Schemas, strict
from tests.cli.conftest import Daemon
from tests.loop.world import SITE
from tests.patience import PATIENCE

DOCUMENT = openapi.document()


class Door:
    """Asks a daemon as curl would, and compares each answer with what is described, to the last key."""

    def __init__(self, directory: Path) -> None:
        self._path = str(directory / "control.sock")
        self.asked: set[str] = set()

    def ask(self, method: str, path: str, body: Any = None, status: int = 200) -> Any:
        connection = http.client.HTTPConnection("localhost", timeout=PATIENCE)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(self._path)
        connection.request(method, path, None if body is None else json.dumps(body).encode())
        answer = connection.getresponse()
        media, text = answer.headers["Content-Type"], answer.read().decode()
        connection.close()
        assert answer.status == status, text
        route = path.partition("?")[0]
        operation = DOCUMENT["paths"][route][method.lower()]
        described = operation["responses"]["200" if status == 200 else "default"]["content"]
        assert media in described, f"{path} answers with {media}"
        self.asked.add(f"{method} {route}")
        if body is not None:
            fits(operation["requestBody"]["content"]["application/json"]["schema"], body)
        if media == "application/json":
            fits(described[media]["schema"], json.loads(text))
            return json.loads(text)
        if media == "application/x-ndjson":
            lines = [json.loads(line) for line in text.splitlines() if line]
            for line in lines:
                fits(described[media]["schema"], line)
            return lines
        return text


def fits(schema: Any, found: Any) -> None:
    whole = {**strict(schema), "components": strict(DOCUMENT["components"])}
    Draft202012Validator(whole).validate(found)


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    running = Daemon(tmp_path)
    running.loop.converge(PATIENCE)
    running.engine.dial("theo")
    yield running
    running.close()


def test_every_route_is_in_it_and_nothing_else() -> None:
    described = {(verb.upper(), path) for path, verbs in DOCUMENT["paths"].items() for verb in verbs}
    assert described == {(route.method, route.path) for route in ROUTES}
    assert all(
        schema.get("description") or name.startswith(("User", "Session", "Guarded"))
        for name, schema in DOCUMENT["components"]["schemas"].items()
    )


def test_it_is_an_openapi_document() -> None:
    validate(DOCUMENT)


def test_what_a_daemon_answers_is_as_described(daemon: Daemon, tmp_path: Path) -> None:
    door = Door(tmp_path)
    assert door.ask("GET", "/v1/openapi.json") == DOCUMENT
    door.ask("GET", "/v1/status")
    door.ask("GET", "/v1/status?wait=1")
    door.ask("GET", "/v1/status?commit=nonsense", status=400)
    assert door.ask("GET", "/v1/sessions")
    changed = SITE.replace("theo: one", "theo: other").replace(
        "  pablo:\n    password: two\n    ip: 10.0.1.9\n", ""
    )
    planned = door.ask("POST", "/v1/plan", {"text": changed, "path": str(daemon.path), "markdown": True})
    assert {change["op"] for change in planned["plan"]["changes"]} == {"update", "remove"}
    assert door.ask("POST", "/v1/plan", {"text": "users: ["}, status=422)["error"]["findings"]
    daemon.edit(changed)
    assert door.ask(
        "POST", "/v1/apply", {"timeout": PATIENCE, "confirm_within": 10 * PATIENCE, "by": "test"}
    )["confirm"]
    door.ask("GET", "/v1/status")
    door.ask("POST", "/v1/confirm", {"by": "test"})
    door.ask("POST", "/v1/apply", {"path": "/another/site.yaml"}, status=409)
    assert len(door.ask("GET", "/v1/history")) == 2
    door.ask("GET", "/v1/history?number=2")
    door.ask("GET", "/v1/history?number=99", status=404)
    assert door.ask("GET", "/v1/diff?from=1&to=2")["different"]
    door.ask("POST", "/v1/pause", {"for": 60, "reason": "a look", "by": "test"})
    door.ask("GET", "/v1/status")
    door.ask("POST", "/v1/resume", {"by": "test"})
    door.ask("POST", "/v1/rollback", {"number": 1, "by": "test"})
    assert door.ask("GET", "/v1/why?name=theo")["attempts"]
    door.ask("GET", "/v1/why", status=400)
    assert door.ask("POST", "/v1/sessions/terminate", {"users": ["theo"]})["ended"]
    door.ask("POST", "/v1/sessions/terminate", {"ids": [4711]}, status=404)
    door.ask("POST", "/v1/drain", {"rate": 5})
    door.ask("POST", "/v1/drain", {"undo": True})
    assert door.ask("GET", "/v1/events")
    assert "reconciler_engine_up 1" in door.ask("GET", "/metrics")
    daemon.engine.stop()
    door.ask("GET", "/v1/status")
    door.ask("GET", "/v1/sessions", status=503)
    assert door.asked == {f"{route.method} {route.path}" for route in ROUTES}, "each was tried"


def test_a_type_without_a_schema_is_a_bug() -> None:
    with pytest.raises(TypeError, match="no schema for"):
        Schemas("%s").of(set[int])

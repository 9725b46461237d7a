"""The public door: HTTP and JSON on a unix socket, for the machine's administrators.

Finds the route, reads the JSON, calls the service, writes the JSON: nothing else. Neighbours:
``control.routes`` is the table, ``control.client`` the other end. It must not know what a request means.
"""

from __future__ import annotations

import json
import logging
import os
import socketserver
import stat
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from reconciler.blame import described
from reconciler.control import openapi
from reconciler.control.door import SOCKET_NAME
from reconciler.control.handler import Handler
from reconciler.control.routes import ROUTES, Route, Service
from reconciler.metrics import CONTENT_TYPE

LONGEST_BODY = 128 << 20
"""Octets of a request's body: a candidate of 100,000 users, escaped, is about six million."""

_IDLE = 60.0
"""Seconds that a client may take to say its request."""

log = logging.getLogger("reconciler.control")


class _RequestError(Exception):
    """The request cannot be understood."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class Access(NamedTuple):
    """Who may open the door: the socket's ``mode``, and its group (an id; None: our own)."""

    mode: int = 0o600
    group: int | None = None


ROOT_ALONE = Access()


class Server:
    """Serves ``service`` in threads until closed. Raises ``OSError`` when the socket cannot be made."""

    def __init__(self, runtime_dir: Path, service: Service, access: Access = ROOT_ALONE) -> None:
        self._path = runtime_dir / SOCKET_NAME
        # Whoever holds the runtime directory's lock may take away what a dead predecessor left.
        self._path.unlink(missing_ok=True)
        before = os.umask(0o177)
        try:
            self._server = _UnixServer(str(self._path), _Handler)
        finally:
            os.umask(before)
        self._server.service = service
        _admit(self._path, access)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), name="control", daemon=True
        )

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._path.unlink(missing_ok=True)
        if self._thread.ident is not None:  # what never ran would be waited for in vain
            self._server.shutdown()
        self._server.server_close()


def _admit(path: Path, access: Access) -> None:
    """Let others in as far as was asked for; a group may pass through the directory, but not read it."""
    if access.group is not None:
        os.chown(path.parent, -1, access.group)
        path.parent.chmod(stat.S_IMODE(path.parent.stat().st_mode) & ~0o060 | 0o010)
        os.chown(path, -1, access.group)
    path.chmod(access.mode)


def _confession(route: Route, error: Exception) -> str:
    """Where it happened, but not the error's text, which may quote what was sent."""
    log.critical("%s failed by a bug: %s", route.path, described(error))
    return f"a bug in the daemon: {type(error).__name__}; its log says where"


class _UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64
    service: Service

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002 - the base's signature
        """A bug of ours: where, but not the text, which may quote what was sent."""
        error = sys.exception()
        log.critical("a request failed by a bug: %s", described(error) if error else "it is not known where")


class _Handler(Handler):
    timeout = _IDLE
    server: _UnixServer

    def address_string(self) -> str:
        return "local"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        log.debug(format, *args)

    def do_GET(self) -> None:  # noqa: N802 - the base's name
        self._serve("GET")

    def do_POST(self) -> None:  # noqa: N802 - the base's name
        self._serve("POST")

    def _serve(self, method: str) -> None:
        try:
            route, request = self._understood(method)
        except _RequestError as error:
            self.close_connection = True
            self._answer(error.status, {"error": {"code": error.code, "message": str(error)}})
            return
        if route.answers == "openapi":
            self._answer(200, openapi.document())
            return
        handle = getattr(self.server.service, route.name)
        if route.answers == "stream":
            self._stream(handle(request))
            return
        try:
            status, document = handle(request)
            if route.answers == "metrics":
                self.send(status, CONTENT_TYPE, document.encode())
                return
        except Exception as error:  # a bug of ours costs one request
            status, document = (
                500,
                {"error": {"code": "internal_error", "message": _confession(route, error)}},
            )
        self._answer(status, document)

    def _understood(self, method: str) -> tuple[Route, Mapping[str, Any]]:
        address = urlsplit(self.path)
        routes = [route for route in ROUTES if route.path == address.path]
        if not routes:
            raise _RequestError(404, "not_found", f"there is no {address.path}")
        for route in routes:
            if route.method == method:
                return route, self._body() if method == "POST" else dict(parse_qsl(address.query))
        raise _RequestError(405, "wrong_method", f"{address.path} takes {routes[0].method}")

    def _body(self) -> Mapping[str, Any]:
        try:
            length = int(self.headers.get("Content-Length") or 0)
        except ValueError:
            length = -1
        if not 0 <= length <= LONGEST_BODY:
            raise _RequestError(413, "too_large", "the request has no length, or one that is too large")
        try:
            body = json.loads(self.rfile.read(length) or b"{}")
        except ValueError:
            raise _RequestError(400, "bad_json", "the request's body is not JSON") from None
        if not isinstance(body, dict):
            raise _RequestError(400, "bad_json", "the request's body is not a JSON object")
        return body

    def _answer(self, status: int, document: Any) -> None:
        self.send(status, "application/json", json.dumps(document, separators=(",", ":")).encode())

    def _stream(self, objects: Iterator[dict[str, Any] | None]) -> None:
        """A line each; an empty one as a sign of life, by which one who has left is noticed."""
        self.close_connection = True
        self.send_response(200)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Connection", "close")
        self.end_headers()
        with suppress(OSError):
            for found in objects:
                line = b"" if found is None else json.dumps(found, separators=(",", ":")).encode()
                self.wfile.write(line + b"\n")

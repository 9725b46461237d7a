"""The command protocol's end of a fake engine: lines of JSON on a unix socket, a thread for each client.

It must not know what a request does.
"""

from __future__ import annotations

import json
import socketserver
from pathlib import Path
from typing import Any, Protocol

from reconciler.engine.messages import ErrorBody


class RefusalError(Exception):
    """An answer that is an error."""

    def __init__(self, code: Any, message: str) -> None:
        super().__init__(message)
        self.body: ErrorBody = {"code": code, "message": message}


class Answering(Protocol):
    def answer(self, request: dict[str, Any], wire: Wire) -> object:
        """A list is parts with an answer behind them. Raises :class:`RefusalError`."""


class Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, path: Path, engine: Answering) -> None:
        self.engine = engine
        self.wires: list[Wire] = []
        super().__init__(str(path), Wire)


class Wire(socketserver.StreamRequestHandler):
    server: Server

    def handle(self) -> None:
        self.server.wires.append(self)
        engine = self.server.engine
        for line in self.rfile:
            request = json.loads(line)
            try:
                answer = engine.answer(request, self)
                *parts, answer = answer if isinstance(answer, list) else [answer]
                for part in parts:
                    self.send({"id": request["id"], "part": part})
                self.send({"id": request["id"], "ok": answer})
            except RefusalError as refusal:
                self.send({"id": request["id"], "error": refusal.body})

    def send(self, message: dict[str, Any]) -> None:
        try:
            self.wfile.write(json.dumps(message).encode() + b"\n")
        except OSError:
            self.hang_up()

    def hang_up(self) -> None:
        try:
            self.connection.shutdown(2)
        except OSError:
            return

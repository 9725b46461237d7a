"""JSON, one object a line, on two descriptors: how a subscriber is told what to do and tells what happens."""

from __future__ import annotations

import json
import os
from typing import Any

_CHUNK = 65536
_LONGEST = 1 << 20


class Console:
    """Commands in, answers and events out. Reading never blocks once the descriptor is readable."""

    def __init__(self, reads: int, writes: int) -> None:
        self.closed = False
        self._reads = reads
        self._writes = writes
        self._rest = b""

    def fileno(self) -> int:
        return self._reads

    def commands(self) -> list[dict[str, Any]]:
        """What has arrived since; a line that is no JSON object is answered with an error and left out."""
        arrived = os.read(self._reads, _CHUNK)
        self.closed = not arrived or len(self._rest) > _LONGEST
        *lines, self._rest = (self._rest + arrived).split(b"\n")
        return [command for line in lines if line.strip() and (command := self._parse(line)) is not None]

    def answer(self, command: dict[str, Any], ok: object) -> None:
        self._say({"id": command.get("id"), "ok": ok})

    def refuse(self, command: dict[str, Any], why: str) -> None:
        self._say({"id": command.get("id"), "error": why})

    def event(self, name: str, at: float, **told: object) -> None:
        self._say({"event": name, "at": at, **told})

    def _parse(self, line: bytes) -> dict[str, Any] | None:
        try:
            command = json.loads(line)
        except ValueError:
            command = None
        if not isinstance(command, dict):
            self.refuse({}, "a command is one JSON object a line")
            return None
        return command

    def _say(self, message: dict[str, object]) -> None:
        try:
            os.write(self._writes, json.dumps(message).encode() + b"\n")
        except BrokenPipeError:
            self.closed = True

"""The command socket and those who write to it: well, badly, too much, or without ever reading.

What must hold: nothing comes out of the loop's readers, whoever asks properly is answered, a request that is
refused has changed nothing, and no password is ever said.
"""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from reconciler.engine import service
from reconciler.engine.access.concentrator import Concentrator
from reconciler.engine.chronicle import Chronicle
from reconciler.engine.datapath.null import NullDataPath
from reconciler.engine.host import Host
from reconciler.engine.journal import Journal
from reconciler.engine.service import Service
from tests.engine.access.bench import SITE, Entropy
from tests.fakes.vault import FakeVault
from tests.fuzz.choices import Choices

SECRET = "hunter2"
LONGEST_LINE = BACKLOG = 1 << 16
DEEP = "[" * 100_000

USER = {
    "name": "theo",
    "secret": {"kind": "password", "text": SECRET},
    "address": None,
    "enabled": True,
    "sessions": 1,
    "fingerprint": "f",
}
HASHES: tuple[dict[str, Any], ...] = (
    {"kind": "nt_hash", "hash": "0" * 32},
    {"kind": "scrypt", "n": 2, "r": 1, "p": 1, "salt": "00", "key": "00" * 32},
)
REQUESTS: tuple[dict[str, Any], ...] = (
    {"do": "hello"},
    {"do": "observe"},
    {"do": "observe", "since": {"engine": "another", "users": 0, "sessions": 0}, "traffic": False},
    {"do": "counts"},
    {"do": "follow"},
    {"do": "configure", "generation": 1, "settings": {**SITE, "mtu": 1400, "auth": ["chap"]}},
    {"do": "users", "generation": 2, "put": [USER], "remove": [{"name": "pablo", "sessions": "drain"}]},
    {"do": "users", "generation": 2, "put": [{**USER, "secret": hashed} for hashed in HASHES], "remove": []},
    {"do": "users", "generation": 2, "put": [], "remove": [{"name": "theo", "sessions": "terminate"}]},
    {"do": "listen", "generation": 3, "interface": "no such thing"},
    {"do": "unlisten", "generation": 3, "interface": "no such thing"},
    {
        "do": "terminate",
        "sessions": [{"interface": "eth0", "mac": "02:00:00:00:00:01", "id": 7}],
        "reason": "x",
    },
    {"do": "shutdown"},
    {"do": "dance"},
)
ODD: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1 << 40, 10**400, 1.5, float("inf"), float("nan")),
    *("", "x", "\0", "\ud800", "10.0.0.1", "x" * 300, [], {}, [None], {"a": 1}, [[]], ["x"]),
)


class Desk:
    """A host that serves nothing but its command socket, and the connections to it."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "engine.sock"
        journal = Journal(directory / "journal", "boot", FakeVault())
        self.host = Host(Concentrator(Entropy()), NullDataPath(), Chronicle(journal, {}))
        self.service = Service(self.host, self._path)
        self.wires: list[socket.socket] = []

    def close(self) -> None:
        for wire in self.wires:
            wire.close()
        self.turn()
        self.service.close()
        self.host.chronicle._journal.close()
        self.host._poll.close()

    def turn(self) -> None:
        """What the loop does when something has happened."""
        for _ in range(8):
            ready = self.host._poll.poll(0)
            if not ready:
                return
            for descriptor, mask in ready:
                reader = self.host._readers.get(descriptor)
                if reader is not None:
                    reader(mask)
            while self.host._chores:
                self.host._work()

    def connect(self) -> socket.socket:
        wire = socket.socket(socket.AF_UNIX)
        wire.setblocking(False)
        wire.connect(str(self._path))
        self.turn()
        return wire

    def ask(self, line: bytes) -> list[bytes]:
        """One line on a connection of its own, and what comes back."""
        with self.connect() as wire:
            self.say(wire, line)
            return self.read(wire)

    def say(self, wire: socket.socket, data: bytes) -> None:
        while data:
            try:
                data = data[wire.send(data) :]
            except BlockingIOError:
                self.turn()
            except OSError:  # it has hung up on us
                return
        self.turn()

    def read(self, wire: socket.socket) -> list[bytes]:
        heard = b""
        with suppress(OSError):
            while part := wire.recv(1 << 20):
                heard += part
                self.turn()
        assert SECRET.encode() not in heard, "a password was said"
        return heard.splitlines()

    def state(self) -> object:
        ac = self.host.concentrator
        return ac.config, ac.generation, {(u.name, u.fingerprint, u.address, u.sessions) for u in ac.users}


def play(data: bytes) -> None:
    """One story at the desk."""
    with opened() as desk:
        choices = Choices(data)
        for _ in range(100):
            if not choices:
                break
            choices.pick((_fair, _bent, _bent, _bent, _noise, _open, _write, _write, _leave))(desk, choices)
        (answer,) = desk.ask(b'{"id": 1, "do": "hello"}\n')
        assert json.loads(answer)["ok"]["protocol"], "who asks properly is answered"


@contextmanager
def opened() -> Iterator[Desk]:
    limits = patch.multiple(service, LONGEST_LINE=LONGEST_LINE, BACKLOG=BACKLOG)
    with limits, TemporaryDirectory() as directory:
        desk = Desk(Path(directory))
        try:
            yield desk
        finally:
            desk.close()


def _line(request: object) -> bytes:
    return json.dumps(request).encode() + b"\n"


def _fair(desk: Desk, choices: Choices) -> None:
    *_, answer = desk.ask(_line({"id": 1, **choices.pick(REQUESTS)}))
    assert json.loads(answer)["id"] == 1


def _bent(desk: Desk, choices: Choices) -> None:
    """A request with something wrong in it, alone: refused, it has changed nothing."""
    before = desk.state()
    request = json.loads(json.dumps({"id": 1, **choices.pick(REQUESTS)}))
    for _ in range(1 + choices.number(3)):
        _bend(request, choices)
    *_, answer = desk.ask(_line(request))
    if "error" in json.loads(answer):
        assert desk.state() == before, f"refused, and yet changed something: {request}"


def _bend(value: Any, choices: Choices) -> None:
    """Change something, somewhere inside."""
    while isinstance(value, dict | list) and value:
        key = choices.pick(list(value)) if isinstance(value, dict) else choices.number(len(value))
        if not isinstance(value[key], dict | list) or not value[key] or choices.number(2):
            way = choices.number(4)
            if way == 0:
                del value[key]
            elif way == 1 and isinstance(value, dict):
                value["zebra"] = deepcopy(choices.pick(ODD))
            else:
                value[key] = deepcopy(choices.pick(ODD))
            return
        value = value[key]


def _noise(desk: Desk, choices: Choices) -> None:
    """No request at all."""
    lines = (b"\n", b"\xff\xfe\n", DEEP.encode()[: LONGEST_LINE // 2] + b"\n", b"1" * 5000 + b"\n", b"{}\n")
    desk.ask(
        choices.pick((*lines, choices.octets(40).replace(b"\n", b"") + b"\n", b"x" * (2 * LONGEST_LINE)))
    )


def _open(desk: Desk, _choices: Choices) -> None:
    if len(desk.wires) < 8:
        desk.wires.append(desk.connect())


def _write(desk: Desk, choices: Choices) -> None:
    """To a connection that stays, which may never be read from."""
    if not desk.wires:
        return
    wire = choices.pick(desk.wires)
    line = _line({"id": 1, **choices.pick(REQUESTS[:3])})
    desk.say(wire, choices.pick((line, line[: choices.number(len(line))], line * 50, choices.octets(8))))
    if choices.number(4) == 0:
        desk.read(wire)


def _leave(desk: Desk, choices: Choices) -> None:
    if desk.wires:
        wire = desk.wires.pop(choices.number(len(desk.wires)))
        if choices.number(2):
            with suppress(OSError):
                wire.shutdown(socket.SHUT_WR)
        wire.close()
        desk.turn()

"""rtnetlink(7) in its raw form, for what the engine itself has to set up: requests out, answers in.

Standard library alone: the engine imports this, where ``netlink`` would take half a second. A socket of
one's own costs about 20 µs a request. It must not know what is being set up (``veth`` does).
"""

from __future__ import annotations

import socket
import sys
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from reconciler.linux.errors import refusal

if TYPE_CHECKING:
    from collections.abc import Iterator

REQUEST, ACK, DUMP = 0x01, 0x04, 0x300
REPLACE, EXCLUSIVE, CREATE = 0x100, 0x200, 0x400
"""Flags of requests."""

LINKS_CHANGED = 1
"""The group of messages (``RTMGRP_LINK``) about interfaces that come, change and go."""

_ERROR, _DONE = 2, 3
_INDEX = 4  # where an interface's index stands in a message about it
_NESTED = 0x8000
_RECEIVE = 1 << 18

_header = Struct("=IHHII")
_attribute = Struct("=HH")
_number = Struct("=i")

Attributes: TypeAlias = "dict[int, bytes | int | str | Attributes]"


class Message(NamedTuple):
    """One message: its type, its body behind the header, and the number of the request that it answers."""

    kind: int
    body: bytes
    sequence: int


def attributes(values: Attributes) -> bytes:
    """A list of attributes. Whole numbers have 32 bits; text ends with a zero; a mapping is a nested list."""
    parts = bytearray()
    for kind, value in values.items():
        match value:
            case int():
                payload = (value & 0xFFFFFFFF).to_bytes(4, sys.byteorder)
            case str():
                payload = value.encode() + b"\0"
            case bytes():
                payload = value
            case _:
                payload, kind = attributes(value), kind | _NESTED
        parts += _attribute.pack(_attribute.size + len(payload), kind) + payload
        parts += bytes(-len(parts) % 4)
    return bytes(parts)


def parse(data: bytes) -> dict[int, bytes]:
    """The attributes in a list, by type."""
    found: dict[int, bytes] = {}
    while len(data) >= _attribute.size:
        length, kind = _attribute.unpack_from(data)
        if length < _attribute.size:
            break
        found[kind & ~_NESTED] = data[_attribute.size : length]
        data = data[(length + 3) & ~3 :]
    return found


class Rtnl:
    """A connection to the kernel's routing tables and interfaces, in the present network namespace."""

    def __init__(self, groups: int = 0) -> None:
        """``groups``: whose messages are wanted unasked."""
        kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC | (socket.SOCK_NONBLOCK if groups else 0)
        self._socket = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
        self._socket.bind((0, groups))
        self._sequence = 0

    def fileno(self) -> int:
        return self._socket.fileno()

    def do(self, doing: str, kind: int, flags: int, body: bytes) -> None:
        """Have something done. Raises ``KernelError``, which names it."""
        self._send(kind, REQUEST | ACK | flags, body)
        for _ in self._answers(doing):
            pass

    def dump(self, doing: str, kind: int, body: bytes) -> list[Message]:
        """Everything of a kind. Raises ``KernelError``."""
        self._send(kind, REQUEST | DUMP, body)
        return list(self._answers(doing))

    def changed(self) -> set[int] | None:
        """The interfaces, by index, of which something has come unasked; None if more came than was kept."""
        indexes: set[int] = set()
        try:
            while data := self._socket.recv(_RECEIVE):
                indexes |= {_number.unpack_from(message.body, _INDEX)[0] for message in _messages(data)}
        except BlockingIOError:
            return indexes
        except OSError:
            return None
        return indexes

    def close(self) -> None:
        self._socket.close()

    def _send(self, kind: int, flags: int, body: bytes) -> None:
        self._sequence += 1
        self._socket.send(_header.pack(_header.size + len(body), kind, flags, self._sequence, 0) + body)

    def _answers(self, doing: str) -> Iterator[Message]:
        while True:
            for message in _messages(self._socket.recv(_RECEIVE)):
                if message.sequence != self._sequence:
                    continue
                if message.kind == _DONE:
                    return
                if message.kind == _ERROR:
                    number = -_number.unpack_from(message.body)[0]
                    if number:
                        raise refusal(doing, number)
                    return
                yield message


def _messages(data: bytes) -> Iterator[Message]:
    while data:
        length, kind, _, sequence, _ = _header.unpack_from(data)
        yield Message(kind, data[_header.size : length], sequence)
        data = data[(length + 3) & ~3 :]

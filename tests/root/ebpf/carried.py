"""What tests of the eBPF data path look at: whether packets are carried, and what is left in the bpffs."""

from __future__ import annotations

import logging
import socket
from pathlib import Path

import pytest

from reconciler.engine.datapath.ebpf import pins
from reconciler.linux import interface
from tests.root.paths import ADDRESS, CLIENT, KEY, Line, datagram, frame, server

SUBSCRIBER = ("10.214.2.101", 4001)


def heard(wire: socket.socket) -> bytes:
    """The next session frame."""
    while True:
        got = wire.recv(2048)
        if got[12:14] == b"\x88\x64":
            return got


def assert_carries(line: Line, wire: socket.socket, ours: bytes | None = None) -> None:
    """Packets go both ways."""
    with server() as here:
        here.sendto(b"down", SUBSCRIBER)
        assert heard(wire)[50:54] == b"down"
        up = frame(datagram(b"up"))
        wire.send((ours or up[:6]) + up[6:])
        assert here.recv(64) == b"up"


def assert_served_by_generic_xdp(
    name: str, wire: socket.socket, directory: Path, caplog: pytest.LogCaptureFixture, tag: bytes = b""
) -> None:
    """Packets go both ways over an interface above ``eth0``; ``tag`` is on the cable."""
    with caplog.at_level(logging.INFO):
        line = Line(directory, "ebpf", name)
    line.lead()
    line.now.open(KEY._replace(interface=name), ADDRESS, 1492)
    with server() as here:
        here.sendto(b"down", SUBSCRIBER)
        while not (got := wire.recv(2048)).endswith(b"down".ljust(60 - 50, b"\0")):
            pass
        up = frame(datagram(b"up"))
        wire.send(interface.read(name).mac + up[6:12] + tag + up[12:])
        assert here.recv(64) == b"up"
    assert got[:12] == CLIENT + interface.read(name).mac
    line.end()
    assert f"interface {name}: XDP, generic" in caplog.text


def pinned(line: Line) -> list[str]:
    return sorted(entry.name for entry in pins.Pins(line.directory).directory.glob("*"))

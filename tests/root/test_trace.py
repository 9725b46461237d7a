"""``reconciler trace`` on a real interface."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from scapy.utils import rdpcap

from reconciler.linux import netns
from reconciler.probe.codec import BROADCAST, Code, Control, Discovery, Protocol, write
from tests.patience import PATIENCE

pytestmark = pytest.mark.root

OTHER, HERE = bytes.fromhex("020000000001"), bytes.fromhex("0200000000aa")
TRACE = [sys.executable, "-m", "reconciler", "--runtime-dir", "/nonexistent", "trace"]
PADI = write(Discovery(BROADCAST, OTHER, Code.PADI))
LOGIN = write(Control(HERE, OTHER, 7, Protocol.PAP, 1, 1, b"\x04theo\x06sesame"))
DATA = HERE + OTHER + b"\x88\x64\x11\x00\x00\x07\x00\x16\x00\x21" + bytes(40)
TAG = b"\x81\x00\x00\x05"
TAGGED = PADI[:12] + TAG + PADI[12:]
ARP = BROADCAST + OTHER + b"\x08\x06" + bytes(46)


@pytest.fixture
def send(neighbour: str) -> Iterator[Callable[[bytes], object]]:
    """Puts a frame on the cable, at its other end."""
    with netns.inside(neighbour):
        wire = plugged()
    with wire:
        yield wire.send


def plugged() -> socket.socket:
    wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    wire.bind(("eth0", 0))
    return wire


@contextmanager
def tracing(*options: str, out: int | IO[bytes] = subprocess.PIPE) -> Iterator[subprocess.Popen[str]]:
    """A trace that listens already."""
    argv = [*TRACE, "eth0", *options]
    with subprocess.Popen(argv, stdout=out, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        try:
            assert process.stderr.readline().startswith("listening on eth0")
            yield process
        finally:
            process.kill()


def test_both_directions_vlans_and_data_are_seen_and_nothing_else(
    send: Callable[[bytes], object], tmp_path: Path
) -> None:
    path = tmp_path / "x.pcap"
    with tracing("--write", str(path), "-c", "4") as trace, plugged() as here:
        for frame in (ARP, PADI, DATA, TAGGED, LOGIN):
            send(frame)
        here.send(write(Discovery(OTHER, HERE, Code.PADO)))
        out, err = trace.communicate(timeout=PATIENCE)
    padi, tagged, login, pado = out.splitlines()
    assert padi.endswith("PADI")
    assert "vlan 5  02:00:00:00:00:01 > all" in tagged
    assert login.endswith('PAP Authenticate-Request id 1 user "theo" password hidden')
    assert pado.endswith("02:00:00:00:00:aa > 02:00:00:00:00:01 PADO")
    assert err == f"frames shown: 4, data packets beside them: 1; 5 written to {path}\n"
    assert [bytes(packet) for packet in rdpcap(str(path))][:4] == [PADI, DATA, TAGGED, LOGIN]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_count(send: Callable[[bytes], object], number: signal.Signals) -> None:
    with tracing() as trace:
        send(PADI)
        assert trace.stdout is not None
        assert trace.stdout.readline().endswith("PADI\n")
        trace.send_signal(number)
        _, err = trace.communicate(timeout=PATIENCE)
    assert (trace.returncode, err) == (0, "frames shown: 1, data packets beside them: 0\n")


def test_a_pcap_on_standard_output_is_nothing_but_a_pcap(
    send: Callable[[bytes], object], tmp_path: Path
) -> None:
    path = tmp_path / "x.pcap"
    with path.open("wb") as out, tracing("-w", "-", "-c", "1", out=out) as trace:
        send(PADI)
        assert trace.wait(PATIENCE) == 0
    assert [bytes(packet) for packet in rdpcap(str(path))] == [PADI]


def test_a_missing_interface_and_a_missing_privilege_are_one_line(namespace: str) -> None:
    def failure(*argv: str) -> str:
        done = subprocess.run(
            [*argv, *TRACE, "eth9"], capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        assert (done.returncode, done.stdout) == (1, "")
        return done.stderr

    assert failure() == "error: cannot listen on eth9: No such device\n"
    assert (
        failure("setpriv", "--bounding-set=-net_admin,-net_raw", "--inh-caps=-net_admin,-net_raw")
        == "error: listening needs root: try again with sudo\n"
    )

"""Packet sockets: what waits for a reader that is busy, and what does not."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from reconciler.engine.wire.pppoe import ETHERTYPE_SESSION
from reconciler.linux import netns
from reconciler.linux.packet import PPP_CONTROL, open_packet_socket
from tests.patience import PATIENCE

pytestmark = pytest.mark.root

CONFIGURE_REQUEST = bytes.fromhex("8864 1100 0001 000c 8021 0101 000a 0306 00000000")
CROWD = 600
"""Frames: more than a queue of ``rmem_max`` has room for, fewer than ``netdev_max_backlog``."""
OPEN = f"""
import socket
from reconciler.linux.packet import PPP_CONTROL, open_packet_socket
with open_packet_socket("eth0", {ETHERTYPE_SESSION}, PPP_CONTROL) as sock:
    print(sock.getsockname()[0])
"""


@pytest.fixture
def subscriber(neighbour: str) -> Iterator[socket.socket]:
    """The other end of the cable."""
    with netns.inside(neighbour):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        sock.bind(("eth0", 0))
    with sock:
        yield sock


def test_a_crowds_frames_wait_for_a_busy_reader_whatever_rmem_max_is(subscriber: socket.socket) -> None:
    with open_packet_socket("eth0", ETHERTYPE_SESSION, PPP_CONTROL) as sock:
        sent = [b"\xff" * 6 + b"\2\0\0" + n.to_bytes(3, "big") + CONFIGURE_REQUEST for n in range(CROWD)]
        for frame in sent:
            subscriber.send(frame)
        sock.settimeout(PATIENCE)
        assert [sock.recv(2048) for _ in sent] == sent


def test_without_the_right_to_a_larger_queue_there_is_a_smaller_one(neighbour: str) -> None:
    without = ["setpriv", "--bounding-set", "-net_admin", "--inh-caps", "-net_admin"]
    done = subprocess.run(
        [*without, sys.executable, "-c", OPEN], capture_output=True, text=True, timeout=30, check=False
    )
    assert (done.stdout, done.stderr) == ("eth0\n", "")

"""A cable with an eBPF data path at one end, and the subscriber at the other."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.linux import links, netns
from reconciler.linux.packet import EVERY_ETHERTYPE, open_packet_socket
from tests.patience import PATIENCE
from tests.root.paths import CLIENT, Line
from tests.root.wire import NOT_OUR_OWN


@pytest.fixture
def wire(neighbour: str) -> Iterator[socket.socket]:
    """The subscriber's end of the cable; everything is heard there."""
    with netns.inside(neighbour):
        links.set_mac("eth0", CLIENT.hex(":"))
        Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")  # nothing is said but by the test
        sock = open_packet_socket("eth0", EVERY_ETHERTYPE, (NOT_OUR_OWN,))
    sock.settimeout(PATIENCE)
    with sock:
        yield sock


@pytest.fixture
def line(wire: socket.socket, tmp_path: Path) -> Iterator[Line]:
    made = Line(tmp_path, "ebpf")
    yield made
    made.end()

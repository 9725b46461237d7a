"""The TUN data path's worker on the real kernel: it dies, and another takes its place."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path

import pytest

from reconciler.engine.datapath.tun import TunDataPath
from reconciler.linux import links, netns
from reconciler.linux.packet import PPP_DATA, open_packet_socket
from tests.patience import PATIENCE
from tests.root.paths import ADDRESS, CLIENT, KEY, Line, server

pytestmark = pytest.mark.root


def test_a_worker_that_dies_is_replaced_and_everything_goes_on(neighbour: str, tmp_path: Path) -> None:
    with netns.inside(neighbour):
        links.set_mac("eth0", CLIENT.hex(":"))
        wire = open_packet_socket("eth0", 0x8864, PPP_DATA)
    wire.settimeout(PATIENCE)
    line = Line(tmp_path, "tun")
    path = line.now
    assert isinstance(path, TunDataPath)
    path.open(KEY, ADDRESS, 1492)
    path.flush()
    device, worker = path.device, path._process
    assert worker is not None
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    path.poll()
    assert path.device == device, "addresses and routes are put back under the same name"
    line.lead()
    with wire, server() as here:
        here.sendto(b"again" * 8, (socket.inet_ntoa(ADDRESS), 4001))
        assert wire.recv(2048)[-5:] == b"again"
    path.shutdown()

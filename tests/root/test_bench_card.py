"""What the benchmark sends as a network card would arrives whole, and in turn."""

from __future__ import annotations

import errno
import shutil

import pytest

from bench.card import Card
from bench.world import Cable
from reconciler.linux import netns, offload
from reconciler.linux.packet import open_packet_socket
from tests.missing import do_without

pytestmark = pytest.mark.root

EXPERIMENTAL = 0x88B5  # an EtherType for trials (IEEE 802)


def frame(number: int) -> bytes:
    return b"\xff" * 6 + b"\2\0\0\0\0\1" + EXPERIMENTAL.to_bytes(2, "big") + bytes([number]) + bytes(285)


def test_frames_arrive_whole_and_in_turn() -> None:
    if shutil.which("clang") is None:
        do_without("needs clang")
    with Cable() as cable:
        with netns.inside(cable.here):
            offload.switch("eth0", lambda feature: True if feature == "rx-gro" else None)
            arriving = open_packet_socket("eth0", EXPERIMENTAL, ())
        with arriving, netns.inside(cable.there), Card("eth0", [frame(n) for n in range(3)]) as card:
            try:
                card.send(0.01)
            except OSError as error:
                if error.errno != errno.EINVAL:
                    raise
                pytest.skip("needs XDP programs run with live frames (Linux 5.18)")
            arriving.setblocking(True)
            arriving.settimeout(60.0)
            assert [arriving.recv(2048) for _ in range(7)] == [frame(n % 3) for n in range(7)]

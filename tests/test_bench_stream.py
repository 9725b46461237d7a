"""The stream's packets are what a subscriber would send, and are counted by number and not by how many."""

from __future__ import annotations

import socket
from contextlib import closing

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.layers.ppp import PPP, PPPoE

from bench import stream
from bench.stream import Far, Line

LINE = Line(bytes.fromhex("020000000001"), bytes.fromhex("02beac000007"), 0x1234, "10.1.0.7")


def test_a_packet_goes_through_the_session_that_it_is_of() -> None:
    frame = Ether(stream._head(LINE, "10.0.0.1") + b"\0\0\0\x05")
    assert (frame.dst, frame.src, frame.type) == ("02:00:00:00:00:01", "02:be:ac:00:00:07", 0x8864)
    assert frame[PPPoE].sessionid == 0x1234
    assert frame[PPPoE].len == 2 + 32
    assert frame[PPP].proto == 0x21
    packet = frame[IP]
    assert (packet.src, packet.dst, packet.len) == ("10.1.0.7", "10.0.0.1", 32)
    without = packet.copy()
    del without.chksum
    assert IP(bytes(without)).chksum == packet.chksum
    assert bytes(packet[UDP].payload) == b"\0\0\0\x05"


def test_whoever_is_beyond_answers_each_and_counts_those_that_came_twice_once() -> None:
    with closing(Far("127.0.0.1", "0")) as far, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as near:
        near.settimeout(30.0)
        near.connect(far.address)
        for number in (1, 2, 2, 3):
            near.send(number.to_bytes(4, "big"))
        assert far.answer(1.0) == {"arrived": 3, "unanswered": 0}
        assert [near.recv(64)[3] for _ in range(4)] == [1, 2, 2, 3]

"""Echo requests and replies, octet by octet; scapy agrees with what is sent."""

from __future__ import annotations

import struct

import pytest
from scapy.layers.inet import ICMP, IP

from reconciler.probe import icmp


def test_the_checksum_is_that_of_RFC_1071() -> None:
    octets = bytes.fromhex("0001f203f4f5f6f7")
    assert icmp.checksum(octets) == ~0xDDF2 & 0xFFFF
    assert icmp.checksum(octets + struct.pack("!H", icmp.checksum(octets))) == 0


def test_a_request_is_what_everybody_else_takes_for_one() -> None:
    packet = icmp.packet("10.0.0.8", "8.8.8.8", icmp.request(77, 3))
    wanted = IP(src="10.0.0.8", dst="8.8.8.8", id=0, ttl=64) / ICMP(type="echo-request", id=77, seq=3)
    assert packet == bytes(wanted)


def test_a_reply_tells_from_whom_and_to_what() -> None:
    packet = bytes(
        IP(src="8.8.8.8", dst="10.0.0.8", options=[b"\1" * 4]) / ICMP(type="echo-reply", id=77, seq=3)
    )
    assert icmp.reply(packet) == ("8.8.8.8", 77, 3)


@pytest.mark.parametrize(
    "octets",
    [b"", b"\x45", bytes(20), bytes(IP() / ICMP(type="echo-request")), bytes(IP(proto=17)) + bytes(8)],
)
def test_anything_else_is_no_reply(octets: bytes) -> None:
    assert icmp.reply(octets) is None

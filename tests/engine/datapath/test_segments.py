"""TCP segment sizes are lowered to what the session carries, and nothing else is changed."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.datapath.segments import clamped

ADDRESSES = bytes([10, 214, 2, 101, 192, 0, 2, 1])
SYN, SYN_ACK, ACK = 0x02, 0x12, 0x10
NOTHING, SACK = b"\x01", b"\x04\x02"


def size(octets: int) -> bytes:
    return struct.pack("!BBH", 2, 4, octets)


def handshake(
    options: bytes, flags: int = SYN, fragment: int = 0, body: bytes = b"", ip_options: bytes = b""
) -> bytes:
    options = options.ljust(-(-len(options) // 4) * 4, b"\0")
    words = 5 + len(options) // 4
    tcp = struct.pack("!HHIIBBHHH", 4000, 80, 1, 0, words << 4, flags, 65535, 0, 0) + options + body
    tcp = tcp[:16] + struct.pack("!H", checksum(ADDRESSES + struct.pack("!HH", 6, len(tcp)) + tcp)) + tcp[18:]
    length = 20 + len(ip_options) + len(tcp)
    first = 0x45 + len(ip_options) // 4
    header = struct.pack("!BBHHHBBH", first, 0, length, 0, fragment, 64, 6, 0)
    return header + ADDRESSES + ip_options + tcp


def checksum(data: bytes) -> int:
    data += b"\0" * (len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total >> 16) + (total & 0xFFFF)
    return int(~total & 0xFFFF)


@pytest.mark.parametrize("flags", [SYN, SYN_ACK])
@pytest.mark.parametrize("before", [b"", NOTHING, NOTHING * 2 + SACK, SACK + NOTHING, NOTHING * 3])
@pytest.mark.parametrize("ip_options", [b"", b"\x94\x04\0\0"])
def test_X1_a_segment_size_beyond_the_session_is_lowered_and_the_checksum_is_right(
    flags: int, before: bytes, ip_options: bytes
) -> None:
    asked = handshake(before + size(1460), flags, ip_options=ip_options)
    assert clamped(asked, 1492) == handshake(before + size(1452), flags, ip_options=ip_options)
    assert clamped(asked, 1400) == handshake(before + size(1360), flags, ip_options=ip_options)


UNCHANGED = {
    "fits": handshake(size(1452)),
    "small": handshake(size(536)),
    "none": handshake(b""),
    "no handshake": handshake(size(1460), flags=ACK),
    "a fragment": handshake(size(1460), fragment=100),
    "behind the end": handshake(b"\0" + NOTHING * 3 + size(1460)),
    "length 0": handshake(b"\x08\x00" + size(1460)),
    "length 1": handshake(b"\x08\x01" + size(1460)),
    "overrun": handshake(b"\x08\x28" + size(1460)),
    "odd length": handshake(b"\x02\x03\xff"),
    "cut": handshake(size(1460))[:42],
    "cut in the option": handshake(NOTHING * 3 + b"\x02"),
}


@pytest.mark.parametrize("packet", UNCHANGED.values(), ids=UNCHANGED)
def test_X1_anything_else_is_left_as_it_is(packet: bytes) -> None:
    assert clamped(packet, 1492) == packet


@given(st.binary(max_size=80), st.integers(20, 80))
def test_X1_X4_no_packet_raises_or_changes_its_length(noise: bytes, keep: int) -> None:
    whole = handshake(NOTHING + size(1460))
    for packet in (noise.ljust(20, b"\x45"), (whole[:keep] + noise).ljust(20, b"\0")):
        assert len(clamped(packet, 1492)) == len(packet)

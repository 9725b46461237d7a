"""What the data path lets through from a subscriber (conformance item I12)."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.datapath.forward import decapsulate

ADDRESS = bytes([10, 214, 2, 101])


def packet(source: bytes = ADDRESS, body: bytes = b"hello", total: int | None = None) -> bytes:
    length = 20 + len(body) if total is None else total
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, length, 0, 0, 64, 17, 0, source, b"\x08\x08\x08\x08") + body


def frame(inside: bytes, *, length: int | None = None, tail: bytes = b"", protocol: int = 0x0021) -> bytes:
    size = len(inside) + 2 if length is None else length
    return (
        b"\x02ac\0\0\1\x02cl\0\0\1"
        + struct.pack("!HBBHHH", 0x8864, 0x11, 0, 7, size, protocol)
        + inside
        + tail
    )


def test_a_whole_packet_from_the_sessions_address_goes_through() -> None:
    assert decapsulate(frame(packet()), ADDRESS) == packet()


@pytest.mark.parametrize("source", ["10.214.2.102", "127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0"])
def test_I12_X2_any_other_source_address_is_dropped(source: str) -> None:
    other = bytes(int(part) for part in source.split("."))
    assert decapsulate(frame(packet(other)), ADDRESS) is None


def test_I12_octets_behind_the_packet_are_trimmed() -> None:
    assert decapsulate(frame(packet() + b"inner padding"), ADDRESS) == packet()
    assert decapsulate(frame(packet(), tail=b"outer padding"), ADDRESS) == packet()


def test_I12_a_packet_longer_than_its_frame_says_is_dropped() -> None:
    assert decapsulate(frame(packet(), length=len(packet()) + 1), ADDRESS) is None
    assert decapsulate(frame(packet(), tail=b"x" * 40), ADDRESS) == packet()
    assert decapsulate(frame(packet(total=26), tail=b"x" * 40), ADDRESS) is None


@pytest.mark.parametrize("total", [0, 19])
def test_I12_a_packet_shorter_than_its_header_is_dropped(total: int) -> None:
    assert decapsulate(frame(packet(total=total)), ADDRESS) is None


def test_only_ipv4_goes_through() -> None:
    assert decapsulate(frame(packet(), protocol=0x0057), ADDRESS) is None
    assert decapsulate(frame(b"\x65" + packet()[1:]), ADDRESS) is None


@given(st.binary(max_size=80))
def test_no_frame_can_raise_or_grow(noise: bytes) -> None:
    whole = frame(packet())
    for data in (noise, whole[:22] + noise, whole[: len(noise)] + noise):
        inside = decapsulate(data, ADDRESS)
        assert inside is None or (len(inside) <= len(data) - 22 and inside[12:16] == ADDRESS)

"""Ethernet frames: what goes out comes back, whatever comes in is a frame or Malformed."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.l2 import Dot1AD, Dot1Q, Ether

from reconciler.engine.wire import ethernet
from reconciler.engine.wire.drop import Drop, Malformed
from reconciler.engine.wire.ethernet import Frame

macs = st.binary(min_size=6, max_size=6)
vlans = st.lists(st.tuples(st.sampled_from([0x8100, 0x88A8]), st.integers(0, 0xFFFF)), max_size=4).map(tuple)
ethertypes = st.integers(0, 0xFFFF).filter(lambda value: value not in (0x8100, 0x88A8))
frames = st.builds(Frame, macs, macs, vlans, ethertypes, st.binary(max_size=1500))


@given(frames)
def test_a_frame_comes_back_with_nothing_but_zero_padding_added(frame: Frame) -> None:
    again = ethernet.decode(ethernet.encode(frame))
    assert again[:4] == frame[:4]
    assert again.payload.startswith(frame.payload)
    assert not again.payload[len(frame.payload) :].strip(b"\0")


@given(frames)
def test_D38_a_frame_is_at_least_60_octets_and_never_padded_beyond(frame: Frame) -> None:
    size = 14 + 4 * len(frame.vlans) + len(frame.payload)
    assert len(ethernet.encode(frame)) == max(60, size)


@given(st.binary(max_size=80))
def test_arbitrary_octets_are_a_frame_or_malformed(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        ethernet.decode(data)


@given(st.integers(0, 13))
def test_a_frame_shorter_than_its_header_is_truncated(size: int) -> None:
    with pytest.raises(Malformed) as caught:
        ethernet.decode(bytes(size))
    assert caught.value.reason is Drop.TRUNCATED


@given(st.integers(14, 17))
def test_a_cut_off_vlan_tag_is_truncated(size: int) -> None:
    with pytest.raises(Malformed):
        ethernet.decode((bytes(12) + b"\x81\x00\x00\x05\x88\x63")[:size])


def test_D40_stacked_tags_read_as_an_independent_implementation_builds_them() -> None:
    built = bytes(
        Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02")
        / Dot1AD(vlan=7, prio=3)
        / Dot1Q(vlan=7, type=0x8863)
        / (b"x" * 60)
    )
    frame = ethernet.decode(built)
    assert frame.vlans == ((0x88A8, 3 << 13 | 7), (0x8100, 7))
    assert frame.ethertype == 0x8863
    assert frame.payload == b"x" * 60
    assert ethernet.encode(frame) == built


@given(frames, st.sampled_from([0x8863, 0x8864]))
def test_an_independent_implementation_reads_what_we_build(frame: Frame, ethertype: int) -> None:
    frame = frame._replace(vlans=(), ethertype=ethertype)
    seen = Ether(ethernet.encode(frame))
    assert (seen.dst, seen.src) == tuple(map(ethernet.format_mac, frame[:2]))
    assert seen.type == frame.ethertype


@pytest.mark.parametrize(
    ("mac", "station"),
    [
        (b"\x02\0\0\0\0\x01", True),
        (b"\xfe\xff\xff\xff\xff\xff", True),
        (bytes(6), False),
        (ethernet.BROADCAST, False),
        (b"\x01\0\x5e\0\0\x01", False),
        (b"\x02\0\0\0\0", False),
    ],
)
def test_D11_only_a_station_address_is_unicast(mac: bytes, station: bool) -> None:
    assert ethernet.is_unicast(mac) is station


def test_an_address_is_shown_as_administrators_write_it() -> None:
    assert ethernet.format_mac(bytes.fromhex("3c18a002b9be")) == "3c:18:a0:02:b9:be"

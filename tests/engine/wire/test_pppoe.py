"""PPPoE packets and tags: strict in form, indifferent to meaning."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.ppp import PPPoE, PPPoED

from reconciler.engine.wire import pppoe
from reconciler.engine.wire.drop import Drop, Malformed
from reconciler.engine.wire.pppoe import Code, Tag, TagType

octet = st.integers(0, 0xFF)
word = st.integers(0, 0xFFFF)
tags = st.lists(st.tuples(st.integers(1, 0xFFFF), st.binary(max_size=300)), max_size=6).map(tuple)


def reason_of(payload: bytes) -> Drop:
    with pytest.raises(Malformed) as caught:
        pppoe.decode_tags(payload)
    return caught.value.reason


@given(octet, word, st.binary(max_size=1500), st.binary(max_size=60))
def test_D13_a_packet_comes_back_without_the_padding_behind_it(
    code: int, session_id: int, payload: bytes, padding: bytes
) -> None:
    packet = pppoe.decode(pppoe.encode(code, session_id, payload) + padding)
    assert packet == (code, session_id, payload)


def test_D13_padding_shaped_like_a_tag_is_not_read() -> None:
    real = pppoe.encode_tags([(TagType.SERVICE_NAME, b"")])
    lure = pppoe.encode_tags([(TagType.HOST_UNIQ, b"old memory")])
    packet = pppoe.decode(pppoe.encode(Code.PADI, 0, real) + lure)
    assert pppoe.decode_tags(packet.payload) == ((TagType.SERVICE_NAME, b""),)


@given(st.binary(max_size=100), st.integers(1, 0xFFFF))
def test_D13_a_length_past_the_frame_is_malformed(payload: bytes, excess: int) -> None:
    length = min(0xFFFF, len(payload) + excess)
    with pytest.raises(Malformed) as caught:
        pppoe.decode(b"\x11\x09\0\0" + length.to_bytes(2, "big") + payload)
    assert caught.value.reason is Drop.TRUNCATED


@given(octet.filter(lambda value: value != 0x11))
def test_D8_version_and_type_must_both_be_one(version_and_type: int) -> None:
    with pytest.raises(Malformed) as caught:
        pppoe.decode(bytes([version_and_type]) + b"\x09\0\0\0\0")
    assert caught.value.reason is Drop.PPPOE_VERSION


@given(st.binary(max_size=80))
def test_arbitrary_octets_are_a_packet_or_malformed(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        packet = pppoe.decode(b"\x11" + data)
        pppoe.decode_tags(packet.payload)


@given(tags)
def test_D16_tags_come_back_in_order_whatever_their_types(some: tuple[Tag, ...]) -> None:
    assert pppoe.decode_tags(pppoe.encode_tags(some)) == some


@given(tags, st.binary(min_size=1, max_size=3))
def test_D14_a_tag_header_cut_off_is_malformed(some: tuple[Tag, ...], rest: bytes) -> None:
    assert reason_of(pppoe.encode_tags(some) + rest) is Drop.TAG_OVERRUN


@given(tags, st.binary(max_size=50), st.integers(1, 1000))
def test_D14_a_tag_past_the_end_is_malformed(some: tuple[Tag, ...], value: bytes, excess: int) -> None:
    overrun = b"\x01\x03" + (len(value) + excess).to_bytes(2, "big") + value
    assert reason_of(pppoe.encode_tags(some) + overrun) is Drop.TAG_OVERRUN


@given(tags, st.binary(max_size=50))
def test_D15_nothing_after_end_of_list_is_read(some: tuple[Tag, ...], rest: bytes) -> None:
    assert pppoe.decode_tags(pppoe.encode_tags(some) + bytes(4) + rest) == some


def test_D15_end_of_list_with_a_value_is_malformed() -> None:
    assert reason_of(b"\0\0\0\x01x") is Drop.END_OF_LIST


def test_D17_D18_vendor_tags_are_carried_as_octets_even_when_their_inside_overruns() -> None:
    vendor = b"\x00\x00\x0d\xe9\x01\xffport"
    some = ((TagType.VENDOR_SPECIFIC, vendor), (TagType.VENDOR_SPECIFIC, b"\0"), (TagType.SERVICE_NAME, b""))
    assert pppoe.decode_tags(pppoe.encode_tags(some)) == some


@given(st.sampled_from([Code.PADI, Code.PADO, Code.PADR, Code.PADS, Code.PADT]), word, tags)
def test_an_independent_implementation_reads_what_we_build(
    code: Code, session_id: int, some: tuple[Tag, ...]
) -> None:
    payload = pppoe.encode_tags(some)
    seen = PPPoED(pppoe.encode(code, session_id, payload))
    assert (seen.version, seen.type, seen.code, seen.sessionid, seen.len) == (
        1,
        1,
        code,
        session_id,
        len(payload),
    )
    assert bytes(seen.payload) == payload


@given(word, st.binary(min_size=1, max_size=100))
def test_we_read_what_an_independent_implementation_builds(session_id: int, payload: bytes) -> None:
    assert pppoe.decode(bytes(PPPoE(sessionid=session_id) / payload)) == (Code.SESSION, session_id, payload)

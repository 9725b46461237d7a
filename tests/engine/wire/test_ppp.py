"""PPP frames, control packets and options: strict in form, indifferent to meaning."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from scapy.layers.ppp import PPP, PPP_IPCP, PPP_LCP_Configure

from reconciler.engine.wire import ppp
from reconciler.engine.wire.drop import Drop, Malformed
from reconciler.engine.wire.ppp import Option, Protocol

octet = st.integers(0, 0xFF)
protocols = st.integers(0, 0xFFFF).map(lambda value: value & 0xFEFE | 1)
options = st.lists(st.tuples(octet, st.binary(max_size=253)), max_size=6).map(tuple)


def reason_of(data: bytes) -> Drop:
    with pytest.raises(Malformed) as caught:
        ppp.decode_options(data)
    return caught.value.reason


@given(protocols, st.binary(max_size=1500))
def test_a_payload_says_its_protocol_whatever_follows(protocol: int, information: bytes) -> None:
    assert ppp.protocol_of(protocol.to_bytes(2, "big") + information) == protocol


@pytest.mark.parametrize("protocol", Protocol)
def test_every_protocol_named_here_is_a_valid_number(protocol: Protocol) -> None:
    assert ppp.protocol_of(protocol.to_bytes(2, "big")) == protocol


@given(st.integers(0, 0xFFFF).filter(lambda value: value & 0x0101 != 1))
@example(0xFF03)
@example(0x2145)
def test_L37_a_number_that_breaks_the_even_and_odd_rule_is_malformed(number: int) -> None:
    with pytest.raises(Malformed) as caught:
        ppp.protocol_of(number.to_bytes(2, "big") + b"\xc0\x21\x01\x01\x00\x04")
    assert caught.value.reason is Drop.PPP_PROTOCOL


@given(protocols, octet, octet, st.binary(max_size=1496), st.binary(max_size=40))
def test_L13_a_control_packet_comes_back_without_the_padding_behind_it(
    protocol: int, code: int, identifier: int, data: bytes, padding: bytes
) -> None:
    payload = ppp.encode(protocol, code, identifier, data) + padding
    assert ppp.protocol_of(payload) == protocol
    assert ppp.decode(payload) == (code, identifier, data)


@given(st.binary(max_size=20), st.integers(0, 0xFFFF))
def test_L13_a_length_below_4_or_past_the_end_is_malformed(data: bytes, length: int) -> None:
    payload = b"\xc0\x21\x01\x01" + length.to_bytes(2, "big") + data
    if 4 <= length <= len(payload) - 2:
        assert ppp.decode(payload) == (1, 1, data[: length - 4])
    else:
        with pytest.raises(Malformed):
            ppp.decode(payload)


@given(st.binary(max_size=80))
def test_arbitrary_octets_are_a_packet_or_malformed(data: bytes) -> None:
    with contextlib.suppress(Malformed):
        ppp.decode_options(ppp.decode(b"\xc0\x21" + data)[2])


@given(options)
def test_options_come_back_in_order_whatever_their_types(some: tuple[Option, ...]) -> None:
    assert ppp.decode_options(ppp.encode_options(some)) == some


@given(
    options,
    st.sampled_from([b"\x01", b"\x01\x00", b"\x01\x01", b"\x01\x03", b"\x05\x06\x01\x02\x03", b"\0\0"]),
)
def test_L12_an_option_without_room_makes_the_packet_malformed(some: tuple[Option, ...], bad: bytes) -> None:
    assert reason_of(ppp.encode_options(some) + bad) is Drop.OPTION_LENGTH


def test_an_independent_implementation_reads_what_we_build() -> None:
    request = ppp.encode_options([(1, b"\x05\xd4"), (3, b"\xc2\x23\x05"), (5, b"\x01\x02\x03\x04")])
    seen = PPP(ppp.encode(Protocol.LCP, 1, 9, request))[PPP_LCP_Configure]
    assert (seen.code, seen.id, seen.len) == (1, 9, 4 + len(request))
    assert [option.type for option in seen.options] == [1, 3, 5]
    assert seen.options[0].max_recv_unit == 1492


def test_we_read_what_an_independent_implementation_builds() -> None:
    built = bytes(PPP(proto=Protocol.IPCP) / PPP_IPCP(bytes.fromhex("0107000a" + "030600000000")))
    code, identifier, data = ppp.decode(built)
    assert (ppp.protocol_of(built), code, identifier) == (Protocol.IPCP, 1, 7)
    assert ppp.decode_options(data) == ((3, bytes(4)),)

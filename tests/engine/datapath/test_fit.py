"""Packets larger than a session takes: cut or refused, as RFC 791 and RFC 1191 want (scapy is the oracle)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.layers.inet import ICMP, IP, UDP, defragment
from scapy.packet import Raw

from reconciler.engine.datapath import fit

SUBSCRIBER = bytes([10, 214, 2, 101])


def packet(size: int, *, flags: str = "", options: bytes = b"", protocol: int = 17) -> bytes:
    body = bytes(n % 251 for n in range(size))
    header = IP(src="8.8.8.8", dst="10.214.2.101", id=77, flags=flags, proto=protocol, options=options or [])
    return bytes(header / Raw(body))


@given(st.integers(1000, 4000), st.integers(68, 996))
def test_X1_fragments_fit_and_make_up_the_whole(size: int, mtu: int) -> None:
    whole = packet(size)
    pieces = fit.fragments(whole, mtu)
    assert all(len(piece) <= mtu for piece in pieces)
    assert all(fit.checksum(piece[:20]) == 0 for piece in pieces)
    (again,) = defragment([IP(piece) for piece in pieces])
    assert bytes(again[IP].payload) == whole[20:]


def test_a_fragment_is_cut_further_in_its_place() -> None:
    first, second, last = fit.fragments(packet(3000), 1492)
    assert [IP(p).flags.MF for p in (first, second, last)] == [True, True, False]
    pieces = [*fit.fragments(first, 576), *fit.fragments(second, 576), *fit.fragments(last, 576)]
    assert sum(not IP(piece).flags.MF for piece in pieces) == 1
    (again,) = defragment([IP(piece) for piece in pieces])
    assert len(again[IP].payload) == 3000


def test_X1_a_packet_that_may_not_be_cut_is_refused_with_the_mtu() -> None:
    whole = bytes(
        IP(src="8.8.8.8", dst="10.214.2.101", flags="DF") / UDP(sport=53, dport=4000) / Raw(bytes(1464))
    )
    assert not fit.may_be_cut(whole)
    error = IP(fit.refusal(whole, 1400, SUBSCRIBER))
    assert (error.src, error.dst, error.proto) == ("10.214.2.101", "8.8.8.8", 1)
    assert (error[ICMP].type, error[ICMP].code, error[ICMP].nexthopmtu) == (3, 4, 1400)
    assert bytes(error[ICMP].payload)[:28] == whole[:28]
    assert fit.checksum(bytes(error)[:20]) == 0
    assert fit.checksum(bytes(error)[20:]) == 0


@pytest.mark.parametrize("icmp", [ICMP(type=3, code=4), ICMP(type=11)])
def test_no_error_about_an_error_or_a_later_fragment(icmp: ICMP) -> None:
    error = bytes(IP(src="8.8.8.8", dst="10.214.2.101", flags="DF") / icmp / Raw(bytes(1480)))
    assert fit.refusal(error, 1400, SUBSCRIBER) is None
    assert fit.refusal(fit.fragments(packet(3000), 1492)[1], 1400, SUBSCRIBER) is None


def test_an_echo_request_that_is_too_large_is_refused_like_any_packet() -> None:
    echo = bytes(IP(src="8.8.8.8", dst="10.214.2.101", flags="DF") / ICMP() / Raw(bytes(1480)))
    assert fit.refusal(echo, 1400, SUBSCRIBER) is not None

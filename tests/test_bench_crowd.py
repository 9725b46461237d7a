"""The benchmark's crowd asks again as pppd does, and for no longer than it must."""

from __future__ import annotations

from bench.peers.crowd import DISCOVERY, RESTART, Persistent

SERVER = b"\x02\0\0\0\0\x01"


def discovery(code: int, session: int, tags: bytes = b"") -> bytes:
    """A server's frame to subscriber 7."""
    head = b"\x02\xbe\xac\0\0\x07" + SERVER + b"\x88\x63\x11" + bytes([code])
    return head + session.to_bytes(2, "big") + len(tags).to_bytes(2, "big") + tags


def acknowledged(request: bytes) -> bytes:
    """The Configure-Ack for a Configure-Request."""
    return request[6:12] + request[:6] + request[12:22] + b"\x02" + request[23:]


def test_a_padi_without_an_answer_is_sent_again() -> None:
    street = Persistent()
    padi = street.dial(7, 0.0)
    assert list(street.again(DISCOVERY - 0.1)) == []
    assert list(street.again(DISCOVERY)) == [padi]
    assert list(street.again(DISCOVERY)) == []
    assert list(street.again(2 * DISCOVERY)) == [padi]


def test_a_padr_takes_the_place_of_the_padi() -> None:
    street = Persistent()
    street.dial(7, 0.0)
    [padr] = street.receive(discovery(0x07, 0, b"\x01\x04\0\x01c"), 1.0)
    assert list(street.again(1.0 + DISCOVERY)) == [padr]


def test_a_configure_request_is_sent_again_until_it_is_acknowledged() -> None:
    street = Persistent()
    street.dial(7, 0.0)
    [request] = street.receive(discovery(0x65, 5), 1.0)
    assert list(street.again(1.0 + RESTART)) == [request]
    assert street.receive(acknowledged(request), 4.5) == []
    assert list(street.again(100.0)) == []

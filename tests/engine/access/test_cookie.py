"""The AC-Cookie: good for whom it was made, for a while, and for nobody else."""

from __future__ import annotations

import pytest

from reconciler.engine.access.cookie import LIFETIME, Cookies

THEO, PABLO = b"\x02theo\0", b"\x02pabl\0"
NO_VLANS: tuple[tuple[int, int], ...] = ()


def test_D23_a_cookie_is_good_for_its_client_and_for_a_while() -> None:
    cookies = Cookies(b"k" * 32)
    cookie = cookies.make("eth0", NO_VLANS, THEO, 1000.0)
    assert cookies.open(cookie, "eth0", NO_VLANS, THEO, 1000.0 + LIFETIME) == b""
    assert cookies.open(cookie, "eth0", NO_VLANS, THEO, 1000.0 + LIFETIME + 1) is None
    assert cookies.open(cookie, "eth0", NO_VLANS, THEO, 999.0) is None, "a cookie from the future"


def test_D23_D29_a_client_that_dials_again_gets_another_cookie() -> None:
    cookies = Cookies(b"k" * 32)
    first, again = (cookies.make("eth0", NO_VLANS, THEO, now) for now in (1000.0, 1000.002))
    assert first != again


@pytest.mark.parametrize(
    ("interface", "vlans", "mac"),
    [("eth1", NO_VLANS, THEO), ("eth0", ((0x8100, 7),), THEO), ("eth0", NO_VLANS, PABLO)],
)
def test_D23_a_cookie_is_worth_nothing_elsewhere(
    interface: str, vlans: tuple[tuple[int, int], ...], mac: bytes
) -> None:
    cookies = Cookies(b"k" * 32)
    assert cookies.open(cookies.make("eth0", NO_VLANS, THEO, 5.0), interface, vlans, mac, 5.0) is None


def test_D23_any_changed_octet_or_length_spoils_a_cookie() -> None:
    cookies = Cookies(b"k" * 32)
    cookie = cookies.make("eth0", NO_VLANS, THEO, 5.0)
    assert cookies.open(b"", "eth0", NO_VLANS, THEO, 5.0) is None
    assert cookies.open(cookie + b"\0", "eth0", NO_VLANS, THEO, 5.0) is None
    assert cookies.open(cookie[:-1], "eth0", NO_VLANS, THEO, 5.0) is None
    for position in range(len(cookie)):
        spoiled = bytearray(cookie)
        spoiled[position] ^= 1
        assert cookies.open(bytes(spoiled), "eth0", NO_VLANS, THEO, 5.0) is None
    another = Cookies(b"x" * 32)
    assert another.open(cookie, "eth0", NO_VLANS, THEO, 5.0) is None, "another access concentrator's"


def test_D19_D23_what_a_cookie_carries_comes_back_or_nothing_does() -> None:
    cookies = Cookies(b"k" * 32)
    cookie = cookies.make("eth0", NO_VLANS, THEO, 5.0, b"port 7")
    assert cookies.open(cookie, "eth0", NO_VLANS, THEO, 5.0) == b"port 7"
    assert cookies.open(cookie[:-1] + b"8", "eth0", NO_VLANS, THEO, 5.0) is None
    assert cookies.open(cookie[:-1], "eth0", NO_VLANS, THEO, 5.0) is None
    assert cookies.open(cookie[:20], "eth0", NO_VLANS, THEO, 5.0) is None

"""Which line a subscriber is on: what is read of the access node's tags, and what is shown of them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.access.effects import Event, Send
from reconciler.engine.access.line import NO_LINE, Line, read, unpacked
from reconciler.engine.views import shown
from tests.engine.access.bench import Bench
from tests.peer import Subscriber, Tag

FORUM = b"\0\0\x0d\xe9"
VENDOR_SPECIFIC = 0x0105
MAC = bytes.fromhex("02c100000001")


def option(kind: int, value: bytes) -> bytes:
    return bytes([kind, len(value)]) + value


CIRCUIT, REMOTE = option(1, b"dslam7 atm 1/2:8.35"), option(2, b"0123456789")
RATES = option(0x81, b"\0\0\x27\x10") + option(0x82, b"\0\0\x03\xe8")
BOTH = Line(b"dslam7 atm 1/2:8.35", b"0123456789")


def test_D18_circuit_and_remote_id_are_read_whatever_stands_beside_them() -> None:
    assert read([FORUM + RATES + CIRCUIT + option(0xFF, b"") + REMOTE]) == BOTH


def test_D18_several_tags_of_the_vendor_are_one() -> None:
    assert read([FORUM + CIRCUIT, FORUM + RATES, FORUM + REMOTE, FORUM]) == BOTH


def test_D18_the_word_of_the_node_comes_after_the_subscribers() -> None:
    assert read([FORUM + option(1, b"forged") + REMOTE, FORUM + CIRCUIT]) == BOTH


@pytest.mark.parametrize(
    "broken", [b"\x01", b"\x01\x05abcd", CIRCUIT + b"\x02\xff1", b"\x02\x01", CIRCUIT + b"\x81"]
)
def test_D18_a_tag_whose_inside_overruns_says_nothing(broken: bytes) -> None:
    assert read([FORUM + broken]) == NO_LINE
    assert read([FORUM + CIRCUIT + REMOTE, FORUM + broken]) == BOTH


@pytest.mark.parametrize(
    "value", [b"", b"\0", b"\0\0\x0d", b"\1\0\x0d\xe9" + CIRCUIT, b"\0\0\1\x37" + CIRCUIT]
)
def test_D17_what_is_short_or_another_vendors_says_nothing(value: bytes) -> None:
    assert read([value]) == NO_LINE


def test_D18_an_id_longer_than_an_id_may_be_is_none() -> None:
    assert read([FORUM + option(1, bytes(64)) + REMOTE]) == Line(b"", b"0123456789")
    assert read([FORUM + option(1, b"x" * 63)]) == Line(b"x" * 63)


@given(st.lists(st.binary(max_size=80) | st.binary(max_size=80).map(lambda rest: FORUM + rest)))
def test_X4_whatever_the_tags_hold_nothing_is_raised(values: list[bytes]) -> None:
    line = read(values)
    assert max(map(len, line)) <= 63
    assert unpacked(line.packed()) == line


def test_D19_a_line_without_ids_travels_as_nothing() -> None:
    assert (NO_LINE.packed(), unpacked(b"")) == (b"", NO_LINE)


# From the wire to the views


def dial(padi: bytes | None, padr: bytes | None) -> tuple[Bench, Subscriber]:
    """A subscriber behind a node that adds these to PADI and to PADR."""

    def tags(inside: bytes | None) -> tuple[Tag, ...]:
        return () if inside is None else ((VENDOR_SPECIFIC, FORUM + inside),)

    bench = Bench()
    theo = Subscriber(MAC, extra_tags=tags(padi))
    (offered,) = [effect for effect in bench.receive(theo.dial(bench.now)[0]) if isinstance(effect, Send)]
    theo.extra_tags = tags(padr)
    bench.plug_in(theo)
    bench.to_ac(theo.receive(offered.frame, bench.now))
    bench.advance(2.0)
    assert theo.state == "up"
    return bench, theo


@pytest.mark.parametrize(
    ("padi", "padr", "line"),
    [
        (None, None, NO_LINE),
        (CIRCUIT + REMOTE, CIRCUIT + REMOTE, BOTH),
        (CIRCUIT + REMOTE, None, BOTH),
        (None, CIRCUIT + REMOTE, BOTH),
        (CIRCUIT, REMOTE, BOTH),
        (option(1, b"old") + REMOTE, CIRCUIT, BOTH),
        (CIRCUIT + REMOTE, b"\x01\xff", BOTH),
    ],
)
def test_D19_padr_completes_and_overrides_what_padi_said(
    padi: bytes | None, padr: bytes | None, line: Line
) -> None:
    bench, theo = dial(padi, padr)
    (session,) = bench.concentrator
    assert session.line == line
    bench.to_ac(theo.hangup(bench.now, polite=False))
    told = [effect for effect in bench.log if isinstance(effect, Event)]
    assert [(event.type, event.line) for event in told] == [
        ("session_opened", line),
        ("session_closed", line),
    ]


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"", None),
        (b"dslam7 atm 1/2:8.35", "dslam7 atm 1/2:8.35"),
        ("Straße 7".encode(), "Straße 7"),
        (b"\x1b[2Ja\r\nb\0", "\\x1b[2Ja\\r\\nb\\x00"),
        (b"\xff\xfe", "\\xff\\xfe"),
        ("a\u202eb\u2028".encode(), "a\\u202eb\\u2028"),
    ],
)
def test_D44_what_is_shown_of_a_line_is_printable(octets: bytes, text: str | None) -> None:
    assert shown(octets) == text

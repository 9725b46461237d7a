"""Packets and timers of every control protocol (RFC 1661 §4.6, §5), seen on LCP."""

from __future__ import annotations

import pytest

from reconciler.engine.ppp.link import Dropped, Finished, Phase
from reconciler.engine.wire.drop import Drop
from tests.engine.ppp.bench import (
    ACK,
    CODE_REJECT,
    LCP,
    MAGIC,
    NAK,
    REJECT,
    REQUEST,
    TERM_ACK,
    TERM_REQUEST,
    Bench,
    Seen,
    options,
)

# Starting


def test_L2_our_request_waits_for_the_clients_and_goes_out_before_the_answer() -> None:
    bench = Bench()
    assert bench.log == [], "a request sent with the PADS is lost: the client is not listening yet"
    bench.now = 0.01
    ours, answer = bench.lcp(REQUEST, 1, options(MAGIC))
    assert isinstance(ours, Seen)
    assert ours.code == REQUEST
    assert answer == (LCP, ACK, 1, options(MAGIC))


def test_L2_a_silent_client_hears_from_us_after_a_moment() -> None:
    bench = Bench()
    assert bench.wait(0.049) == []
    assert [seen.code for seen in bench.wait(0.002) if isinstance(seen, Seen)] == [REQUEST]


def test_L2_a_request_that_may_have_been_lost_is_repeated_when_the_client_wakes_up() -> None:
    bench = Bench()
    bench.wait(0.06)
    first = bench.request()
    again, answer = bench.lcp(REQUEST, 1, options(MAGIC))
    assert again == first, "same identifier: an Ack of either is good"
    assert isinstance(answer, Seen)
    assert answer.code == ACK
    assert len(bench.lcp(REQUEST, 2, options(MAGIC))) == 1, "only the first wakes us"


def test_L2_unanswered_requests_double_their_interval_and_end_after_ten() -> None:
    bench = Bench()
    times = []
    while bench.link.phase is not Phase.DEAD:
        due = bench.link.deadline()
        assert due is not None
        if any(isinstance(seen, Seen) for seen in bench.wait(due - bench.now)):
            times.append(round(due, 3))
    assert times == [0.05, 1.05, 3.05, 6.05, 9.05, 12.05, 15.05, 18.05, 21.05, 24.05]
    assert bench.log[-1] == Finished("no_response")


def test_L2_the_restart_timer_and_counter_are_configurable() -> None:
    bench = Bench(restart_timer=0.5, max_configure=3)
    bench.wait(10)
    assert len(bench.seen(REQUEST)) == 3
    assert bench.log[-1] == Finished("no_response")
    assert bench.now == 10


# Identifiers and replies


def test_L3_a_retransmission_keeps_its_identifier() -> None:
    bench = Bench()
    bench.wait(4)
    assert len(set(bench.seen(REQUEST))) == 1


def test_L3_the_identifier_changes_after_a_valid_reply() -> None:
    bench = Bench()
    bench.wait(0.1)
    first = bench.request()
    bench.lcp(REJECT, first.identifier, options(first.options[0]))
    assert bench.request().identifier != first.identifier
    assert bench.request().options == first.options[1:]


def test_L7_a_repeated_request_is_acknowledged_again() -> None:
    bench = Bench()
    bench.lcp(REQUEST, 1, options(MAGIC))
    assert bench.lcp(REQUEST, 1, options(MAGIC)) == [(LCP, ACK, 1, options(MAGIC))]


def altered(request: Seen) -> list[tuple[str, int, int, bytes]]:
    some = request.options
    return [
        ("wrong id", ACK, request.identifier + 1, request.data),
        ("altered", ACK, request.identifier, request.data[:-1] + b"?"),
        ("reordered", ACK, request.identifier, options(*reversed(some))),
        ("missing", ACK, request.identifier, options(*some[:-1])),
        ("extra", ACK, request.identifier, request.data + options((7, b""))),
        ("empty", ACK, request.identifier, b""),
        ("nak wrong id", NAK, request.identifier + 1, options((1, b"\x05\xd4"))),
        ("rej wrong id", REJECT, request.identifier + 1, options(some[0])),
        ("rej not ours", REJECT, request.identifier, options((7, b""))),
        ("rej altered", REJECT, request.identifier, options((1, b"\x05\xdc"))),
        ("rej reordered", REJECT, request.identifier, options(some[2], some[0])),
        ("empty nak", NAK, request.identifier, b""),
        ("empty rej", REJECT, request.identifier, b""),
    ]


@pytest.mark.parametrize("index", range(13))
def test_L9_a_reply_to_something_else_is_silently_discarded(index: int) -> None:
    bench = Bench()
    bench.lcp(REQUEST, 1, options(MAGIC))
    request = bench.request()
    what, code, identifier, data = altered(request)[index]
    (outcome,) = bench.lcp(code, identifier, data)
    assert isinstance(outcome, Dropped), what
    assert outcome.reason in (Drop.UNEXPECTED_REPLY, Drop.ALTERED_REPLY)
    assert bench.link.phase is Phase.ESTABLISH
    assert bench.acknowledge(request) != [], "the real Ack still opens LCP"


def test_L9_a_duplicated_ack_does_not_undo_an_open_link() -> None:
    bench = Bench()
    bench.open_lcp()
    assert bench.acknowledge(bench.request()) == [Dropped(Drop.UNEXPECTED_REPLY)]
    assert bench.link.phase is Phase.AUTHENTICATE


# Malformed


@pytest.mark.parametrize(
    "bad", [b"\x01\x00", b"\x01\x01", b"\x05\x07HOST", b"\x01", b"\x01\x04\x05\xd4\x05\xff"]
)
@pytest.mark.parametrize("code", [REQUEST, NAK, REJECT])
def test_L12_option_overrun_discards_the_packet(code: int, bad: bytes) -> None:
    bench = Bench()
    bench.wait(0.1)
    identifier = bench.request().identifier
    assert bench.lcp(code, identifier, options(MAGIC) + bad) == [Dropped(Drop.OPTION_LENGTH)]
    assert bench.link.phase is Phase.ESTABLISH


@pytest.mark.parametrize(
    "payload", ["", "c0", "c021", "c02101", "c021010100", "c02101010003", "c0210101000905"]
)
def test_L13_a_length_that_cannot_be_is_discarded(payload: str) -> None:
    assert Bench().raw(bytes.fromhex(payload)) == [Dropped(Drop.TRUNCATED)]


def test_L13_octets_behind_length_are_padding() -> None:
    bench = Bench()
    packet = bytes.fromhex("c0210101000a0506") + b"HOST"
    assert bench.raw(packet + b"\x07\x02\xff\xff")[-1] == (LCP, ACK, 1, options(MAGIC))


# Terminate and Code-Reject


def test_L24_a_terminate_request_before_opened_is_acknowledged() -> None:
    bench = Bench()
    assert bench.lcp(TERM_REQUEST, 3, b"User request") == [(LCP, TERM_ACK, 3, b"")]


def test_L27_an_unsolicited_terminate_ack_starts_over() -> None:
    bench = Bench()
    bench.open_lcp()
    first = bench.request()
    (again,) = bench.lcp(TERM_ACK, 9)
    assert isinstance(again, Seen)
    assert again.code == REQUEST
    assert again.identifier != first.identifier
    assert bench.link.phase is Phase.ESTABLISH


@pytest.mark.parametrize("code", [0, 14, 15, 200])
def test_L28_an_unknown_code_is_rejected_with_a_new_identifier_each(code: int) -> None:
    bench = Bench()
    seen = [bench.lcp(code, 5, b"abc")[0] for _ in range(2)]
    bench.open_lcp()
    seen += [bench.lcp(code, 5, b"abc")[0]]
    assert all(isinstance(one, Seen) and one.code == CODE_REJECT for one in seen)
    assert all(isinstance(one, Seen) and one.data == bytes([code, 5, 0, 7]) + b"abc" for one in seen)
    assert len({one.identifier for one in seen if isinstance(one, Seen)}) == 3


def test_L28_a_code_reject_fits_the_peers_mru() -> None:
    bench = Bench()
    bench.open_lcp((1, (600).to_bytes(2, "big")))
    (reject,) = bench.lcp(200, 5, bytes(1400))
    assert isinstance(reject, Seen)
    assert len(reject.data) + 4 == 600
    assert reject.data[:4] == b"\xc8\x05\x05\x7c", "the rejected Length is not altered"


@pytest.mark.parametrize("code", range(1, 8))
def test_L30_rejecting_a_code_that_everyone_needs_ends_the_link(code: int) -> None:
    bench = Bench()
    bench.log_in()
    outcome = bench.lcp(CODE_REJECT, 1, bytes([code, 1, 0, 4]))
    assert bench.link.phase is Phase.TERMINATE
    assert [seen.code for seen in outcome if isinstance(seen, Seen)] == [TERM_REQUEST]
    assert bench.wait(7)[-1] == Finished("protocol_rejected")


@pytest.mark.parametrize("code", [0, 9, 12, 13, 200])
def test_L30_rejecting_another_code_is_survived(code: int) -> None:
    bench = Bench()
    bench.open_lcp()
    assert bench.lcp(CODE_REJECT, 1, bytes([code, 1, 0, 4])) == []
    assert bench.link.phase is Phase.AUTHENTICATE


def test_L30_L36_a_peer_without_echo_lives_by_its_rejects_and_is_noticed_when_it_is_gone() -> None:
    bench = Bench(echo_interval=10, echo_failures=1)
    bench.open_network()
    for _ in range(10):
        bench.wait(10)
        echo = bench.seen(9)[-1]
        assert bench.lcp(CODE_REJECT, 1, bytes([9, echo.identifier, 0, 8]) + echo.data) == []
    assert bench.link.network_opened
    bench.wait(10)
    bench.lcp(CODE_REJECT, 1, bytes([9, echo.identifier, 0, 8]) + echo.data)
    assert bench.wait(30)[-1] == Finished("echo_timeout"), "that was the reject of an earlier one"


@pytest.mark.parametrize("data", [b"", b"\x01\x01\x00", b"\x01\x01\x00\x03"])
def test_L30_a_code_reject_of_nothing_is_discarded(data: bytes) -> None:
    bench = Bench()
    bench.open_lcp()
    assert bench.lcp(CODE_REJECT, 1, data) == [Dropped(Drop.TRUNCATED)]
    assert bench.link.phase is Phase.AUTHENTICATE

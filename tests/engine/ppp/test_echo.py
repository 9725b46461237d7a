"""LCP echoes both ways: answering the peer's, and noticing when it no longer answers ours."""

from __future__ import annotations

import pytest

from reconciler.engine.ppp.link import Dropped, Finished, NetworkDown, Phase
from reconciler.engine.wire.drop import Drop
from tests.engine.ppp.bench import (
    ECHO,
    ECHO_REPLY,
    LCP,
    MAGIC,
    REJECT,
    REQUEST,
    TERM_REQUEST,
    Bench,
    Seen,
    codes,
    options,
)


def our_magic(bench: Bench) -> bytes:
    return dict(bench.request().options)[5]


def test_L33_L35_an_echo_is_answered_as_soon_as_lcp_is_open() -> None:
    bench = Bench()
    bench.open_lcp()
    reply = bench.lcp(ECHO, 0, MAGIC[1] + b"data")
    assert reply == [(LCP, ECHO_REPLY, 0, our_magic(bench) + b"data")]


def test_L33_before_opened_or_too_short_it_is_discarded() -> None:
    bench = Bench()
    assert bench.lcp(ECHO, 0, MAGIC[1]) == [Dropped(Drop.PPP_PHASE)]
    bench.open_lcp()
    assert bench.lcp(ECHO, 0, b"abc") == [Dropped(Drop.TRUNCATED)]


def test_L33_an_echo_larger_than_the_peer_takes_is_answered_shorter() -> None:
    bench = Bench()
    bench.open_lcp((1, (1480).to_bytes(2, "big")))
    (reply,) = bench.lcp(ECHO, 0, MAGIC[1] + bytes(1484))
    assert isinstance(reply, Seen)
    assert len(reply.data) + 4 == 1480


def test_L34_only_the_peers_magic_is_answered() -> None:
    bench = Bench()
    bench.open_lcp()
    assert bench.lcp(ECHO, 0, b"else") == [Dropped(Drop.FOREIGN_MAGIC)]
    assert bench.lcp(ECHO, 0, bytes(4)) == [Dropped(Drop.FOREIGN_MAGIC)]
    assert bench.link.phase is Phase.AUTHENTICATE


def test_L34_a_peer_without_magic_says_zero() -> None:
    bench = Bench()
    bench.lcp(REQUEST, 1)
    bench.acknowledge(bench.request())
    assert codes(bench.lcp(ECHO, 0, bytes(4))) == [(LCP, ECHO_REPLY)]


def test_L34_our_own_magic_is_a_loop() -> None:
    bench = Bench()
    bench.open_network()
    assert bench.lcp(ECHO, 0, our_magic(bench)) == []
    for _ in range(2):
        bench.lcp(ECHO, 0, our_magic(bench))
    assert bench.wait(10)[-1] == Finished("loopback")


def test_L17_L34_zero_is_no_loop_though_we_had_to_do_without_a_magic_number() -> None:
    bench = Bench()
    bench.lcp(REQUEST, 1, options(MAGIC))
    bench.lcp(REJECT, bench.request().identifier, options((5, our_magic(bench))))
    bench.acknowledge(bench.request())
    for identifier in range(10):
        assert bench.lcp(ECHO, identifier, bytes(4)) == [Dropped(Drop.FOREIGN_MAGIC)]
    assert codes(bench.lcp(ECHO, 10, MAGIC[1])) == [(LCP, ECHO_REPLY)]


def test_L36_three_unanswered_echoes_end_the_link() -> None:
    bench = Bench(echo_interval=20, echo_failures=3)
    bench.open_network()
    bench.wait(20)
    assert len(bench.seen(ECHO)) == 1
    bench.wait(50)
    assert len(bench.seen(ECHO)) == 3
    assert bench.link.network_opened
    outcome = bench.wait(10)
    assert NetworkDown() in outcome
    assert codes(outcome) == [(LCP, TERM_REQUEST)]
    assert bench.wait(10)[-1] == Finished("echo_timeout")
    assert len({seen.identifier for seen in bench.seen(ECHO)}) == 3


def test_L36_an_answered_echo_keeps_it_alive() -> None:
    bench = Bench(echo_interval=20, echo_failures=1)
    bench.open_network()
    for _ in range(50):
        bench.wait(20)
        assert bench.lcp(ECHO_REPLY, bench.seen(ECHO)[-1].identifier, MAGIC[1]) == []
    assert bench.link.network_opened


@pytest.mark.parametrize(("offset", "magic"), [(1, MAGIC[1]), (0, b"else"), (0, bytes(4))])
def test_L36_a_wrong_reply_is_no_sign_of_life(offset: int, magic: bytes) -> None:
    bench = Bench(echo_interval=20, echo_failures=1)
    bench.open_network()
    bench.wait(20)
    bench.lcp(ECHO_REPLY, bench.seen(ECHO)[-1].identifier + offset, magic)
    bench.wait(20)
    assert bench.link.phase is Phase.TERMINATE


def test_L36_no_echoes_when_switched_off() -> None:
    bench = Bench(echo_interval=0)
    bench.open_network()
    assert bench.wait(10_000) == []
    assert bench.link.deadline() is None

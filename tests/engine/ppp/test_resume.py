"""A link that goes on in another process: the subscriber notices nothing."""

from __future__ import annotations

from random import Random

import pytest

from reconciler.engine.ppp.link import Link, NetworkDown, NetworkUp, Phase
from tests.engine.ppp.bench import (
    ACK,
    ADDRESS,
    ECHO,
    ECHO_REPLY,
    IPCP,
    LCP,
    PAP,
    REQUEST,
    TERM_ACK,
    TERM_REQUEST,
    Bench,
    Seen,
    codes,
    options,
)

PEER_MAGIC = b"HOST"


def opened(**policy: object) -> Bench:
    """A subscriber who is up by PAP, asking for an MRU of 1400."""
    bench = Bench(auth=("pap",), **policy)
    bench.lcp(REQUEST, 1, options((1, b"\x05\x78"), (5, PEER_MAGIC)))
    bench.acknowledge(bench.request())
    bench.say(PAP, 1, 1, b"\x04theo\x04test")
    bench.grant()
    bench.ipcp(REQUEST, 1, options((3, ADDRESS)))
    bench.acknowledge(bench.request(IPCP))
    assert bench.link.network_opened
    return bench


def handed_over(bench: Bench) -> Bench:
    """The same subscriber, after the engine has been replaced."""
    agreed = bench.link.agreed()
    assert agreed is not None
    bench.link = Link(bench.policy, Random(8).randbytes)
    bench.link.resume(agreed, bench.now)
    bench.log.clear()
    return bench


def test_what_was_agreed_is_kept() -> None:
    bench = handed_over(opened())
    assert (bench.link.phase, bench.link.network_opened, bench.link.peer_mru) == (Phase.NETWORK, True, 1400)
    assert bench.link.agreed() == opened().link.agreed()


def test_the_subscriber_is_asked_at_once_and_then_as_usual() -> None:
    bench = handed_over(opened(echo_interval=30.0))
    (asked,) = bench.wait(0.1)
    assert isinstance(asked, Seen)
    assert (asked.protocol, asked.code) == (LCP, ECHO)
    bench.lcp(ECHO_REPLY, asked.identifier, PEER_MAGIC)
    assert bench.wait(29.0) == []
    assert codes(bench.wait(2.0)) == [(LCP, ECHO)]


def test_one_that_does_not_answer_is_given_up_soon() -> None:
    bench = handed_over(opened(echo_interval=30.0, echo_failures=3))
    bench.wait(9.5)
    assert any(isinstance(seen, NetworkDown) for seen in bench.log)
    assert bench.seen(TERM_REQUEST)


def test_without_keepalive_nobody_is_asked() -> None:
    assert handed_over(opened(echo_interval=0)).wait(1000) == []


def test_it_answers_echoes_with_the_same_magic_number() -> None:
    before = opened()
    magic = before.lcp(ECHO, 9, PEER_MAGIC)[0]
    assert handed_over(before).lcp(ECHO, 9, PEER_MAGIC) == [magic]


def test_A3_a_repeated_login_is_still_good() -> None:
    assert codes(handed_over(opened()).say(PAP, 1, 2, b"\x04theo\x04test")) == [(PAP, 2)]


@pytest.mark.parametrize("protocol", [LCP, IPCP])
def test_either_protocol_can_be_ended(protocol: int) -> None:
    bench = handed_over(opened())
    assert (protocol, TERM_ACK) in codes(bench.say(protocol, TERM_REQUEST, 5))
    assert any(isinstance(seen, NetworkDown) for seen in bench.log)


def test_the_network_can_be_negotiated_again() -> None:
    bench = handed_over(opened())
    bench.ipcp(REQUEST, 7, options((3, ADDRESS)))
    bench.acknowledge(bench.request(IPCP))
    assert [type(seen) for seen in bench.log if isinstance(seen, NetworkUp | NetworkDown)] == [
        NetworkDown,
        NetworkUp,
    ]
    assert (IPCP, ACK) in codes(bench.log)


def test_nothing_is_to_be_handed_over_before_the_network_is_open() -> None:
    assert Bench().link.agreed() is None

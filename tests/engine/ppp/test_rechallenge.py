"""Challenging a peer that is in again: nothing happens to it as long as it answers well."""

from __future__ import annotations

import pytest

from reconciler.engine.ppp.link import Ask, Finished, NetworkDown, Phase
from tests.engine.ppp.bench import (
    ADDRESS,
    CHAP,
    LCP,
    MAGIC,
    REQUEST,
    TERM_REQUEST,
    Bench,
    Seen,
    codes,
    options,
)


def open_bench(**policy: object) -> Bench:
    bench = Bench(**{"auth": ("chap",), "rechallenge": 60.0, "echo_interval": 0, **policy})
    bench.open_network()
    return bench


def challenge(bench: Bench) -> Seen:
    return next(seen for seen in reversed(bench.seen(1)) if seen.protocol == CHAP)


def respond(bench: Bench) -> Ask:
    (ask,) = bench.say(CHAP, 2, challenge(bench).identifier, b"\x10" + bytes(16) + b"theo")
    assert isinstance(ask, Ask)
    return ask


def test_A15_nobody_is_challenged_again_unless_the_policy_says_so() -> None:
    bench = open_bench(rechallenge=0.0)
    assert bench.wait(10_000) == []


def test_A15_a_good_answer_changes_nothing_and_the_next_challenge_comes() -> None:
    bench = open_bench()
    first = challenge(bench)
    for _ in range(3):
        (again,) = bench.wait(60)
        assert isinstance(again, Seen)
        assert (again.protocol, again.code) == (CHAP, 1)
        assert (again.identifier, again.data) != (first.identifier, first.data)
        assert respond(bench).again
        assert bench.grant() == [(CHAP, 3, again.identifier, b"")]
        assert bench.link.network_opened
        first = again


def test_A15_the_network_is_up_while_an_answer_is_waited_for_and_judged() -> None:
    bench = open_bench()
    bench.wait(60)
    assert bench.link.network_opened
    respond(bench)
    bench.wait(10)
    assert bench.link.network_opened
    assert bench.link.phase is Phase.NETWORK


def test_A15_a_wrong_answer_ends_the_link() -> None:
    bench = open_bench()
    bench.wait(60)
    respond(bench)
    outcome = bench.refuse()
    assert codes(outcome) == [(CHAP, 4), (LCP, TERM_REQUEST)]
    assert any(isinstance(seen, NetworkDown) for seen in outcome)
    assert bench.wait(10)[-1] == Finished("auth_failed")


def test_A15_no_answer_at_all_ends_the_link() -> None:
    bench = open_bench()
    bench.wait(60 + 31)
    assert len([seen for seen in bench.seen(1) if seen.protocol == CHAP]) == 1 + 10
    assert codes(bench.log)[-1] == (LCP, TERM_REQUEST)
    assert bench.wait(10)[-1] == Finished("auth_timeout")


def test_A15_an_answer_to_the_challenge_before_is_discarded() -> None:
    bench = open_bench()
    old = challenge(bench)
    bench.wait(60)
    bench.say(CHAP, 2, old.identifier, b"\x10" + bytes(16) + b"theo")
    assert bench.drops()[-1] == "stale_response"


def test_A15_A21_after_lcp_has_started_over_a_login_is_a_login() -> None:
    bench = open_bench()
    bench.wait(60)
    bench.lcp(REQUEST, 9, options(MAGIC))
    bench.acknowledge(bench.request())
    assert not respond(bench).again
    bench.grant()
    bench.ipcp(REQUEST, 1, options((3, ADDRESS)))
    assert bench.link.phase is Phase.NETWORK


@pytest.mark.parametrize("method", ["pap"])
def test_A15_who_logged_in_by_pap_cannot_be_asked_again(method: str) -> None:
    assert open_bench(auth=(method,)).wait(10_000) == []

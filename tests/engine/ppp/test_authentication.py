"""PAP and CHAP from the authenticator's side."""

from __future__ import annotations

from hashlib import md5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.ppp.link import (
    Ask,
    ChapCredentials,
    Dropped,
    Finished,
    NetworkUp,
    PapCredentials,
    Phase,
)
from reconciler.engine.wire.drop import Drop
from tests.engine.ppp.bench import (
    ADDRESS,
    CHAP,
    ECHO,
    IPCP,
    LCP,
    MAGIC,
    NAK,
    PAP,
    REQUEST,
    TERM_REQUEST,
    Bench,
    Outcome,
    Seen,
    codes,
    options,
)

LOGIN = b"\x04theo\x04test"
short_text = st.binary(max_size=255)


def pap_bench(**policy: object) -> Bench:
    bench = Bench(auth=("pap",), **policy)
    bench.open_lcp()
    return bench


def chap_bench(**policy: object) -> Bench:
    bench = Bench(auth=("chap",), **policy)
    bench.open_lcp()
    return bench


def challenge(bench: Bench) -> Seen:
    return next(seen for seen in reversed(bench.seen(1)) if seen.protocol == CHAP)


def respond(bench: Bench, response: bytes = bytes(16), name: bytes = b"theo") -> list[Outcome]:
    return bench.say(CHAP, 2, challenge(bench).identifier, bytes([len(response)]) + response + name)


# Both


@pytest.mark.parametrize("make", [pap_bench, chap_bench])
def test_A1_network_protocols_wait_for_the_login(make: object) -> None:
    bench = pap_bench() if make is pap_bench else chap_bench()
    assert bench.ipcp(REQUEST, 1, options((3, ADDRESS))) == [Dropped(Drop.PPP_PHASE)]
    _ = bench.say(PAP, 1, 1, LOGIN) if make is pap_bench else respond(bench)
    assert bench.ipcp(REQUEST, 1, options((3, ADDRESS))) == [Dropped(Drop.PPP_PHASE)], (
        "not while it is judged"
    )
    bench.grant()
    assert codes(bench.ipcp(REQUEST, 1, options((3, ADDRESS)))) == [(IPCP, 1), (IPCP, 2)], "at once"
    assert bench.acknowledge(bench.request(IPCP)) == [NetworkUp(ADDRESS)]


def test_a_login_is_granted_once_and_only_when_asked() -> None:
    bench = pap_bench()
    assert bench.grant() == bench.refuse() == []
    bench.say(PAP, 1, 1, LOGIN)
    bench.grant()
    assert bench.grant() == bench.refuse() == []
    assert bench.link.phase is Phase.NETWORK


def test_A9_a_client_that_never_logs_in_is_let_go() -> None:
    bench = pap_bench(auth_timeout=30)
    assert bench.wait(29) == []
    assert codes(bench.wait(2)) == [(LCP, TERM_REQUEST)]
    assert bench.wait(10)[-1] == Finished("auth_timeout")


def test_A20_an_answer_to_a_void_question_is_dropped() -> None:
    bench = pap_bench()
    bench.say(PAP, 1, 1, LOGIN)
    assert codes(bench.lcp(ECHO, 3, MAGIC[1])) == [(LCP, 10)], "echoes are answered meanwhile"
    bench.lcp(REQUEST, 2, options(MAGIC))
    assert bench.grant(1) == []
    bench.acknowledge(bench.request())
    assert bench.grant(1) == []
    assert bench.link.phase is Phase.AUTHENTICATE
    assert bench.say(PAP, 1, 2, b"\x04theo\x05wrong") == [Ask(PapCredentials(b"theo", b"wrong"), 2)]
    assert bench.grant(1) == bench.refuse(1) == [], "an answer that belongs to the question before"
    assert codes(bench.refuse(2))[0] == (PAP, 3)


def test_A20_the_questions_of_a_link_are_numbered_through_whatever_the_method() -> None:
    bench = Bench(auth=("chap", "pap"))
    bench.open_lcp()
    respond(bench)
    assert bench.link.asking == 1
    bench.lcp(REQUEST, 2, options(MAGIC))
    bench.lcp(NAK, bench.request().identifier, options((3, b"\xc0\x23")))
    bench.acknowledge(bench.request())
    bench.say(PAP, 1, 1, LOGIN)
    assert bench.link.asking == 2
    assert bench.grant(1) == []


def test_passwords_and_responses_are_not_shown() -> None:
    shown = repr([PapCredentials(b"theo", b"sesame"), ChapCredentials(b"theo", 1, b"", b"sesame")])
    assert "sesame" not in shown


# PAP


def test_A2_a_good_request_is_acknowledged_with_an_empty_message() -> None:
    bench = pap_bench()
    assert bench.say(PAP, 1, 5, LOGIN) == [Ask(PapCredentials(b"theo", b"test"), 1)]
    assert bench.grant()[0] == (PAP, 2, 5, b"\0")


def test_A3_a_repeated_request_gets_the_same_answer_and_asks_nobody() -> None:
    bench = pap_bench()
    bench.say(PAP, 1, 5, LOGIN)
    bench.grant()
    assert bench.say(PAP, 1, 6, LOGIN) == [(PAP, 2, 6, b"\0")]
    assert bench.say(PAP, 1, 7, b"\x04theo\x05wrong") == [(PAP, 2, 7, b"\0")]
    bench.open_network()
    assert bench.say(PAP, 1, 8, LOGIN) == [(PAP, 2, 8, b"\0")]
    assert bench.link.network_opened


def test_A4_requests_while_one_is_judged_ask_once_and_the_last_is_answered() -> None:
    bench = pap_bench()
    outcome = [bench.say(PAP, 1, identifier, LOGIN) for identifier in (5, 6, 7)]
    assert outcome[1:] == [[], []]
    assert bench.grant()[0] == (PAP, 2, 7, b"\0")


def test_A5_a_wrong_password_gets_a_nak_and_then_the_end() -> None:
    bench = pap_bench()
    bench.say(PAP, 1, 5, LOGIN)
    outcome = bench.refuse()
    assert outcome[0] == (PAP, 3, 5, b"\x02no")
    assert codes(outcome[1:]) == [(LCP, TERM_REQUEST)]
    assert bench.wait(10)[-1] == Finished("auth_failed")


def test_A6_pap_is_not_taken_when_chap_was_agreed() -> None:
    bench = chap_bench()
    assert bench.say(PAP, 1, 1, LOGIN) == [Dropped(Drop.PPP_PHASE)]
    bench.log_in()
    assert bench.say(PAP, 1, 1, LOGIN) == [Dropped(Drop.PPP_PHASE)]


def test_A6_pap_is_not_taken_before_opened_or_while_terminating() -> None:
    bench = Bench(auth=("pap",))
    assert bench.say(PAP, 1, 1, LOGIN) == [Dropped(Drop.PPP_PHASE)]
    bench.open_lcp()
    bench.close()
    assert bench.say(PAP, 1, 1, LOGIN) == [Dropped(Drop.PPP_PHASE)]


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\x05theo", b"\x04theo", b"\x04theo\x05test", b"\xfftheo\x04test", b"\x00\x01"]
)
def test_A7_inner_lengths_that_do_not_fit_are_discarded(data: bytes) -> None:
    bench = pap_bench()
    assert bench.say(PAP, 1, 1, data) == [Dropped(Drop.AUTH_FORM)]


@given(short_text, short_text, st.binary(max_size=20))
def test_A7_A8_names_and_passwords_are_octets_and_nothing_else(name: bytes, word: bytes, rest: bytes) -> None:
    bench = pap_bench()
    data = bytes([len(name)]) + name + bytes([len(word)]) + word + rest
    assert bench.say(PAP, 1, 1, data) == [Ask(PapCredentials(name, word), 1)]


@pytest.mark.parametrize("code", [0, 2, 3, 4, 255])
def test_A16_only_requests_are_taken_from_a_pap_client(code: int) -> None:
    assert pap_bench().say(PAP, code, 1, LOGIN) == [Dropped(Drop.AUTH_CODE)]


# CHAP


def test_A10_the_challenge_follows_the_opening_of_lcp_and_is_well_formed() -> None:
    bench = Bench(name=b"SERVER")
    (seen,) = bench.open_lcp()
    assert isinstance(seen, Seen)
    assert (seen.protocol, seen.code) == (CHAP, 1)
    assert seen.data[0] == 16
    assert seen.data[17:] == b"SERVER"


def test_A11_each_challenge_is_new_and_after_ten_the_link_ends() -> None:
    bench = chap_bench(auth_timeout=100.0)
    bench.wait(99)
    challenges = [seen for seen in bench.seen(1) if seen.protocol == CHAP]
    assert len(challenges) == 10
    assert len({seen.identifier for seen in challenges}) == 10
    assert len({seen.data for seen in challenges}) == 10
    assert bench.log[-1] == Finished("auth_timeout")


def test_A11_a_response_to_an_older_challenge_is_discarded() -> None:
    bench = chap_bench()
    old = challenge(bench)
    bench.wait(3)
    assert bench.say(CHAP, 2, old.identifier, b"\x10" + bytes(16) + b"theo") == [Dropped(Drop.STALE_RESPONSE)]


def test_A12_a_response_can_be_checked_and_its_repetition_gets_the_same_answer() -> None:
    bench = chap_bench()
    set_ = challenge(bench)
    right = md5(bytes([set_.identifier]) + b"test" + set_.data[1:17]).digest()
    credentials = ChapCredentials(b"theo", set_.identifier, set_.data[1:17], right)
    assert respond(bench, right) == [Ask(credentials, 1)]
    assert bench.grant()[0] == (CHAP, 3, set_.identifier, b"")
    assert respond(bench, right) == [(CHAP, 3, set_.identifier, b"")]
    assert respond(bench, bytes(16)) == [(CHAP, 3, set_.identifier, b"")], "no oracle for guesses"
    assert bench.link.phase is Phase.NETWORK


def test_A12_no_new_challenge_while_a_response_is_judged() -> None:
    bench = chap_bench()
    respond(bench)
    assert bench.wait(20) == []
    assert respond(bench) == []
    assert codes(bench.grant())[0] == (CHAP, 3)


@pytest.mark.parametrize("size", [0, 15, 17, 49, 255])
def test_A13_a_response_of_wrong_size_is_discarded(size: int) -> None:
    bench = chap_bench()
    assert respond(bench, bytes(size)) == [Dropped(Drop.AUTH_FORM)]


@pytest.mark.parametrize("data", [b"", b"\x10", b"\x10" + bytes(15), b"\xff" + bytes(16)])
def test_A13_a_response_cut_short_is_discarded(data: bytes) -> None:
    bench = chap_bench()
    assert bench.say(CHAP, 2, challenge(bench).identifier, data) == [Dropped(Drop.AUTH_FORM)]


def test_A13_an_empty_name_is_nobody_in_particular() -> None:
    (ask,) = respond(chap_bench(), name=b"")
    assert isinstance(ask, Ask)
    assert ask.credentials.name == b""


def test_A14_failure_is_followed_by_the_end() -> None:
    bench = chap_bench()
    respond(bench)
    outcome = bench.refuse()
    assert codes(outcome) == [(CHAP, 4), (LCP, TERM_REQUEST)]
    assert bench.lcp(6, bench.seen(TERM_REQUEST)[-1].identifier) == [Finished("auth_failed")]


@pytest.mark.parametrize("code", [0, 1, 3, 4, 5, 6, 7, 255])
def test_A16_only_responses_are_taken_from_a_chap_client(code: int) -> None:
    bench = chap_bench()
    identifier = challenge(bench).identifier
    assert bench.say(CHAP, code, identifier, b"\x10" + bytes(16) + b"theo") == [Dropped(Drop.AUTH_CODE)]

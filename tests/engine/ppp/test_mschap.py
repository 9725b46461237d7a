"""Microsoft's CHAP from the authenticator's side: what is sent and taken, and how methods are agreed on."""

from __future__ import annotations

import re

import pytest

from reconciler.engine.ppp.link import (
    Ask,
    ChapCredentials,
    Dropped,
    Finished,
    MsChapCredentials,
    MsChapV2Credentials,
    Phase,
)
from reconciler.engine.wire.drop import Drop
from tests.engine.ppp.bench import (
    CHAP,
    LCP,
    MAGIC,
    NAK,
    REJECT,
    REQUEST,
    TERM_REQUEST,
    Bench,
    Outcome,
    Seen,
    codes,
    options,
)
from tests.peer_negotiation import AUTH_OPTIONS

PEER_CHALLENGE, LM_RESPONSE, NT_RESPONSE = bytes(range(16)), b"L" * 24, b"N" * 24
V2 = PEER_CHALLENGE + bytes(8) + NT_RESPONSE + b"\0"
USUAL = ("mschapv2", "chap", "pap")


def bench_for(*methods: str) -> Bench:
    bench = Bench(auth=methods)
    bench.open_lcp()
    return bench


def challenge(bench: Bench) -> Seen:
    return next(seen for seen in reversed(bench.seen(1)) if seen.protocol == CHAP)


def respond(bench: Bench, value: bytes, name: bytes = b"theo") -> list[Outcome]:
    return bench.say(CHAP, 2, challenge(bench).identifier, bytes([len(value)]) + value + name)


def asked_for(bench: Bench) -> str:
    """The method in our latest LCP request."""
    value = dict(bench.request().options)[3]
    return next(method for method, option in AUTH_OPTIONS.items() if option == value)


# Agreeing on a method


@pytest.mark.parametrize("method", ["mschapv2", "chap", "mschap", "pap"])
def test_L19_the_first_method_is_asked_for_alone(method: str) -> None:
    bench = Bench(auth=(method, "pap", "chap"))
    bench.lcp(REQUEST, 1, options(MAGIC))
    assert [value for kind, value in bench.request().options if kind == 3] == [AUTH_OPTIONS[method]]


@pytest.mark.parametrize("wish", ["chap", "pap"])
def test_A19_L19_a_client_gets_the_method_it_would_rather_have(wish: str) -> None:
    bench = Bench(auth=USUAL)
    bench.lcp(REQUEST, 1, options(MAGIC))
    assert asked_for(bench) == "mschapv2"
    bench.lcp(NAK, bench.request().identifier, options((3, AUTH_OPTIONS[wish])))
    assert asked_for(bench) == wish
    bench.acknowledge(bench.request())
    assert bench.link.phase is Phase.AUTHENTICATE


@pytest.mark.parametrize(
    "wish", [b"\xc2\x23\x81", b"\xc2\x23\x80", b"\xc2\x23", b"\xc2\x27", b"\xc2\x23\x06"]
)
def test_A19_L19_a_method_that_is_not_offered_is_answered_with_the_next_that_is(wish: bytes) -> None:
    bench = Bench(auth=("chap", "pap"))
    bench.lcp(REQUEST, 1, options(MAGIC))
    bench.lcp(NAK, bench.request().identifier, options((3, wish)))
    assert asked_for(bench) == "pap"
    assert codes(bench.lcp(NAK, bench.request().identifier, options((3, wish)))) == [(LCP, TERM_REQUEST)]
    assert bench.wait(10)[-1] == Finished("auth_refused")


def test_L19_a_client_that_rejects_logging_in_is_let_go() -> None:
    bench = Bench(auth=USUAL)
    bench.lcp(REQUEST, 1, options(MAGIC))
    request = bench.request()
    bench.lcp(REJECT, request.identifier, options((3, AUTH_OPTIONS["mschapv2"])))
    assert bench.wait(10)[-1] == Finished("auth_refused")


# Version 2


def test_A17_the_challenge_has_sixteen_octets() -> None:
    assert challenge(bench_for("mschapv2")).data[0] == 16


def test_A17_a_response_is_taken_apart() -> None:
    bench = bench_for("mschapv2")
    ours = challenge(bench).data[1:17]
    expected = MsChapV2Credentials(b"BIGCO\\theo", ours, PEER_CHALLENGE, NT_RESPONSE)
    assert respond(bench, V2, b"BIGCO\\theo") == [Ask(expected, 1)]


def test_A17_success_proves_that_we_know_the_password() -> None:
    bench = bench_for("mschapv2")
    respond(bench, V2)
    proof = bytes.fromhex("407a5589115fd0d6209f510fe9c04566932cda56")
    (success, *_) = bench.grant(proof=proof)
    assert isinstance(success, Seen)
    assert (success.protocol, success.code) == (CHAP, 3)
    assert success.data == b"S=407A5589115FD0D6209F510FE9C04566932CDA56 M=Welcome"
    assert respond(bench, V2) == [success], "and again, word for word"


def test_A17_failure_names_the_error_a_challenge_and_the_version() -> None:
    bench = bench_for("mschapv2")
    respond(bench, V2)
    failure, terminate = bench.refuse()
    assert isinstance(failure, Seen)
    assert codes([failure, terminate]) == [(CHAP, 4), (LCP, TERM_REQUEST)]
    assert re.fullmatch(rb"E=691 R=0 C=[0-9A-F]{32} V=3 M=no", failure.data)
    assert bench.wait(10)[-1] == Finished("auth_failed")


@pytest.mark.parametrize("size", [0, 15, 16, 17, 48, 50, 255])
@pytest.mark.parametrize("method", ["mschapv2", "mschap"])
def test_A13_A17_A18_a_response_of_another_size_is_discarded(method: str, size: int) -> None:
    assert respond(bench_for(method), bytes(size)) == [Dropped(Drop.AUTH_FORM)]


def test_A17_a_client_that_agrees_to_any_chap_and_does_md5_is_taken_at_its_word() -> None:
    bench = bench_for(*USUAL)
    set_ = challenge(bench)
    (ask,) = respond(bench, bytes(16))
    assert ask == Ask(ChapCredentials(b"theo", set_.identifier, set_.data[1:17], bytes(16)), 1)
    assert bench.grant()[0] == (CHAP, 3, set_.identifier, b"")


@pytest.mark.parametrize("code", [0, 1, 3, 4, 5, 6, 7, 255])
def test_A16_change_of_password_and_the_like_are_not_taken(code: int) -> None:
    bench = bench_for("mschapv2")
    assert bench.say(CHAP, code, challenge(bench).identifier, b"\x31" + V2) == [Dropped(Drop.AUTH_CODE)]


# Version 1


def test_A18_a_response_counts_by_its_nt_half() -> None:
    bench = bench_for("mschap")
    set_ = challenge(bench)
    assert set_.data[0] == 8
    expected = MsChapCredentials(b"theo", set_.data[1:9], NT_RESPONSE)
    assert respond(bench, LM_RESPONSE + NT_RESPONSE + b"\1") == [Ask(expected, 1)]
    assert bench.grant()[0] == (CHAP, 3, set_.identifier, b"")


@pytest.mark.parametrize("flag", [b"\0", b"\2", b"\xff"])
def test_A18_a_response_by_lan_manager_alone_proves_nothing(flag: bytes) -> None:
    (ask,) = respond(bench_for("mschap"), LM_RESPONSE + NT_RESPONSE + flag)
    assert isinstance(ask, Ask)
    assert isinstance(ask.credentials, MsChapCredentials)
    assert ask.credentials.response == b""


def test_A18_failure_names_the_error_a_challenge_and_the_version() -> None:
    bench = bench_for("mschap")
    respond(bench, LM_RESPONSE + NT_RESPONSE + b"\1")
    failure = bench.refuse()[0]
    assert isinstance(failure, Seen)
    assert re.fullmatch(rb"E=691 R=0 C=[0-9A-F]{16} V=2", failure.data)


def test_no_response_is_shown() -> None:
    shown = repr([MsChapCredentials(b"theo", b"", b"sesame"), MsChapV2Credentials(b"", b"", b"", b"sesame")])
    assert "sesame" not in shown

"""LCP's options, and the packets that only LCP has."""

from __future__ import annotations

import pytest

from reconciler.engine.ppp.link import Dropped, Finished, Link, LinkPolicy, Phase
from reconciler.engine.wire.drop import Drop
from tests.engine.ppp.bench import (
    ACK,
    LCP,
    MAGIC,
    NAK,
    REJECT,
    REQUEST,
    TERM_REQUEST,
    Bench,
    Seen,
    options,
)
from tests.peer_negotiation import WINDOWS_LCP

CHAP_MD5, PAP_AUTH = (3, b"\xc2\x23\x05"), (3, b"\xc0\x23")
EAP = (3, b"\xc2\x27")


def mru(value: int) -> tuple[int, bytes]:
    return 1, value.to_bytes(2, "big")


def answer_to(bench: Bench, *asked: tuple[int, bytes]) -> tuple[int, list[tuple[int, bytes]]]:
    """Code and options of the answer to a request for these."""
    seen = bench.lcp(REQUEST, 7, options(*asked))[-1]
    assert isinstance(seen, Seen)
    assert seen.identifier == 7
    return seen.code, seen.options


# What we ask for


def test_L1_we_ask_for_mru_authentication_and_magic_and_nothing_else() -> None:
    bench = Bench()
    bench.wait(0.1)
    asked = bench.request().options
    assert asked[:2] == [mru(1492), CHAP_MD5]
    assert [kind for kind, _ in asked] == [1, 3, 5]
    assert asked[2][1] != bytes(4)


def test_L10_a_nak_with_options_we_never_sent_is_handled() -> None:
    bench = Bench()
    bench.wait(0.1)
    asked = bench.request()
    bench.lcp(NAK, asked.identifier, options(mru(1492), (13, b"\x06"), (7, b"")))
    assert [kind for kind, _ in bench.request().options] == [1, 3, 5]
    bench.lcp(NAK, bench.request().identifier, options((1, b"\x05"), (5, b"12345678")))
    bench.lcp(REQUEST, 1, options(MAGIC))
    bench.acknowledge(bench.request())
    assert bench.link.phase is Phase.AUTHENTICATE


@pytest.mark.parametrize("kind", [1, 5])
def test_L11_a_rejected_option_is_not_asked_for_again(kind: int) -> None:
    bench = Bench()
    bench.wait(0.1)
    asked = bench.request()
    bench.lcp(REJECT, asked.identifier, options(*[option for option in asked.options if option[0] == kind]))
    assert bench.request().options == [option for option in asked.options if option[0] != kind]


def test_L16_a_router_that_naks_our_mru_upwards_gets_in_within_three_rounds() -> None:
    bench = Bench()
    bench.lcp(REQUEST, 1, options(MAGIC))
    for _ in range(2):
        assert mru(1492) in bench.request().options, "never more than PPPoE carries"
        bench.lcp(NAK, bench.request().identifier, options(mru(1500)))
    assert [kind for kind, _ in bench.request().options] == [3, 5]
    bench.acknowledge(bench.request())
    assert bench.link.phase is Phase.AUTHENTICATE


def test_L16_a_smaller_mru_is_conceded() -> None:
    bench = Bench()
    bench.wait(0.1)
    bench.lcp(NAK, bench.request().identifier, options(mru(1400)))
    assert mru(1400) in bench.request().options


def test_L17_our_magic_is_never_zero_whatever_chance_gives() -> None:
    link = Link(LinkPolicy(b"AC"), bytes)
    link.open(0.0)
    (output,) = link.tick(0.05)
    assert isinstance(output, bytes)
    assert output[-6:-4] == b"\x05\x06"
    assert output[-4:] != bytes(4)


# What the peer asks for


def test_L4_a_good_request_is_acknowledged_octet_for_octet() -> None:
    asked = [MAGIC, mru(1480)]
    assert answer_to(Bench(), *asked) == (ACK, asked)


def test_L4_an_empty_request_gets_an_empty_ack() -> None:
    assert answer_to(Bench()) == (ACK, [])


def test_L5_unwanted_options_are_rejected_alone_in_order_and_before_any_nak() -> None:
    bench = Bench()
    unwanted = [(99, b"\0\x01"), (2, bytes(4)), (255, b"")]
    asked = [unwanted[0], mru(9000), unwanted[1], MAGIC, unwanted[2]]
    assert answer_to(bench, *asked) == (REJECT, unwanted)
    assert answer_to(bench, mru(9000), MAGIC) == (NAK, [mru(1492)])


def test_L6_only_bad_values_are_naked_in_order() -> None:
    bench = Bench()
    code, naked = answer_to(bench, (5, bytes(4)), mru(9000))
    assert code == NAK
    assert [kind for kind, _ in naked] == [5, 1]
    assert answer_to(bench, MAGIC, mru(9000)) == (NAK, [mru(1492)])


def test_L8_after_five_naks_the_option_is_rejected() -> None:
    bench = Bench()
    assert [answer_to(bench, mru(1500))[0] for _ in range(7)] == [NAK] * 5 + [REJECT] * 2
    assert answer_to(bench, MAGIC) == (ACK, [MAGIC])
    assert answer_to(bench, mru(1500))[0] == NAK, "an Ack starts the count anew"


@pytest.mark.parametrize("value", [b"", b"\x05", b"\x05\xd4\x00"])
def test_L12_a_known_option_of_wrong_length_is_naked_with_the_right_one(value: bytes) -> None:
    assert answer_to(Bench(), (1, value)) == (NAK, [mru(1492)])
    code, naked = answer_to(Bench(), (5, value))
    assert code == NAK
    assert len(naked[0][1]) == 4


def test_L14_an_option_given_twice_gets_one_answer() -> None:
    assert answer_to(Bench(), mru(1480), mru(1400)) == (REJECT, [mru(1400)])


@pytest.mark.parametrize(
    ("asked", "most"), [(None, 1492), (1492, 1492), (1480, 1480), (1491, 1491), (576, 576)]
)
def test_L15_we_send_no_more_than_the_peer_and_pppoe_take(asked: int | None, most: int) -> None:
    bench = Bench()
    bench.open_lcp(*([] if asked is None else [mru(asked)]))
    assert bench.link.peer_mru == most


@pytest.mark.parametrize("value", [0, 67, 575, 1493, 1500, 65535])
def test_L15_an_mru_out_of_range_is_naked_then_rejected_and_the_cap_stays(value: int) -> None:
    bench = Bench()
    for _ in range(5):
        assert answer_to(bench, mru(value)) == (NAK, [mru(1492)])
    assert answer_to(bench, mru(value)) == (REJECT, [mru(value)])
    bench.open_lcp()
    assert bench.link.peer_mru == 1492


def test_L15_1500_octets_when_discovery_has_agreed_on_them() -> None:
    bench = Bench(mru=1500)
    assert answer_to(bench, mru(1508)) == (NAK, [mru(1500)])
    bench.open_lcp(mru(1500))
    assert bench.link.peer_mru == 1500
    assert mru(1500) in bench.request().options


def test_L20_a_peer_that_wants_us_to_log_in_is_refused_that() -> None:
    assert answer_to(Bench(), MAGIC, PAP_AUTH) == (REJECT, [PAP_AUTH])


@pytest.mark.parametrize("kind", [0, 2, 4, *range(6, 24), 24, 128, 255])
def test_L21_every_other_option_is_rejected(kind: int) -> None:
    assert answer_to(Bench(), MAGIC, (kind, b"x")) == (REJECT, [(kind, b"x")])


def test_L22_what_windows_asks_for() -> None:
    bench = Bench()
    windows = options(mru(1480), MAGIC, *WINDOWS_LCP)
    rejected = bench.lcp(REQUEST, 0, windows)[-1]
    assert rejected == (LCP, REJECT, 0, options(*WINDOWS_LCP))
    assert bench.lcp(REQUEST, 1, options(mru(1480), MAGIC)) == [(LCP, ACK, 1, options(mru(1480), MAGIC))]


# Authentication-Protocol


def negotiate_auth(bench: Bench, *naks: tuple[int, bytes]) -> list[bytes]:
    """What we ask for after each of these Naks."""
    bench.lcp(REQUEST, 1, options(MAGIC))
    asked = []
    for nak in naks:
        bench.lcp(NAK, bench.request().identifier, options(nak))
        asked.append(dict(bench.request().options)[3])
    return asked


def test_L19_the_strongest_comes_first_and_alone() -> None:
    bench = Bench()
    bench.wait(0.1)
    assert [option for option in bench.request().options if option[0] == 3] == [CHAP_MD5]


@pytest.mark.parametrize("suggestion", [PAP_AUTH, EAP, (3, b"\xc2\x23\x81"), (3, b"\xc2\x23"), (3, b"")])
def test_L19_A19_a_nak_leads_to_the_method_suggested_or_the_next_one(suggestion: tuple[int, bytes]) -> None:
    bench = Bench()
    assert negotiate_auth(bench, suggestion) == [PAP_AUTH[1]]
    bench.acknowledge(bench.request())
    assert bench.say(0xC023, 1, 1, b"\x01a\x01b") != [], "and it is PAP that we then take"


def test_L19_a_suggestion_out_of_turn_is_taken() -> None:
    bench = Bench(auth=("pap", "chap"))
    assert negotiate_auth(bench, CHAP_MD5) == [CHAP_MD5[1]]


@pytest.mark.parametrize("how", ["nak", "reject"])
def test_L19_without_a_common_method_the_link_ends_unauthenticated(how: str) -> None:
    bench = Bench()
    if how == "nak":
        negotiate_auth(bench, EAP, EAP)
    else:
        bench.lcp(REQUEST, 1, options(MAGIC))
        bench.lcp(REJECT, bench.request().identifier, options(CHAP_MD5))
    assert bench.link.phase is Phase.TERMINATE
    assert bench.seen(TERM_REQUEST) != []
    assert bench.wait(10)[-1] == Finished("auth_refused")


def test_L19_an_ack_without_the_auth_option_does_not_open_lcp() -> None:
    bench = Bench()
    bench.lcp(REQUEST, 1, options(MAGIC))
    asked = bench.request()
    bench.lcp(ACK, asked.identifier, options(*[option for option in asked.options if option[0] != 3]))
    assert bench.link.phase is Phase.ESTABLISH


# Magic-Number


def test_L17_magic_zero_is_naked_with_another_and_never_rejected() -> None:
    bench = Bench()
    for _ in range(9):
        code, naked = answer_to(bench, (5, bytes(4)))
        assert code == NAK, "whoever asks for a Magic-Number may not reject the peer's"
        assert naked[0][1] != bytes(4)


def test_L17_our_own_magic_is_naked_with_another_and_we_do_not_ask_anew() -> None:
    bench = Bench()
    bench.wait(0.1)
    ours = bench.request().options[2]
    bench.lcp(REQUEST, 1, options(MAGIC))
    outcome = bench.lcp(REQUEST, 2, options(ours))
    assert len(outcome) == 1
    code, naked = outcome[0][1], outcome[0].options  # type: ignore[misc, union-attr]
    assert code == NAK
    assert naked[0][1] not in (ours[1], bytes(4))


def test_L17_a_nak_with_our_own_suggestion_gets_a_new_magic() -> None:
    bench = Bench()
    bench.wait(0.1)
    _, naked = answer_to(bench, bench.request().options[2])
    bench.lcp(NAK, bench.request().identifier, options(naked[0]))
    assert bench.request().options[2] != naked[0]
    assert bench.link.phase is Phase.ESTABLISH


def test_L17_repeated_own_magics_are_a_loop() -> None:
    bench = Bench()
    bench.wait(0.1)
    for identifier in range(3):
        bench.lcp(REQUEST, identifier, options(bench.request().options[2]))
    assert bench.link.phase is Phase.TERMINATE
    assert bench.wait(10)[-1] == Finished("loopback")


def test_L17_two_sides_without_magic_are_no_loop() -> None:
    bench = Bench()
    bench.wait(0.1)
    asked = bench.request()
    bench.lcp(REJECT, asked.identifier, options(asked.options[2]))
    for _ in range(5):
        assert answer_to(bench, (5, bytes(4)))[0] == NAK
        bench.lcp(NAK, bench.request().identifier, options((5, b"1234")))
    assert [kind for kind, _ in bench.request().options] == [1, 3]
    assert bench.link.phase is Phase.ESTABLISH


def test_L17_a_rejected_magic_is_zero_in_our_echoes() -> None:
    bench = Bench(echo_interval=10)
    bench.wait(0.1)
    asked = bench.request()
    bench.lcp(REJECT, asked.identifier, options(asked.options[2]))
    bench.open_network()
    bench.wait(10)
    assert bench.seen(9)[-1].data == bytes(4)


def test_L18_a_line_that_returns_everything_is_given_up_within_few_packets() -> None:
    bench = Bench()
    waiting = bench.link.deadline()
    assert waiting is not None
    sent = 0
    outputs = bench.link.tick(waiting)
    while outputs:
        output = outputs.pop(0)
        if isinstance(output, bytes):
            sent += 1
            outputs += bench.link.receive(output, waiting)
        else:
            assert isinstance(output, Dropped) or output == Finished("loopback")
    assert sent < 15
    assert bench.link.phase is Phase.DEAD


# Codes that want no answer


@pytest.mark.parametrize("code", [11, 12, 13])
@pytest.mark.parametrize("opened", [False, True])
def test_L29_discard_identification_and_time_remaining_are_not_answered(code: int, opened: bool) -> None:
    bench = Bench()
    if opened:
        bench.open_lcp()
    assert bench.lcp(code, 1, MAGIC[1] + "MSRASV5.20 \x1b[31mé".encode() * 40) == []
    assert bench.lcp(code, 1, b"abc") == [Dropped(Drop.TRUNCATED)]

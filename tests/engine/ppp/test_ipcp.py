"""IPCP: the address that was granted, name servers for those who ask, and an end to haggling."""

from __future__ import annotations

import pytest

from reconciler.engine.ppp.link import Dropped, Finished, Grant, NetworkDown, NetworkUp, Phase
from reconciler.engine.wire.drop import Drop
from tests.engine.ppp.bench import (
    ACK,
    ADDRESS,
    CODE_REJECT,
    DNS,
    IPCP,
    LCP,
    NAK,
    OUR_ADDRESS,
    REJECT,
    REQUEST,
    TERM_ACK,
    TERM_REQUEST,
    WINS,
    Bench,
    Seen,
    codes,
    options,
)

ZERO = bytes(4)
OTHER = b"\xc0\xa8\x01\x02"


def network_bench(**policy: object) -> Bench:
    bench = Bench(**policy)
    bench.log_in()
    return bench


def answer_to(bench: Bench, *asked: tuple[int, bytes]) -> tuple[int, list[tuple[int, bytes]]]:
    seen = bench.ipcp(REQUEST, 7, options(*asked))[-1]
    assert isinstance(seen, Seen)
    assert (seen.protocol, seen.identifier) == (IPCP, 7)
    return seen.code, seen.options


# The peer's request


def test_I1_no_address_yet_gets_the_granted_one() -> None:
    bench = network_bench()
    assert answer_to(bench, (3, ZERO)) == (NAK, [(3, ADDRESS)])
    assert answer_to(bench, (3, ADDRESS)) == (ACK, [(3, ADDRESS)])


def test_I2_another_address_is_never_acknowledged_and_haggling_ends() -> None:
    bench = network_bench()
    assert [answer_to(bench, (3, OTHER))[0] for _ in range(6)] == [NAK] * 5 + [REJECT]
    outcome = bench.ipcp(REQUEST, 8)
    assert (IPCP, ACK) not in codes(outcome)
    assert bench.link.phase is Phase.TERMINATE
    assert bench.wait(10)[-1] == Finished("address_refused")


def test_I2_a_peer_that_gives_in_after_the_reject_is_served() -> None:
    bench = network_bench()
    for _ in range(6):
        answer_to(bench, (3, OTHER))
    assert answer_to(bench, (3, ADDRESS)) == (ACK, [(3, ADDRESS)])


def test_I1_a_peer_that_still_asks_has_lost_our_answer_and_is_told_again() -> None:
    bench = network_bench()
    asked, told = [(3, ZERO), (129, ZERO)], [(3, ADDRESS), (129, DNS[0])]
    assert [answer_to(bench, *asked) for _ in range(8)] == [(NAK, told)] * 8


def test_I3_a_request_without_address_is_told_once_and_not_twice() -> None:
    bench = network_bench()
    assert answer_to(bench) == (NAK, [(3, ADDRESS)])
    outcome = bench.ipcp(REQUEST, 8)
    assert (IPCP, ACK) not in codes(outcome)
    assert (LCP, TERM_REQUEST) in codes(outcome)


@pytest.mark.parametrize(
    "option",
    [
        (1, bytes(8)),
        (2, b"\0\x2d"),
        (2, b"\0\x2d\x0f\x01"),
        (2, b"\0\x61" + bytes(10)),
        (4, ZERO),
        (144, ZERO),
    ],
)
def test_I4_other_options_are_rejected(option: tuple[int, bytes]) -> None:
    assert answer_to(network_bench(), (3, ZERO), option) == (REJECT, [option])


def test_I5_name_servers_are_told_in_the_order_asked() -> None:
    bench = network_bench()
    asked = [(131, ZERO), (3, ZERO), (129, OTHER), (130, ZERO), (132, ZERO)]
    told = [(131, DNS[1]), (3, ADDRESS), (129, DNS[0]), (130, WINS[0]), (132, WINS[1])]
    assert answer_to(bench, *asked) == (NAK, told)
    assert answer_to(bench, *told) == (ACK, told)


def grant_with(dns: tuple[bytes, ...]) -> Bench:
    bench = Bench(auth=("pap",))
    bench.open_lcp()
    bench.say(0xC023, 1, 1, b"\x04theo\x04test")
    bench.note(bench.link.grant(1, Grant(ADDRESS, OUR_ADDRESS, dns), bench.now))
    return bench


def test_I5_servers_that_do_not_exist_are_rejected_first_and_alone() -> None:
    every = [(3, ZERO), *((kind, ZERO) for kind in (129, 130, 131, 132))]
    assert answer_to(grant_with(()), *every) == (REJECT, every[1:])
    one = grant_with(DNS[:1])
    assert answer_to(one, (3, ZERO), (129, ZERO), (131, ZERO)) == (REJECT, [(131, ZERO)])
    assert answer_to(one, (3, ZERO), (129, ZERO)) == (NAK, [(3, ADDRESS), (129, DNS[0])])


@pytest.mark.parametrize("kind", [3, 129])
def test_I5_L12_a_value_of_wrong_length_is_naked(kind: int) -> None:
    code, naked = answer_to(network_bench(), *[(3, ADDRESS)] * (kind != 3), (kind, b"\x01"))
    assert code == NAK
    assert [len(value) for _, value in naked] == [4]


def test_I11_option_overrun_discards_the_packet() -> None:
    bench = network_bench()
    assert bench.ipcp(REQUEST, 1, options((3, ADDRESS)) + b"\x81\x06\0") == [Dropped(Drop.OPTION_LENGTH)]


# Our request


def test_I6_we_say_our_address_and_nothing_else() -> None:
    bench = network_bench()
    bench.wait(0.1)
    assert bench.request(IPCP).options == [(3, OUR_ADDRESS)]


def test_I6_a_peer_that_rejects_our_address_gets_an_empty_request() -> None:
    bench = network_bench()
    bench.wait(0.1)
    bench.ipcp(REJECT, bench.request(IPCP).identifier, options((3, OUR_ADDRESS)))
    assert bench.request(IPCP).options == []
    bench.ipcp(REQUEST, 1, options((3, ADDRESS)))
    assert bench.acknowledge(bench.request(IPCP)) == [NetworkUp(ADDRESS)]


@pytest.mark.parametrize("nak", [options((3, OTHER)), options((3, OTHER), (129, ZERO), (130, ZERO))])
def test_I6_a_peer_that_wants_us_elsewhere_does_not_get_its_way(nak: bytes) -> None:
    bench = network_bench()
    bench.wait(0.1)
    bench.ipcp(NAK, bench.request(IPCP).identifier, nak)
    assert bench.request(IPCP).options == [(3, OUR_ADDRESS)]
    bench.ipcp(NAK, bench.request(IPCP).identifier, nak)
    assert bench.request(IPCP).options == []


def test_I6_name_servers_appended_to_a_nak_are_none_of_ours() -> None:
    bench = network_bench()
    bench.wait(0.1)
    for _ in range(4):
        bench.ipcp(NAK, bench.request(IPCP).identifier, options((129, ZERO), (131, ZERO)))
        assert bench.request(IPCP).options == [(3, OUR_ADDRESS)]


# Opening and closing


def test_I7_we_may_be_first() -> None:
    bench = network_bench()
    bench.wait(0.1)
    assert bench.acknowledge(bench.request(IPCP)) == []
    assert bench.ipcp(REQUEST, 1, options((3, ADDRESS))) == [
        (IPCP, ACK, 1, options((3, ADDRESS))),
        NetworkUp(ADDRESS),
    ]


def test_I7_the_client_may_be_first_and_is_answered_at_once() -> None:
    bench = network_bench()
    assert codes(bench.ipcp(REQUEST, 1, options((3, ZERO)))) == [(IPCP, REQUEST), (IPCP, NAK)]


def test_I9_a_closed_ipcp_takes_ipv4_away_and_may_come_back() -> None:
    bench = network_bench()
    bench.open_network()
    outcome = bench.ipcp(TERM_REQUEST, 3)
    assert outcome == [NetworkDown(), (IPCP, TERM_ACK, 3, b"")]
    assert bench.link.phase is Phase.NETWORK
    bench.wait(4)
    outcome = bench.ipcp(REQUEST, 4, options((3, ADDRESS)))
    assert codes(outcome) == [(IPCP, REQUEST), (IPCP, ACK)]
    assert bench.acknowledge(bench.request(IPCP)) == [NetworkUp(ADDRESS)]


def test_I10_a_peer_that_never_finishes_ipcp_is_let_go() -> None:
    bench = network_bench(network_timeout=60.0, echo_interval=0)
    bench.wait(59)
    assert len([seen for seen in bench.seen(REQUEST) if seen.protocol == IPCP]) == 10
    assert codes(bench.wait(2)) == [(LCP, TERM_REQUEST)]
    assert bench.wait(10)[-1] == Finished("network_timeout")


def test_I10_ipcp_closed_for_good_ends_the_link_in_time() -> None:
    bench = network_bench(network_timeout=60.0, echo_interval=0)
    bench.open_network()
    bench.wait(1000)
    bench.ipcp(TERM_REQUEST, 3)
    assert bench.wait(70)[-1] == Finished("network_timeout")


@pytest.mark.parametrize("code", [0, 8, 9, 10, 255])
def test_I11_codes_that_ipcp_does_not_have_are_rejected_within_ipcp(code: int) -> None:
    bench = network_bench()
    (reject,) = bench.ipcp(code, 3, b"xyz")
    assert isinstance(reject, Seen)
    assert (reject.protocol, reject.code) == (IPCP, CODE_REJECT)
    assert reject.data == bytes([code, 3, 0, 7]) + b"xyz"
    bench.open_network()
    assert bench.link.network_opened

"""IPV6CP: whose interface identifier is whose, and that IPv4 does not care."""

from __future__ import annotations

import pytest

from reconciler.engine.ppp.link import (
    Dropped,
    Finished,
    Ipv6Down,
    Ipv6Up,
    Link,
    NetworkDown,
    Phase,
)
from reconciler.engine.wire.drop import Drop
from tests.engine.ppp.bench import (
    ACK,
    ADDRESS,
    CODE_REJECT,
    IPCP,
    IPV6CP,
    LCP,
    MAGIC,
    NAK,
    PROTOCOL_REJECT,
    REJECT,
    REQUEST,
    TERM_ACK,
    TERM_REQUEST,
    Bench,
    Outcome,
    Seen,
    codes,
    options,
)
from tests.engine.ppp.test_simulated import CLIENTS, dial

NONE = bytes(8)
THEIRS = bytes.fromhex("0211223344556677")


def ipv6_bench(**policy: object) -> Bench:
    """Logged in, and nothing negotiated yet."""
    bench = Bench(ipv6=True, **policy)
    bench.log_in()
    return bench


def ipv6(bench: Bench, code: int, identifier: int, data: bytes = b"") -> list[Outcome]:
    return bench.say(IPV6CP, code, identifier, data)


def ours(bench: Bench) -> bytes:
    """The identifier that we ask for."""
    bench.wait(0.1)
    return dict(bench.request(IPV6CP).options).get(1, NONE)


def answer_to(bench: Bench, *asked: tuple[int, bytes]) -> tuple[int, list[tuple[int, bytes]]]:
    outcome = ipv6(bench, REQUEST, 9, options(*asked))
    answer = next(seen for seen in outcome if isinstance(seen, Seen) and seen.code in (ACK, NAK, REJECT))
    return answer.code, answer.options


def open_ipv6(bench: Bench) -> list[Outcome]:
    ipv6(bench, REQUEST, 1, options((1, THEIRS)))
    return bench.acknowledge(bench.request(IPV6CP))


def kinds(outcome: list[Outcome], *among: str) -> list[str]:
    """The outputs of these types, by name: two without content are equal whatever their types."""
    return [name for name in (type(seen).__name__ for seen in outcome) if name in among]


def open_ipv4(bench: Bench) -> list[Outcome]:
    bench.ipcp(REQUEST, 1, options((3, ADDRESS)))
    return bench.acknowledge(bench.request(IPCP))


# The peer's request


def test_V1_an_identifier_that_is_neither_zero_nor_ours_is_acknowledged() -> None:
    assert answer_to(ipv6_bench(), (1, THEIRS)) == (ACK, [(1, THEIRS)])


def test_V2_zero_is_answered_with_one_that_is_free_and_claims_no_uniqueness() -> None:
    bench = ipv6_bench()
    code, ((kind, suggested),) = answer_to(bench, (1, NONE))
    assert (code, kind) == (NAK, 1)
    assert suggested not in (NONE, ours(bench))
    assert not suggested[0] & 2
    assert answer_to(bench, (1, suggested)) == (ACK, [(1, suggested)])


def test_V3_ours_is_answered_with_another() -> None:
    bench = ipv6_bench()
    mine = ours(bench)
    code, ((_, suggested),) = answer_to(bench, (1, mine))
    assert code == NAK
    assert suggested not in (NONE, mine)


def test_V4_when_neither_has_one_the_option_is_rejected() -> None:
    bench = ipv6_bench()
    ours(bench)
    request = bench.request(IPV6CP)
    ipv6(bench, REJECT, request.identifier, request.data)
    assert answer_to(bench, (1, NONE)) == (REJECT, [(1, NONE)])
    assert answer_to(bench, (1, THEIRS)) == (ACK, [(1, THEIRS)])


def test_V5_a_request_without_one_is_answered_with_a_suggestion_once() -> None:
    bench = ipv6_bench()
    code, ((kind, suggested),) = answer_to(bench)
    assert (code, kind) == (NAK, 1)
    assert suggested not in (NONE, ours(bench))
    assert answer_to(bench) == (ACK, [])
    assert bench.acknowledge(bench.request(IPV6CP)) == [Ipv6Up(ours(bench), NONE)]


def test_V5_a_second_identifier_is_rejected() -> None:
    assert answer_to(ipv6_bench(), (1, THEIRS), (1, NONE)) == (REJECT, [(1, NONE)])


def test_V6_compression_and_what_nobody_knows_are_rejected() -> None:
    assert answer_to(ipv6_bench(), (2, b"\0\x61"), (1, THEIRS), (200, b"")) == (
        REJECT,
        [(2, b"\0\x61"), (200, b"")],
    )


@pytest.mark.parametrize("size", [0, 7, 9])
def test_V6_an_identifier_of_wrong_length_is_answered_with_one_of_the_right(size: int) -> None:
    code, ((_, suggested),) = answer_to(ipv6_bench(), (1, b"\x02" * size))
    assert (code, len(suggested)) == (NAK, 8)


# Our request


def test_V7_our_request_has_one_identifier_and_it_is_not_zero() -> None:
    bench = ipv6_bench()
    bench.wait(0.1)
    ((kind, mine),) = bench.request(IPV6CP).options
    assert (kind, len(mine)) == (1, 8)
    assert mine != NONE
    assert not mine[0] & 2


def test_V7_a_suggestion_is_taken() -> None:
    bench = ipv6_bench()
    ours(bench)
    ipv6(bench, NAK, bench.request(IPV6CP).identifier, options((1, THEIRS)))
    assert ours(bench) == THEIRS


@pytest.mark.parametrize("size", [0, 7, 9])
def test_V7_a_suggestion_that_is_none_leads_to_another_of_ours(size: int) -> None:
    bench = ipv6_bench()
    first = ours(bench)
    for value in (NONE, b"\x02" * size):
        ipv6(bench, NAK, bench.request(IPV6CP).identifier, options((1, value)))
    assert ours(bench) not in (first, NONE)
    assert len(ours(bench)) == 8


def test_V7_our_own_suggestion_coming_back_leads_to_another_of_ours() -> None:
    bench = ipv6_bench()
    first = ours(bench)
    _, ((_, suggested),) = answer_to(bench, (1, NONE))
    ipv6(bench, NAK, bench.request(IPV6CP).identifier, options((1, suggested)))
    assert ours(bench) not in (first, suggested, NONE)


def test_V7_after_a_reject_we_do_without() -> None:
    bench = ipv6_bench()
    ours(bench)
    request = bench.request(IPV6CP)
    ipv6(bench, REJECT, request.identifier, request.data)
    assert bench.request(IPV6CP).options == []
    ipv6(bench, REQUEST, 1, options((1, THEIRS)))
    assert bench.acknowledge(bench.request(IPV6CP)) == [Ipv6Up(NONE, THEIRS)]


def test_identifiers_are_found_even_if_chance_always_says_the_same() -> None:
    bench = Bench(ipv6=True)
    bench.link = Link(bench.policy, bytes)
    bench.note(bench.link.open(bench.now))
    bench.log_in()
    mine = ours(bench)
    _, ((_, suggested),) = answer_to(bench, (1, mine))
    assert len({mine, suggested, NONE}) == 3


# Beside IPv4


@pytest.mark.parametrize("first", [open_ipv4, open_ipv6])
def test_V8_both_come_up_in_any_order(first: object) -> None:
    bench = ipv6_bench()
    second = open_ipv6 if first is open_ipv4 else open_ipv4
    outcome = (open_ipv4(bench) if first is open_ipv4 else open_ipv6(bench)) + second(bench)
    assert sorted(kinds(outcome, "NetworkUp", "Ipv6Up")) == ["Ipv6Up", "NetworkUp"]
    assert bench.link.network_opened


def test_V8_I10_ipv6_alone_keeps_a_link_and_ipcp_gives_up() -> None:
    bench = ipv6_bench(echo_interval=0, network_timeout=60.0)
    assert open_ipv6(bench) == [Ipv6Up(ours(bench), THEIRS)]
    bench.wait(3600)
    assert bench.link.phase is Phase.NETWORK
    assert not bench.link.network_opened
    assert len([seen for seen in bench.seen(REQUEST) if seen.protocol == IPCP]) == 10


def test_V8_I10_without_any_network_a_link_ends() -> None:
    bench = ipv6_bench(network_timeout=60.0)
    assert bench.wait(120)[-1] == Finished("network_timeout")


@pytest.mark.parametrize("protocol", [IPV6CP, 0x0057])
def test_V9_L32_a_peer_without_ipv6_has_ipv4_all_the_same(protocol: int) -> None:
    bench = ipv6_bench()
    open_ipv4(bench)
    ours(bench)
    assert bench.lcp(PROTOCOL_REJECT, 1, protocol.to_bytes(2, "big") + b"\x01\x01\0\x04") == []
    bench.wait(20)
    assert bench.link.network_opened
    assert len([seen for seen in bench.seen(REQUEST) if seen.protocol == IPV6CP]) == 1, "we stop asking"


@pytest.mark.parametrize("protocol", [IPCP, 0x0021])
def test_V9_L32_a_peer_without_ipv4_has_ipv6_all_the_same(protocol: int) -> None:
    bench = ipv6_bench()
    open_ipv4(bench)
    open_ipv6(bench)
    outcome = bench.lcp(PROTOCOL_REJECT, 1, protocol.to_bytes(2, "big") + b"\x01\x01\0\x04")
    assert [type(seen) for seen in outcome] == [NetworkDown]
    assert bench.link.phase is Phase.NETWORK


def test_L32_a_peer_that_rejects_every_network_is_let_go() -> None:
    bench = ipv6_bench()
    open_ipv4(bench)
    bench.lcp(PROTOCOL_REJECT, 1, IPV6CP.to_bytes(2, "big"))
    outcome = bench.lcp(PROTOCOL_REJECT, 2, IPCP.to_bytes(2, "big"))
    assert isinstance(outcome[0], NetworkDown)
    assert codes(outcome) == [(LCP, TERM_REQUEST)]


def test_V9_without_ipv6_here_a_peer_that_wants_it_is_told_so() -> None:
    bench = Bench()
    bench.open_network()
    assert codes(ipv6(bench, REQUEST, 1, options((1, THEIRS)))) == [(LCP, PROTOCOL_REJECT)]
    assert bench.link.network_opened


def test_V10_closing_ipv6_ends_ipv6_alone_and_it_can_come_back() -> None:
    bench = ipv6_bench()
    open_ipv4(bench)
    open_ipv6(bench)
    outcome = ipv6(bench, TERM_REQUEST, 7, b"Interface configuration failed")
    assert isinstance(outcome[0], Ipv6Down)
    assert outcome[1:] == [(IPV6CP, TERM_ACK, 7, b"")]
    bench.wait(30)
    assert bench.link.network_opened
    assert isinstance(open_ipv6(bench)[-1], Ipv6Up)


def test_V10_I9_closing_ipv4_leaves_ipv6() -> None:
    bench = ipv6_bench(echo_interval=0)
    open_ipv4(bench)
    open_ipv6(bench)
    assert isinstance(bench.ipcp(TERM_REQUEST, 7)[0], NetworkDown)
    bench.wait(3600)
    assert bench.link.phase is Phase.NETWORK
    assert kinds(bench.log, "Ipv6Down") == []


def test_V10_I2_a_peer_that_will_not_have_its_ipv4_address_may_keep_ipv6() -> None:
    bench = ipv6_bench()
    open_ipv6(bench)
    bench.ipcp(REQUEST, 1)
    bench.ipcp(REQUEST, 2)
    bench.wait(30)
    assert (IPCP, TERM_REQUEST) in codes(bench.log)
    assert (LCP, TERM_REQUEST) not in codes(bench.log)
    assert bench.link.phase is Phase.NETWORK


@pytest.mark.parametrize("opened", [False, True])
def test_V11_ipv6_packets_get_no_answer(opened: bool) -> None:
    bench = ipv6_bench()
    if opened:
        open_ipv6(bench)
    assert bench.raw(b"\x00\x57\x60" + bytes(40)) == [Dropped(Drop.PPP_DATA)]


def test_I11_a_code_that_ipv6cp_does_not_have_is_rejected() -> None:
    bench = ipv6_bench()
    assert codes(ipv6(bench, 9, 1, MAGIC[1])) == [(IPV6CP, CODE_REJECT)]


def test_when_the_link_starts_over_both_networks_are_down_first() -> None:
    bench = ipv6_bench()
    open_ipv4(bench)
    open_ipv6(bench)
    outcome = bench.lcp(REQUEST, 9, options(MAGIC))
    assert sorted(kinds(outcome[:2], "NetworkDown", "Ipv6Down")) == ["Ipv6Down", "NetworkDown"]
    assert bench.link.phase is Phase.ESTABLISH


@pytest.mark.parametrize("client", CLIENTS)
def test_V8_every_kind_of_client_is_up_with_ipv6_offered(client: str) -> None:
    server, peer, line = dial(CLIENTS[client], ipv6=True)
    line.run_until(lambda: peer.state == "up" and server.up is not None, 10)
    line.run(60)
    assert peer.state == "up"

"""The phases of a link, and what reaches it beside its protocols."""

from __future__ import annotations

import pytest

from reconciler.engine.ppp.link import Dropped, Finished, Link, LinkPolicy, NetworkDown, NetworkUp, Phase
from reconciler.engine.wire.drop import Drop
from tests.engine.ppp.bench import (
    ACK,
    ADDRESS,
    CHAP,
    ECHO,
    IPCP,
    IPV6CP,
    LCP,
    MAGIC,
    PAP,
    PROTOCOL_REJECT,
    REQUEST,
    TERM_ACK,
    TERM_REQUEST,
    Bench,
    Outcome,
    Seen,
    codes,
    options,
)

REJECTED_PROTOCOLS = [
    *(0x80FD, 0xC029, 0xC025, 0xC02B, 0x003D, 0x8053, 0x8207),
    *(0x8281, 0x8023, 0x8235, 0x803F, 0x802B, 0x8031, 0x00FD),
]


def drops(outcome: list[Outcome]) -> list[Drop]:
    return [output.reason for output in outcome if isinstance(output, Dropped)]


# Policy


def test_L19_a_policy_without_authentication_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="auth"):
        LinkPolicy(b"AC", auth=())


def test_A10_a_policy_without_a_name_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="name"):
        LinkPolicy(b"")


# Going up and down


def test_the_phases_follow_each_other() -> None:
    bench = Bench()
    seen = [bench.link.phase]
    bench.open_lcp()
    seen.append(bench.link.phase)
    bench = Bench()
    bench.open_network()
    seen.append(bench.link.phase)
    assert seen == [Phase.ESTABLISH, Phase.AUTHENTICATE, Phase.NETWORK]
    assert bench.link.network_opened


@pytest.mark.parametrize("auth", [("pap",), ("chap",)])
def test_L23_a_request_in_opened_undoes_everything_and_login_starts_over(auth: tuple[str, ...]) -> None:
    bench = Bench(auth=auth)
    bench.open_network()
    outcome = bench.lcp(REQUEST, 9, options(MAGIC))
    assert outcome[0] == NetworkDown()
    assert codes(outcome) == [(LCP, REQUEST), (LCP, ACK)]
    assert not bench.link.network_opened
    assert drops(bench.ipcp(REQUEST, 2, options((3, ADDRESS)))) == [Drop.PPP_PHASE]
    opened = bench.acknowledge(bench.request())
    assert codes(opened) == ([(CHAP, 1)] if auth == ("chap",) else [])
    assert bench.link.phase is Phase.AUTHENTICATE


def test_A21_the_old_login_is_void_after_a_renegotiation() -> None:
    bench = Bench(auth=("pap",))
    bench.open_network()
    bench.lcp(REQUEST, 9, options(MAGIC))
    bench.acknowledge(bench.request())
    assert drops(bench.ipcp(REQUEST, 2, options((3, ADDRESS)))) == [Drop.PPP_PHASE]
    assert codes(bench.say(PAP, 1, 3, b"\x04theo\x04test")) == [], "asked again, not answered from memory"
    assert codes(bench.grant())[0] == (PAP, 2)


def test_A21_a_second_challenge_is_another() -> None:
    bench = Bench()
    bench.open_network()
    bench.lcp(REQUEST, 9, options(MAGIC))
    bench.acknowledge(bench.request())
    first, second = (seen for seen in bench.seen(1) if seen.protocol == CHAP)
    assert first.identifier != second.identifier
    assert first.data != second.data


def test_L24_a_hang_up_is_acknowledged_and_the_line_held_for_one_restart_time() -> None:
    bench = Bench()
    bench.open_network()
    outcome = bench.lcp(TERM_REQUEST, 5, b"User request")
    assert outcome == [NetworkDown(), (LCP, TERM_ACK, 5, b"")]
    assert bench.link.phase is Phase.TERMINATE
    assert bench.wait(2.9) == []
    assert bench.lcp(TERM_REQUEST, 6) == [(LCP, TERM_ACK, 6, b"")], "a repetition is answered too"
    assert bench.wait(0.2) == [Finished("peer_terminated")]


def test_L25_a_peer_that_says_nothing_more_is_freed() -> None:
    bench = Bench()
    bench.open_network()
    bench.lcp(TERM_REQUEST, 5)
    assert bench.wait(60) == [Finished("peer_terminated")]
    assert bench.link.deadline() is None


def test_L26_we_ask_twice_for_the_end_then_take_it() -> None:
    bench = Bench()
    bench.open_network()
    first = bench.close("admin")
    assert first[0] == NetworkDown()
    assert codes(first) == [(LCP, TERM_REQUEST)]
    assert codes(bench.wait(3.1)) == [(LCP, TERM_REQUEST)]
    assert bench.wait(3.1) == [Finished("admin")]


def test_L26_an_answer_shortens_it() -> None:
    bench = Bench()
    bench.open_network()
    bench.close("admin")
    assert bench.lcp(TERM_ACK, bench.seen(TERM_REQUEST)[-1].identifier) == [Finished("admin")]


def test_a_link_that_was_never_opened_finishes_at_once() -> None:
    link = Link(LinkPolicy(b"AC"), bytes)
    assert link.receive(b"\xc0\x21\x01\x01\x00\x04", 0.0) == []
    assert link.close("admin", 0.0) == [Finished("admin")]
    assert link.open(1.0) == []


def test_closing_before_the_client_has_said_anything_is_polite_too() -> None:
    bench = Bench()
    assert codes(bench.close("admin")) == [(LCP, TERM_REQUEST)]
    assert bench.wait(10)[-1] == Finished("admin")


def test_the_first_reason_is_the_reason() -> None:
    bench = Bench()
    bench.open_network()
    bench.close("admin")
    bench.lcp(TERM_REQUEST, 5)
    bench.close("shutdown")
    assert bench.wait(10)[-1] == Finished("admin")


def test_after_finished_there_is_nothing() -> None:
    bench = Bench()
    bench.open_network()
    bench.close()
    bench.wait(10)
    assert bench.lcp(REQUEST, 1, options(MAGIC)) == []
    assert bench.lcp(ECHO, 1, MAGIC[1]) == []
    assert bench.grant() == bench.refuse() == bench.close() == []
    assert bench.note(bench.link.open(bench.now)) == bench.note(bench.link.tick(1e9)) == []
    assert bench.link.deadline() is None


def test_after_closing_only_lcp_is_heard() -> None:
    bench = Bench()
    bench.open_network()
    bench.close()
    assert bench.lcp(REQUEST, 9, options(MAGIC)) == []
    assert bench.lcp(ECHO, 9, MAGIC[1]) == [Dropped(Drop.PPP_PHASE)]
    assert bench.ipcp(REQUEST, 9, options((3, ADDRESS))) == [Dropped(Drop.PPP_PHASE)]


def test_a_peer_that_never_agrees_is_given_up() -> None:
    bench = Bench()
    for identifier in range(256):
        bench.wait(0.25)
        bench.lcp(REQUEST, identifier, options((5, bytes(4))))
        if bench.link.phase is Phase.ESTABLISH and identifier % 3 == 0:
            bench.acknowledge(bench.request())
    assert Finished("lcp_timeout") in bench.wait(10) + bench.log


def test_renegotiating_does_not_buy_time_to_log_in() -> None:
    bench = Bench(auth_timeout=10.0)
    for identifier in range(40):
        bench.lcp(REQUEST, identifier, options(MAGIC))
        bench.acknowledge(bench.request())
        bench.wait(1)
    assert bench.log[-1] == Finished("auth_timeout")


# Protocols we do not speak


@pytest.mark.parametrize("protocol", [*REJECTED_PROTOCOLS, IPV6CP, 0xC227])
def test_C1_C2_C3_V9_an_unknown_protocol_is_rejected_in_the_network_phase(protocol: int) -> None:
    bench = Bench()
    bench.log_in()
    (reject,) = bench.say(protocol, 1, 5, b"\x12\x06\x01\0\0\xe1")
    assert isinstance(reject, Seen)
    assert (reject.protocol, reject.code) == (LCP, PROTOCOL_REJECT)
    information = bytes([1, 5, 0, 10]) + b"\x12\x06\x01\0\0\xe1"
    assert reject.data == protocol.to_bytes(2, "big") + information
    again = bench.say(protocol, 1, 6)[0]
    assert isinstance(again, Seen)
    assert again.identifier != reject.identifier
    assert bench.link.phase is Phase.NETWORK


def test_L31_a_protocol_reject_fits_the_peers_mru() -> None:
    bench = Bench()
    bench.lcp(REQUEST, 1, options((1, (576).to_bytes(2, "big")), MAGIC))
    bench.acknowledge(bench.request())
    challenge = bench.seen(1)[-1]
    bench.say(CHAP, 2, challenge.identifier, b"\x10" + bytes(16) + b"theo")
    bench.grant()
    (reject,) = bench.say(0x80FD, 1, 5, bytes(1400))
    assert isinstance(reject, Seen)
    assert len(reject.data) + 4 == 576


@pytest.mark.parametrize("protocol", [0x80FD, 0xC227, IPV6CP, IPCP])
def test_L31_before_the_network_phase_unknown_protocols_are_silently_discarded(protocol: int) -> None:
    bench = Bench()
    assert bench.say(protocol, 1, 1) == [Dropped(Drop.PPP_PHASE)]
    bench.open_lcp()
    assert bench.say(protocol, 1, 1) == [Dropped(Drop.PPP_PHASE)]


def test_C1_a_client_that_never_stops_asking_is_not_answered_for_ever() -> None:
    bench = Bench()
    bench.log_in()
    burst = [bench.say(0x80FD, 1, n % 256) for n in range(50)]
    assert sum(len(codes(outcome)) for outcome in burst) == 10
    bench.wait(1)
    assert codes(bench.say(0x80FD, 1, 1)) == [(LCP, PROTOCOL_REJECT)]


@pytest.mark.parametrize("protocol", [0x0021, 0x0057])
def test_I8_A1_data_packets_are_the_data_paths(protocol: int) -> None:
    bench = Bench()
    payload = protocol.to_bytes(2, "big") + b"\x45" + bytes(40)
    assert bench.raw(payload) == [Dropped(Drop.PPP_DATA)]
    bench.log_in()
    assert bench.raw(payload) == [Dropped(Drop.PPP_DATA)]
    bench.open_network()
    assert bench.raw(payload) == [Dropped(Drop.PPP_DATA)]


@pytest.mark.parametrize(
    "payload", ["2145000028", "ff03c02101010004", "ff0300214500", "c0220101000400", "0041"]
)
def test_L37_compressed_and_hdlc_protocol_fields_are_not_taken_for_anything(payload: str) -> None:
    bench = Bench()
    bench.log_in()
    (outcome,) = bench.raw(bytes.fromhex(payload))
    assert isinstance(outcome, Dropped) or (isinstance(outcome, Seen) and outcome.code == PROTOCOL_REJECT)


def test_L38_more_than_we_asked_for_is_accepted() -> None:
    bench = Bench()
    asked = options(MAGIC, *[(200, bytes(250))] * 5, (201, bytes(200)))
    assert len(asked) > 1450
    assert codes(bench.lcp(REQUEST, 1, asked))[-1] == (LCP, 4)


def test_L39_a_network_request_that_overtook_the_last_ack_is_recovered() -> None:
    bench = Bench(auth=("pap",))
    bench.lcp(REQUEST, 1, options(MAGIC))
    ack = bench.request()
    assert drops(bench.say(PAP, 1, 1, b"\x04theo\x04test")) == [Drop.PPP_PHASE]
    bench.acknowledge(ack)
    bench.say(PAP, 1, 2, b"\x04theo\x04test")
    assert codes(bench.grant())[0] == (PAP, 2)


# Protocol-Reject received


@pytest.mark.parametrize("protocol", [IPCP, 0x0021])
def test_L32_without_its_only_network_protocol_the_link_ends(protocol: int) -> None:
    bench = Bench()
    bench.open_network()
    outcome = bench.lcp(PROTOCOL_REJECT, 1, protocol.to_bytes(2, "big") + b"\x01\x01\0\x04")
    assert outcome[0] == NetworkDown()
    assert codes(outcome) == [(LCP, TERM_REQUEST)]
    assert bench.wait(10)[-1] == Finished("protocol_rejected")


@pytest.mark.parametrize("protocol", [LCP, CHAP])
def test_L32_a_peer_that_rejects_what_the_link_stands_on_is_let_go(protocol: int) -> None:
    bench = Bench()
    bench.open_lcp()
    assert codes(bench.lcp(PROTOCOL_REJECT, 1, protocol.to_bytes(2, "big"))) == [(LCP, TERM_REQUEST)]
    assert bench.wait(10)[-1] == Finished("protocol_rejected")


@pytest.mark.parametrize("protocol", [0x80FD, IPV6CP, 0x0057, PAP, 0x1235])
def test_L32_rejecting_what_we_never_sent_changes_nothing(protocol: int) -> None:
    bench = Bench()
    bench.open_network()
    assert codes(bench.lcp(PROTOCOL_REJECT, 1, protocol.to_bytes(2, "big"))) == []
    assert bench.link.network_opened


def test_L32_a_protocol_reject_of_nothing_or_too_early_is_discarded() -> None:
    bench = Bench()
    assert bench.lcp(PROTOCOL_REJECT, 1, b"\xc0\x21") == [Dropped(Drop.PPP_PHASE)]
    bench.open_lcp()
    assert bench.lcp(PROTOCOL_REJECT, 1, b"\xc0") == [Dropped(Drop.TRUNCATED)]
    assert bench.link.phase is Phase.AUTHENTICATE


def test_network_up_says_which_address() -> None:
    bench = Bench()
    assert bench.open_network()[-1] == NetworkUp(ADDRESS)

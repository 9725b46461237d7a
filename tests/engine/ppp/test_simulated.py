"""A link against the reference subscriber on a bad line, in virtual time: what must hold whatever happens."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.engine.access.proof import prove
from reconciler.engine.access.secret import Password
from reconciler.engine.ppp.link import (
    Ask,
    Finished,
    Grant,
    Link,
    LinkPolicy,
    NetworkDown,
    NetworkUp,
    Output,
    Phase,
)
from tests.peer_negotiation import WINDOWS_LCP, Quirks, control
from tests.peer_ppp import PppPeer
from tests.sim import Faults, Line

ADDRESS, OURS, DNS = b"\x0a\0\0\x02", b"\x0a\0\0\x01", (b"\x08\x08\x08\x08", b"\x08\x08\x04\x04")

CLIENTS = {
    "plain": Quirks(),
    "windows": Quirks(
        mru=1480,
        lcp_extra=WINDOWS_LCP,
        wins=True,
        ccp=True,
        ipv6cp=True,
        identification=True,
        first_identifier=0,
    ),
    "pppd": Quirks(vj=True, ccp=True, ipv6cp=True, echo_at_open=True, lcp_extra=((2, bytes(4)), (7, b""))),
    "macos": Quirks(lcp_extra=((2, bytes(4)),), ipv6cp=True),
    "pap only": Quirks(methods=("pap",)),
    "chap only": Quirks(methods=("chap",)),
    "no mru": Quirks(mru=None, dns=False),
    "mru 1500": Quirks(mru=1500, nak_mru=1500),
    "mru 1400": Quirks(mru=1400, nak_mru=1400),
    "any chap is md5": Quirks(any_chap=True),
    "remembers an address": Quirks(address=b"\xc0\xa8\x01\x02"),
    "deaf at first": Quirks(ignore_requests=2),
}


class Server:
    """A link that knows one user, as an endpoint of payloads; checks what must hold at every output."""

    def __init__(self, *, auth: tuple[str, ...] = ("chap", "pap"), seed: int = 0, **more: object) -> None:
        policy = LinkPolicy(b"AC", auth=auth, **more)  # type: ignore[arg-type]
        self.link = Link(policy, Random(seed).randbytes)
        self.granted = False
        self.up: bytes | None = None
        self.finished: str | None = None

    def deadline(self) -> float | None:
        return self.link.deadline()

    def receive(self, frame: bytes, now: float) -> list[bytes]:
        frames = self.perform(self.link.receive(frame, now), now)
        assert len(frames) <= 2, "one packet in, too many out"
        return frames

    def tick(self, now: float) -> list[bytes]:
        return self.perform(self.link.tick(now), now)

    def perform(self, outputs: list[Output], now: float) -> list[bytes]:
        frames = []
        for output in outputs:
            assert self.finished is None, f"{output!r} after Finished"
            match output:
                case bytes():
                    frames.append(output)
                case Ask():
                    frames += self.decide(output, now)
                case NetworkUp(address):
                    assert self.granted, "a network without a login"
                    assert self.up is None, "up twice"
                    self.up = address
                case NetworkDown():
                    assert self.up is not None, "down twice"
                    self.up = None
                case Finished(reason):
                    assert self.up is None, "finished with the network up"
                    self.finished = reason
        if self.link.phase is not Phase.NETWORK:
            assert self.up is None, "a network outside the network phase"
            self.granted = False
        assert self.granted or self.link.phase is not Phase.NETWORK, "the network phase without a login"
        return frames

    def decide(self, ask: Ask, now: float) -> list[bytes]:
        proof = prove(ask.credentials, Password(b"test"))
        if proof is not None and ask.credentials.name == b"theo":
            self.granted = True
            grant = Grant(ADDRESS, OURS, DNS, proof=proof)
            return self.perform(self.link.grant(ask.number, grant, now), now)
        return self.perform(self.link.refuse(ask.number, b"Login incorrect", now), now)


def dial(
    quirks: Quirks, faults: Faults | None = None, seed: int = 0, password: bytes = b"test", **policy: object
) -> tuple[Server, PppPeer, Line]:
    server, peer = Server(seed=seed, **policy), PppPeer(b"theo", password, quirks, seed + 1)  # type: ignore[arg-type]
    line = Line(server, peer, faults=faults, seed=seed)
    line.put(server, server.perform(server.link.open(line.now), line.now))
    line.put(peer, peer.start(line.now))
    return server, peer, line


@pytest.mark.parametrize(
    "auth",
    [("mschapv2", "chap", "pap"), ("mschap", "chap", "pap"), ("chap", "pap"), ("pap", "chap")],
    ids=str,
)
@pytest.mark.parametrize("client", CLIENTS)
def test_L2_I7_every_kind_of_client_is_up_well_within_a_second(client: str, auth: tuple[str, ...]) -> None:
    server, peer, line = dial(CLIENTS[client], auth=auth)
    within = 10 if client == "deaf at first" else 0.5
    line.run_until(lambda: peer.state == "up" and server.up is not None, within)
    assert (peer.address, peer.peer_address) == (ADDRESS, OURS)
    assert peer.dns == (DNS if CLIENTS[client].dns else ())
    assert peer.failure == ""
    line.run(3600)
    assert peer.state == "up", "and stays so for an hour of echoes"


def test_L5_L33_pppds_echo_is_answered_and_its_extras_rejected() -> None:
    _, peer, line = dial(CLIENTS["pppd"])
    line.run(1)
    assert peer.echo_replies == 1
    assert sorted(peer.rejected_protocols) == [0x8057, 0x80FD]


def test_A5_A14_a_wrong_password_ends_both_sides() -> None:
    for auth in ("mschapv2",), ("mschap",), ("chap",), ("pap",):
        server, peer, line = dial(Quirks(methods=auth), auth=auth, password=b"wrong")
        line.run(10)
        assert server.finished == "auth_failed"
        assert peer.failure == "authentication"


def test_L36_a_cut_cable_is_noticed() -> None:
    server, peer, line = dial(Quirks(), echo_interval=10, echo_failures=3)
    line.run_until(lambda: server.up is not None, 1)
    line.faults = Faults(loss=1.0)
    line.run(60)
    assert server.finished == "echo_timeout"
    assert peer.state == "up", "the peer could not know"


@settings(max_examples=150)
@given(
    client=st.sampled_from(sorted(CLIENTS)),
    loss=st.floats(0, 0.29),
    duplicate=st.sampled_from([0.0, 0.1]),
    reorder=st.sampled_from([0.0, 0.2]),
    auth=st.sampled_from([("mschapv2", "chap", "pap"), ("chap", "pap"), ("pap",), ("chap",)]),
    seed=st.integers(0, 10**6),
)
def test_a_bad_line_delays_but_does_not_prevent(
    client: str, loss: float, duplicate: float, reorder: float, auth: tuple[str, ...], seed: int
) -> None:
    quirks = replace(CLIENTS[client], tries=100)
    if not set(auth) & set(quirks.methods):
        return
    if auth != ("pap",):
        reorder = 0.0  # a peer cannot tell a Challenge that was overtaken from a newer one
    faults = Faults(loss=loss, duplicate=duplicate, reorder=reorder)
    server, peer, line = dial(
        quirks,
        faults,
        seed,
        auth=auth,
        echo_interval=0,
        max_configure=100,
        max_failure=100,
        auth_timeout=600.0,
        network_timeout=600.0,
    )
    line.run_until(lambda: peer.state == "up" and server.up is not None, 600)
    assert peer.address == server.up == ADDRESS


@settings(max_examples=60)
@given(loss=st.floats(0, 1), seed=st.integers(0, 10**6), password=st.sampled_from([b"test", b"wrong"]))
def test_whatever_the_line_does_the_end_comes_and_comes_once(loss: float, seed: int, password: bytes) -> None:
    server, _, line = dial(Quirks(), Faults(loss=loss, duplicate=0.1, reorder=0.2), seed, password)
    line.run(20)
    line.put(server, server.perform(server.link.close("admin", line.now), line.now))
    line.run_until(lambda: server.finished is not None, 10)
    line.run(100)
    assert server.link.deadline() is None


packets = st.one_of(
    st.binary(max_size=40),
    st.builds(
        control,
        st.sampled_from([0xC021, 0xC021, 0xC023, 0xC223, 0x8021, 0x80FD, 0x0021]),
        st.integers(0, 16),
        st.integers(0, 6),
        st.one_of(
            st.binary(max_size=24),
            st.sampled_from([b"", b"\x03\x06\x0a\0\0\x02", b"\x04theo\x04test", b"\x05\x06HOST", b"HOST"]),
        ),
    ),
)


@settings(max_examples=300)
@given(
    steps=st.lists(
        st.one_of(packets, st.sampled_from(["ours", "wait"]), st.floats(0, 5)), min_size=1, max_size=40
    ),
    seed=st.integers(0, 1000),
)
def test_X4_no_sequence_of_packets_does_harm(steps: list[bytes | str | float], seed: int) -> None:
    """`Server` checks each step; "ours" acknowledges what was asked last, so that all phases are met."""
    server, now = Server(auth=("pap",), seed=seed), 0.0
    asked = server.perform(server.link.open(now), now)
    for step in steps:
        said: list[bytes] = []
        if isinstance(step, bytes):
            said = server.receive(step, now)
        elif step == "ours" and asked:
            said = server.receive(asked[-1][:2] + b"\x02" + asked[-1][3:], now)
        elif isinstance(step, float):
            now += step
            said = server.tick(now)
        asked += [frame for frame in said if frame[2] == 1 and frame[:2] in (b"\xc0\x21", b"\x80\x21")]
        due = server.deadline()
        assert (due is None) == (server.link.network_opened is False and server.finished is not None)


@settings(max_examples=200)
@given(order=st.randoms(use_true_random=False), drop=st.floats(0, 0.5), seed=st.integers(0, 1000))
def test_X4_a_real_dialogue_replayed_in_any_order_does_no_harm(order: Random, drop: float, seed: int) -> None:
    _, peer, line = dial(CLIENTS["windows"], seed=seed)
    line.run(5)
    frames = [sent.frame for sent in line.sent if sent.sender is peer] * 2
    order.shuffle(frames)
    server = Server(seed=seed)
    server.perform(server.link.open(0.0), 0.0)
    for now, frame in enumerate(frames):
        if order.random() >= drop:
            server.receive(frame, now / 100)

"""A call as a subscriber makes it, with an obliging concentrator, an unwilling one and a silent one."""

from __future__ import annotations

import random
from collections import deque

import pytest

from reconciler.probe.codec import Code, Configure, Control, Protocol, Tag
from reconciler.probe.dialler import Dialler
from reconciler.probe.outcome import Ended, Login, Output, Phase, Send, Timing, Up
from tests.probe.fake_ac import MAC, FakeAc

HOST = bytes.fromhex("02000000cc01")
UP = Up("10.214.2.101", "10.214.2.100", ("8.8.8.8", "8.8.4.4"), 1492, 7, MAC, "SERVER", "chap")


class Call:
    """A dialler and a concentrator on a perfect line, with a clock that jumps to the next deadline."""

    def __init__(self, ac: FakeAc, login: Login | None = None, timing: Timing | None = None) -> None:
        chance = random.Random(1)
        self.ac = ac
        self.now = 100.0
        self.dialler = Dialler(HOST, login or Login("theo", "test"), chance.randbytes, timing)
        self.said: list[Up | Ended] = []

    def dial(self) -> Up | Ended:
        self.exchange(self.dialler.dial(self.now))
        return self.wait()

    def exchange(self, outputs: list[Output]) -> None:
        line = deque(outputs)
        while line:
            output = line.popleft()
            if isinstance(output, Send):
                for frame in self.ac.receive(output.frame):
                    line.extend(self.dialler.receive(frame, self.now))
            else:
                self.said.append(output)

    def hear(self, frame: bytes) -> None:
        self.exchange(self.dialler.receive(frame, self.now))

    def wait(self, count: int = 1) -> Up | Ended:
        """Let time pass until so many things have been said in all; the last of them."""
        while len(self.said) < count:
            due = self.dialler.deadline()
            assert due is not None, "the dialler waits for ever"
            self.now = due
            self.exchange(self.dialler.tick(self.now))
        return self.said[-1]


@pytest.mark.parametrize("method", ["chap", "pap", None])
def test_a_call_comes_up_with_its_address_and_dns(method: str | None) -> None:
    call = Call(FakeAc(auth=method))
    up = call.dial()
    assert isinstance(up, Up)
    assert up == UP if method == "chap" else up.method == method
    assert call.dialler.phase is Phase.OPEN
    assert call.now == 100.0, "no retransmission was needed"


def test_I5_dns_that_the_concentrator_rejects_is_done_without() -> None:
    up = Call(FakeAc(dns=("9.9.9.9",))).dial()
    assert isinstance(up, Up)
    assert up.dns == ("9.9.9.9",)


def test_L19_a_method_that_we_refuse_is_nakked_with_ours() -> None:
    call = Call(FakeAc(auth="chap"), Login("theo", "test", methods=("pap",)), Timing(patience=2))
    ended = call.dial()
    naks = [m for m in call.ac.heard if isinstance(m, Control) and m.code == Configure.NAK]
    assert naks[0].options == ((3, b"\xc0\x23"),)
    assert isinstance(ended, Ended)
    assert (ended.phase, ended.by) == (Phase.LINK, "silence")


@pytest.mark.parametrize("method", ["chap", "pap"])
@pytest.mark.parametrize("login", [Login("theo", "wrong"), Login("nobody", "test")])
def test_A5_a_refused_login_tells_the_reason_and_both_goodbyes(method: str, login: Login) -> None:
    ended = Call(FakeAc(auth=method), login).dial()
    assert ended == Ended(Phase.AUTHENTICATION, "ac", "no", terminate_request=True, padt=True)


def test_a_refused_login_is_told_even_if_no_goodbye_follows() -> None:
    call = Call(FakeAc(deaf={(Protocol.CHAP, 2)}))
    call.exchange(call.dialler.dial(call.now))
    call.hear(call.ac.send(Protocol.CHAP, 4, 5, b"E=691"))
    ended = call.wait()
    assert ended == Ended(Phase.AUTHENTICATION, "ac", "E=691", terminate_request=False, padt=False)
    assert call.ac.codes()[-1] == Code.PADT


def test_D25_an_error_in_the_pads_is_told() -> None:
    ended = Call(FakeAc(error=(Tag.AC_SYSTEM_ERROR, b"no \x1b[31mroom"))).dial()
    assert ended == Ended(Phase.DISCOVERY, "ac", "AC-System-Error: no \\x1b[31mroom", False, False)


def test_nobody_there_is_told_after_a_few_padi() -> None:
    call = Call(FakeAc(deaf={Code.PADI}))
    ended = call.dial()
    assert ended == Ended(Phase.DISCOVERY, "silence", "no answer in the discovery phase", False, False)
    assert call.ac.codes() == [Code.PADI] * 10


@pytest.mark.parametrize(
    ("lost", "phase"),
    [
        (Code.PADR, Phase.DISCOVERY),
        ((Protocol.LCP, Configure.REQUEST), Phase.LINK),
        ((Protocol.CHAP, 2), Phase.AUTHENTICATION),
        ((Protocol.IPCP, Configure.REQUEST), Phase.NETWORK),
    ],
)
def test_a_concentrator_that_falls_silent_is_told_by_phase(lost: object, phase: Phase) -> None:
    call = Call(FakeAc(deaf={lost}))
    ended = call.dial()
    assert ended == Ended(phase, "silence", f"no answer in the {phase} phase", False, False)
    has_session = phase is not Phase.DISCOVERY
    assert (call.ac.codes()[-1] == Code.PADT) == has_session, "a session that was given is given back"


def test_L2_a_lost_request_is_repeated() -> None:
    call = Call(FakeAc(auth="pap", deaf={(Protocol.PAP, 1)}))
    call.exchange(call.dialler.dial(call.now))
    assert call.dialler.phase is Phase.AUTHENTICATION
    call.ac.deaf.clear()
    assert isinstance(call.wait(), Up)
    assert call.now == 101.0


def test_the_first_offer_is_taken_and_foreign_frames_change_nothing() -> None:
    call = Call(FakeAc())
    (padi,) = call.dialler.dial(call.now)
    assert isinstance(padi, Send)
    (offer,) = call.ac.receive(padi.frame)
    other = offer[:6] + HOST[:5] + b"\x99" + offer[12:]
    assert len(call.dialler.receive(offer, call.now)) == 1
    assert call.dialler.receive(other, call.now) == []
    assert call.dialler.receive(offer, call.now) == []


def test_D33_a_padt_of_another_session_or_sender_changes_nothing() -> None:
    call = Call(FakeAc())
    call.dial()
    call.hear(call.ac.padt(session=8))
    call.hear(call.ac.padt(source=HOST))
    assert call.dialler.phase is Phase.OPEN


def test_L26_D35_the_concentrator_ends_the_call_with_both_goodbyes() -> None:
    call = Call(FakeAc())
    call.dial()
    call.hear(call.ac.send(Protocol.LCP, Configure.TERMINATE_REQUEST, 3, b"revoked"))
    assert call.said[-1] == Ended(Phase.OPEN, "ac", "Terminate-Request: revoked", True, True)
    assert call.ac.codes(Protocol.LCP)[-1] == Configure.TERMINATE_ACK


def test_D32_a_padt_alone_ends_the_call_and_silences_it() -> None:
    call = Call(FakeAc())
    call.dial()
    before = len(call.ac.heard)
    call.hear(call.ac.padt())
    assert call.said[-1] == Ended(Phase.OPEN, "ac", "PADT", False, True)
    call.hear(call.ac.send(Protocol.LCP, Configure.ECHO_REQUEST, 1, bytes(4)))
    assert call.dialler.tick(call.now + 1000) == []
    assert call.dialler.hang_up(call.now) == []
    assert len(call.ac.heard) == before
    assert call.dialler.deadline() is None


def test_L24_hanging_up_says_goodbye_on_both_layers() -> None:
    call = Call(FakeAc())
    call.dial()
    call.exchange(call.dialler.hang_up(call.now))
    assert call.said[-1] == Ended(Phase.OPEN, "us", "hung up", False, False)
    assert call.ac.codes(Protocol.LCP)[-1] == Configure.TERMINATE_REQUEST
    assert call.ac.codes()[-1] == Code.PADT


def test_hanging_up_ends_even_if_nobody_acknowledges() -> None:
    call = Call(FakeAc(deaf={(Protocol.LCP, Configure.TERMINATE_REQUEST)}))
    call.dial()
    call.exchange(call.dialler.hang_up(call.now))
    assert call.wait(2) == Ended(Phase.OPEN, "us", "hung up", False, False)
    assert call.ac.codes()[-1] == Code.PADT


def test_L33_an_echo_is_answered_with_our_magic_and_the_data() -> None:
    call = Call(FakeAc())
    call.dial()
    call.hear(call.ac.send(Protocol.LCP, Configure.ECHO_REQUEST, 77, b"ACACdata"))
    reply = call.ac.heard[-1]
    assert isinstance(reply, Control)
    assert (reply.code, reply.identifier, reply.data[4:]) == (Configure.ECHO_REPLY, 77, b"data")
    assert reply.data[:4] not in (b"ACAC", bytes(4))


def test_unanswered_echoes_end_the_call() -> None:
    call = Call(FakeAc(), timing=Timing(echo=5, echo_failures=2))
    call.dial()
    assert call.wait(2) == Ended(Phase.OPEN, "silence", "no answer in the open phase", False, False)
    assert call.now == 115.0


def test_L23_a_concentrator_that_starts_over_is_followed() -> None:
    call = Call(FakeAc())
    call.dial()
    call.hear(
        call.ac.send(Protocol.LCP, Configure.REQUEST, 9, options=((1, b"\x05\xd4"), (3, b"\xc2\x23\x05")))
    )
    assert call.said == [UP, UP]


def test_L31_an_unknown_protocol_is_rejected_whole() -> None:
    call = Call(FakeAc())
    call.dial()
    call.hear(call.ac.send(0x8057, 1, 4, b"\x01\x0aabcdefgh"))
    reject = call.ac.heard[-1]
    assert isinstance(reject, Control)
    assert reject.code == Configure.PROTOCOL_REJECT
    assert reject.data == b"\x80\x57\x01\x04\x00\x0e\x01\x0aabcdefgh"


def test_the_password_stays_out_of_sight() -> None:
    assert "secret" not in repr(Login("theo", "secret"))

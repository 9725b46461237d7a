"""The PPP half of the reference subscriber: a second opinion on RFC 1661, 1332, 1334, 1994, 2433 and 2759.

`tests.peer` puts discovery around it; the simulator also runs it against a bare link.
"""

from __future__ import annotations

import hashlib
from random import Random

from tests import peer_mschap
from tests.peer_negotiation import (
    ACK,
    AUTH_OPTIONS,
    CCP,
    CHAP,
    ECHO,
    ECHO_REPLY,
    IPCP,
    IPV6CP,
    LCP,
    NAK,
    PAP,
    PPPD_VJ,
    PROTOCOL_REJECT,
    REJECT,
    REQUEST,
    TERM_ACK,
    TERM_REQUEST,
    ZERO,
    Negotiation,
    Option,
    Quirks,
    Verdict,
    control,
)


class PppPeer:
    """A subscriber's PPP: frames are PPPoE session payloads.

    `state` is one of lcp, auth, network, up, terminating, closed; `failure` says in a word why it is not up.
    """

    def __init__(self, user: bytes, password: bytes, quirks: Quirks | None = None, seed: int = 1) -> None:
        self.user, self.password, self.quirks = user, password, quirks or Quirks()
        self.random = Random(seed)
        self.state, self.failure = "closed", ""
        self.echoes = self.echo_replies = 0
        self.rejected_protocols: list[int] = []
        self._reset()

    def _reset(self) -> None:
        quirks = self.quirks
        mru = [] if quirks.mru is None else [(1, quirks.mru.to_bytes(2, "big"))]
        self.lcp = Negotiation(
            LCP,
            [*quirks.lcp_first, *mru, (5, self.random.randbytes(4)), *quirks.lcp_extra],
            self._judge_lcp,
            quirks,
        )
        self.mru_naks = 3
        self.mtu = 1500
        self._forget_login()

    def _forget_login(self) -> None:
        quirks = self.quirks
        self.auth, self.auth_packet, self.auth_id = "", b"", 0
        self.responses: dict[bytes, bytes] = {}
        self.proofs: dict[int, bytes] = {}
        self.verdict = b""
        self.auth_next: float | None = None
        self.address = self.peer_address = ZERO
        wanted: list[Option] = [(3, quirks.address)]
        if quirks.vj:
            wanted.append(PPPD_VJ)
        for kind, asked in ((129, quirks.dns), (130, quirks.wins), (131, quirks.dns), (132, quirks.wins)):
            if asked:
                wanted.append((kind, ZERO))
        self.ncps = {IPCP: Negotiation(IPCP, wanted, self._judge_ipcp, quirks)}
        if quirks.ipv6cp:
            interface_id = [(1, b"\x02\0\0\xff\xfe\0\0\x01")]
            self.ncps[IPV6CP] = Negotiation(IPV6CP, interface_id, lambda _, value: (ACK, value), quirks)
        for protocol in quirks.protocols:
            self.ncps[protocol] = Negotiation(protocol, [], lambda _, value: (ACK, value), quirks)
        if quirks.ccp or quirks.endless_ccp:
            mppe = [(18, b"\x01\0\0\xe1")]
            self.ncps[CCP] = Negotiation(CCP, mppe, lambda _, value: (REJECT, value), quirks)

    @property
    def magic(self) -> bytes:
        return self.lcp.wanted.get(5, ZERO)

    @property
    def dns(self) -> tuple[bytes, ...]:
        return self._servers(129, 131)

    @property
    def wins(self) -> tuple[bytes, ...]:
        return self._servers(130, 132)

    def _servers(self, *kinds: int) -> tuple[bytes, ...]:
        wanted = self.ncps[IPCP].wanted
        return tuple(wanted[kind] for kind in kinds if wanted.get(kind, ZERO) != ZERO)

    def start(self, now: float) -> list[bytes]:
        self._reset()
        self.state, self.failure = "lcp", ""
        return self.lcp.start(now)

    def terminate(self, now: float) -> list[bytes]:
        """Ask for the end of the link; `state` becomes closed with the answer or after one restart time."""
        if self.state in ("closed", "terminating"):
            return []
        self._leave("", now)
        return [control(LCP, TERM_REQUEST, 0x77, b"User request")]

    def _leave(self, failure: str, now: float) -> None:
        self.state, self.failure = "terminating", self.failure or failure
        self.address = ZERO
        self.lcp.next, self.auth_next = None, now + self.quirks.restart
        for ncp in self.ncps.values():
            ncp.stop()

    def deadline(self) -> float | None:
        if self.state == "closed":
            return None
        timers = [self.lcp.next, self.auth_next, *(ncp.next for ncp in self.ncps.values())]
        return min((timer for timer in timers if timer is not None), default=None)

    def tick(self, now: float) -> list[bytes]:
        if self.state == "closed":
            return []
        out = self.lcp.tick(now)
        if self.lcp.stopped and self.state == "lcp":
            self.state, self.failure = "closed", "no LCP"
        if self.auth_next is not None and now >= self.auth_next:
            self.auth_next = now + self.quirks.restart
            if self.state == "terminating":
                self.state = "closed"
            else:
                out += self._send_login()
        for ncp in self.ncps.values():
            out += ncp.tick(now)
        return out + self._give_up_without_ipcp(now)

    def _give_up_without_ipcp(self, now: float) -> list[bytes]:
        if self.state not in ("network", "up") or not self.ncps[IPCP].stopped:
            return []
        self.failure = "no IPCP"
        return self.terminate(now)

    def receive(self, payload: bytes, now: float) -> list[bytes]:
        if self.state == "closed":
            return []
        protocol, information = int.from_bytes(payload[:2], "big"), payload[2:]
        code, identifier = information[0], information[1]
        data = information[4 : int.from_bytes(information[2:4], "big")]
        if protocol == LCP:
            return self._lcp(code, identifier, data, now)
        if not self.lcp.opened or self.state == "terminating":
            return []
        if protocol == PAP and self.auth == "pap" and identifier == self.auth_id:
            return self._authenticated(code == 2, now)
        if protocol == CHAP and self.auth not in ("", "pap"):
            return self._chap(code, identifier, data, now)
        if protocol in self.ncps and self.state in ("network", "up"):
            out = self.ncps[protocol].receive(code, identifier, data, now)
            self._note_network()
            return out + self._close_ipv6cp(protocol)
        return []

    def _close_ipv6cp(self, protocol: int) -> list[bytes]:
        if protocol != IPV6CP or not self.quirks.ipv6cp_terminates or not self.ncps[IPV6CP].opened:
            return []
        self.ncps[IPV6CP].stop()
        return [control(IPV6CP, TERM_REQUEST, 0x55, b"Interface configuration failed")]

    def _lcp(self, code: int, identifier: int, data: bytes, now: float) -> list[bytes]:
        if code == TERM_REQUEST:
            self._leave("terminated by server", now)
            return [control(LCP, TERM_ACK, identifier)]
        if code == TERM_ACK and self.state == "terminating":
            self.state = "closed"
        if self.state in ("terminating", "closed"):
            return []
        was_opened = self.lcp.opened
        out: list[bytes] = []
        if was_opened and code == REQUEST:
            self._forget_login()
            self.state = "lcp"
        if code in (REQUEST, ACK, NAK, REJECT):
            out = self.lcp.receive(code, identifier, data, now)
        elif was_opened:
            self._lcp_opened_only(code, data, out, identifier, now)
        if self.lcp.opened and self.state == "lcp":
            out += self._enter_auth(now)
        return out + self._give_up_without_ipcp(now)

    def _lcp_opened_only(self, code: int, data: bytes, out: list[bytes], identifier: int, now: float) -> None:
        if code == ECHO:
            self.echoes += 1
            out.append(control(LCP, ECHO_REPLY, identifier, self.magic + data[4:]))
        elif code == ECHO_REPLY:
            self.echo_replies += 1
        elif code == PROTOCOL_REJECT:
            protocol = int.from_bytes(data[:2], "big")
            self.rejected_protocols.append(protocol)
            if protocol == CCP and self.quirks.endless_ccp:
                self.ncps[CCP].next, self.ncps[CCP].tries = now + 1.0, 1
            elif protocol in self.ncps:
                self.ncps[protocol].stop()

    def _judge_lcp(self, kind: int, value: bytes) -> Verdict:
        if kind == 1:
            if self.quirks.nak_mru is not None and value != self.quirks.nak_mru.to_bytes(2, "big"):
                self.mru_naks -= 1
                if self.mru_naks > 0:
                    return NAK, self.quirks.nak_mru.to_bytes(2, "big")
            self.mtu = int.from_bytes(value, "big")
        elif kind == 3:
            if self.quirks.any_chap and value.startswith(b"\xc2\x23"):
                self.auth = "chap"
                return ACK, value
            for method in self.quirks.methods:
                if value == AUTH_OPTIONS[method]:
                    self.auth = method
                    return ACK, value
            return (NAK, AUTH_OPTIONS[self.quirks.methods[0]]) if self.quirks.methods else (REJECT, value)
        elif kind != 5:
            return REJECT, value
        return ACK, value

    def _judge_ipcp(self, kind: int, value: bytes) -> Verdict:
        if kind != 3:
            return REJECT, value
        self.peer_address = value
        return ACK, value

    def _enter_auth(self, now: float) -> list[bytes]:
        self.state = "auth"
        out = []
        if self.quirks.echo_at_open:
            out.append(control(LCP, ECHO, 0, self.magic))
        if self.quirks.identification:
            texts = (b"MSRASV5.20", b"MSRAS-0-HOST", bytes(range(240, 256)))
            out += [control(LCP, 12, 0x40 + n, self.magic + text) for n, text in enumerate(texts)]
        if self.auth == "pap":
            self.auth_next = now + self.quirks.restart
            out += self._send_login()
        elif not self.auth:
            out += self._enter_network(now)
        return out

    def _send_login(self) -> list[bytes]:
        if self.auth == "pap":
            self.auth_id = (self.auth_id + 1) & 0xFF
            secret = bytes([len(self.user)]) + self.user + bytes([len(self.password)]) + self.password
            self.auth_packet = control(PAP, 1, self.auth_id, secret)
        return [self.auth_packet]

    def _chap(self, code: int, identifier: int, data: bytes, now: float) -> list[bytes]:
        if code == 1:
            if data not in self.responses:  # the same again gets the same answer: one of them is proven to us
                self.responses[data] = self._response(identifier, data[1 : 1 + data[0]])
            self.auth_id, self.auth_packet = identifier, control(CHAP, 2, identifier, self.responses[data])
            if self.state == "auth":
                self.auth_next = now + self.quirks.restart
            return [self.auth_packet]
        if code in (3, 4):  # whichever of our Responses it answers: challenges may have overtaken each other
            self.verdict = data
            if code == 3 and not data.startswith(self.proofs.get(identifier, b"")):
                self.failure = "the server does not know the password"
                return self.terminate(now)
            return self._authenticated(code == 3, now)
        return []

    def _response(self, identifier: int, challenge: bytes) -> bytes:
        """The data of a Response."""
        value = self._response_value(identifier, challenge)
        return bytes([len(value)]) + value + self.user

    def _response_value(self, identifier: int, challenge: bytes) -> bytes:
        """For MS-CHAPv2, notes also what the server has to prove."""
        if self.auth == "mschapv2":
            password = peer_mschap.nt_hash(self.password, like_pppd=self.quirks.like_pppd)
            value = peer_mschap.response_v2(challenge, self.random.randbytes(16), self.user, password)
            self.proofs[identifier] = peer_mschap.success_v2(challenge, value, self.user, password)
            return value
        if self.auth == "mschap":
            return peer_mschap.response_v1(challenge, self.password)
        return hashlib.md5(bytes([identifier]) + self.password + challenge).digest()

    def _authenticated(self, success: bool, now: float) -> list[bytes]:
        if self.state != "auth":
            return []
        self.auth_next = None
        if success:
            return self._enter_network(now)
        self.failure = "authentication"
        return []

    def _enter_network(self, now: float) -> list[bytes]:
        self.state = "network"
        return [frame for ncp in self.ncps.values() for frame in ncp.start(now)]

    def _note_network(self) -> None:
        ipcp = self.ncps[IPCP]
        self.state = "up" if ipcp.opened else "network"
        self.address = ipcp.wanted.get(3, ZERO) if ipcp.opened else ZERO

"""The session stage of one call: LCP, login by PAP or CHAP, IPCP (RFC 1661, 1334, 1994, 1332).

A subscriber's side without a clock: packets in, packets out, and ``phase`` tells how far it has come.
Timers and retransmission are the dialler's, which sends :meth:`Ppp.request` again when nothing comes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable

from reconciler.probe import negotiation
from reconciler.probe.codec import Configure, Control, Option, Protocol
from reconciler.probe.negotiation import Negotiation
from reconciler.probe.outcome import Login, Phase
from reconciler.probe.text import readable

_PAP_REQUEST, _PAP_ACK, _PAP_NAK = 1, 2, 3
_CHAP_CHALLENGE, _CHAP_RESPONSE, _CHAP_SUCCESS, _CHAP_FAILURE = 1, 2, 3, 4
_LAST_LCP_CODE = 13
_KNOWN = frozenset(Protocol)


class Ppp:
    """The link of one session. ``line`` is (the concentrator's MAC, ours, the session id)."""

    def __init__(self, line: tuple[bytes, bytes, int], login: Login, entropy: Callable[[int], bytes]) -> None:
        self.phase = Phase.LINK
        self.method: str | None = None
        self.refused: str | None = None
        """Why we are not let in, once that is known."""
        self.terminated: str | None = None
        """What the concentrator's Terminate-Request said, once it has come."""
        self.terminate_acked = False
        self.echoes_missed = 0
        self._line = line
        self._login = login
        self._magic = entropy(4)
        self._identifier = 0
        self._handlers = {
            Protocol.LCP: self._on_lcp,
            Protocol.PAP: self._on_pap,
            Protocol.CHAP: self._on_chap,
            Protocol.IPCP: self._on_ipcp,
        }
        self._begin()

    def granted(self) -> tuple[str, str, tuple[str, ...], int]:
        """Our address, the peer's, the DNS servers and the MTU; only when the phase is open."""
        asked, theirs, link = self._ipcp.asking, self._ipcp.agreed or {}, self._lcp.agreed or {}
        dns = (negotiation.address(asked, kind) for kind in negotiation.DNS)
        mru = int.from_bytes(link.get(negotiation.MRU, b""), "big") or negotiation.PPPOE_MTU
        mtu = min(mru, negotiation.PPPOE_MTU)
        ours, peer = negotiation.address(asked), negotiation.address(theirs)
        return ours or "", peer or "", tuple(server for server in dns if server), mtu

    def request(self) -> Control | None:
        """The request that is outstanding in this phase, to be sent again until it is answered."""
        if self.phase is Phase.LINK:
            return self._configure(Protocol.LCP, self._lcp)
        if self.phase is Phase.AUTHENTICATION and self.method == "pap":
            name, password = self._login.name.encode(), self._login.password.encode()
            data = bytes([len(name)]) + name + bytes([len(password)]) + password
            return self._packet(Protocol.PAP, _PAP_REQUEST, 1, data)
        if self.phase is Phase.NETWORK:
            return self._configure(Protocol.IPCP, self._ipcp)
        return None

    def terminate(self) -> Control:
        """A Terminate-Request, RFC 1661 §5.5."""
        self.phase = Phase.ENDING
        return self._packet(Protocol.LCP, Configure.TERMINATE_REQUEST, self._next(), b"hung up")

    def echo(self) -> Control:
        """An Echo-Request, counted as missed until a reply comes (RFC 1661 §5.8)."""
        self.echoes_missed += 1
        return self._packet(Protocol.LCP, Configure.ECHO_REQUEST, self._next(), self._magic)

    def receive(self, packet: Control) -> list[Control]:
        """What to send because of this packet."""
        handler = self._handlers.get(Protocol(packet.protocol)) if packet.protocol in _KNOWN else None
        if handler is not None:
            return handler(packet)
        if self.phase in (Phase.NETWORK, Phase.OPEN):  # RFC 1661 §5.7
            rejected = packet.protocol.to_bytes(2, "big") + _whole(packet)
            return [self._packet(Protocol.LCP, Configure.PROTOCOL_REJECT, self._next(), rejected)]
        return []

    # -- LCP -------------------------------------------------------------------------------------------------

    def _on_lcp(self, packet: Control) -> list[Control]:
        code = packet.code
        if code <= Configure.REJECT:
            return self._negotiate_link(packet)
        if code == Configure.TERMINATE_REQUEST:
            self.phase, self.terminated = Phase.ENDING, readable(packet.data)
            return [self._reply(packet, Configure.TERMINATE_ACK)]
        if code == Configure.TERMINATE_ACK:
            self.terminate_acked = True
        elif code == Configure.ECHO_REQUEST and self.phase is not Phase.LINK:
            return [self._reply(packet, Configure.ECHO_REPLY, self._magic + packet.data[4:])]
        elif code == Configure.ECHO_REPLY:
            self.echoes_missed = 0
        elif code == Configure.PROTOCOL_REJECT and packet.data[:2] == Protocol.IPCP.to_bytes(2, "big"):
            self.refused = "the concentrator does not speak IPCP"
        elif code > _LAST_LCP_CODE:
            return [self._packet(Protocol.LCP, Configure.CODE_REJECT, self._next(), _whole(packet))]
        return []

    def _negotiate_link(self, packet: Control) -> list[Control]:
        out: list[Control] = []
        if packet.code == Configure.REQUEST:
            if self.phase is Phase.ENDING:
                return []
            if self.phase is not Phase.LINK:  # the concentrator starts over, RFC 1661 §3.4
                self._begin()
                out += [self._configure(Protocol.LCP, self._lcp)]
        out += self._negotiate(packet, self._lcp)
        if self._lcp.opened and self.phase is Phase.LINK:
            self.method = negotiation.method(self._lcp.agreed or {})
            self.phase = Phase.AUTHENTICATION if self.method else Phase.NETWORK
            first = self.request()
            out += [first] if first else []
        return out

    def _begin(self) -> None:
        self.phase = Phase.LINK
        self._lcp = negotiation.lcp(self._magic, self._login.methods)
        self._ipcp = negotiation.ipcp()

    # -- login -----------------------------------------------------------------------------------------------

    def _on_pap(self, packet: Control) -> list[Control]:
        if self.phase is not Phase.AUTHENTICATION or self.method != "pap":
            return []
        return self._verdict(packet.code, _PAP_ACK, _PAP_NAK, packet.data[1 : 1 + (packet.data or b"\0")[0]])

    def _on_chap(self, packet: Control) -> list[Control]:
        if self.phase in (Phase.LINK, Phase.ENDING) or self.method != "chap":
            return []
        if packet.code == _CHAP_CHALLENGE and packet.data:
            challenge = packet.data[1 : 1 + packet.data[0]]
            secret = bytes([packet.identifier]) + self._login.password.encode() + challenge
            value = hashlib.md5(secret, usedforsecurity=False).digest()  # RFC 1994 §4.1
            return [self._reply(packet, _CHAP_RESPONSE, bytes([16]) + value + self._login.name.encode())]
        if self.phase is not Phase.AUTHENTICATION:
            return []
        return self._verdict(packet.code, _CHAP_SUCCESS, _CHAP_FAILURE, packet.data)

    def _verdict(self, code: int, accepted: int, refused: int, message: bytes) -> list[Control]:
        if code == refused:
            self.refused = readable(message) or "no reason given"
        if code != accepted:
            return []
        self.phase = Phase.NETWORK
        return [self._configure(Protocol.IPCP, self._ipcp)]

    # -- IPCP ------------------------------------------------------------------------------------------------

    def _on_ipcp(self, packet: Control) -> list[Control]:
        if self.phase not in (Phase.NETWORK, Phase.OPEN):
            return []
        out: list[Control] = []
        if self.phase is Phase.OPEN and packet.code in (Configure.REQUEST, Configure.TERMINATE_REQUEST):
            self.phase, self._ipcp = Phase.NETWORK, negotiation.ipcp()
            out += [self._configure(Protocol.IPCP, self._ipcp)]
        if packet.code == Configure.TERMINATE_REQUEST:
            return [self._reply(packet, Configure.TERMINATE_ACK), *out]
        if packet.code <= Configure.REJECT:
            out += self._negotiate(packet, self._ipcp)
        if self._ipcp.opened and self.phase is Phase.NETWORK:
            if negotiation.address(self._ipcp.asking) is None:
                self.refused = "the concentrator gave no address"
            self.phase = Phase.OPEN
        return out

    # -- packets ---------------------------------------------------------------------------------------------

    def _negotiate(self, packet: Control, exchange: Negotiation) -> list[Control]:
        if packet.code == Configure.REQUEST:
            code, options = exchange.judge(packet.options)
            return [self._reply(packet, code, options=options)]
        changed = exchange.answered(packet.code, packet.identifier, packet.options)
        return [self._configure(Protocol(packet.protocol), exchange)] if changed else []

    def _configure(self, protocol: Protocol, exchange: Negotiation) -> Control:
        options = tuple(exchange.asking.items())
        return self._packet(protocol, Configure.REQUEST, exchange.identifier, options=options)

    def _reply(
        self, packet: Control, code: int, data: bytes = b"", options: tuple[Option, ...] = ()
    ) -> Control:
        return self._packet(packet.protocol, code, packet.identifier, data, options)

    def _packet(
        self, protocol: int, code: int, identifier: int, data: bytes = b"", options: tuple[Option, ...] = ()
    ) -> Control:
        return Control(*self._line, protocol, code, identifier, data, options)

    def _next(self) -> int:
        self._identifier = (self._identifier + 1) % 256
        return self._identifier


def _whole(packet: Control) -> bytes:
    length = 4 + len(packet.data)
    return bytes([packet.code, packet.identifier]) + length.to_bytes(2, "big") + packet.data

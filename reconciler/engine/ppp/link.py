"""One PPP link from its first request to its end: the phases of RFC 1661 §3, and the door of this room.

Role: it opens LCP, then authentication, then the network protocols, and undoes them when LCP goes down. The
access room holds one `Link` for each session, feeds it payloads and time, and does what the outputs say. A
link must not know its session, its Ethernet, other links, users or addresses beyond its grant.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from math import inf
from typing import Final

from reconciler.engine.ppp.authentication import Authenticator
from reconciler.engine.ppp.automaton import CLOSING, INITIAL, OPENED, STOPPING, TLD, TLF, TLU, Layer
from reconciler.engine.ppp.chap import Chap
from reconciler.engine.ppp.lcp import Lcp, LcpCode
from reconciler.engine.ppp.mschap import MsChapV1, MsChapV2
from reconciler.engine.ppp.networks import Networks
from reconciler.engine.ppp.outputs import (
    Ask,
    Dropped,
    Finished,
    Ipv6Down,
    Ipv6Up,
    NetworkDown,
    NetworkUp,
    Output,
    Reason,
)
from reconciler.engine.ppp.pap import Pap
from reconciler.engine.ppp.policy import (
    Agreed,
    ChapCredentials,
    Credentials,
    Grant,
    LinkPolicy,
    MsChapCredentials,
    MsChapV2Credentials,
    PapCredentials,
)
from reconciler.engine.wire import ppp
from reconciler.engine.wire.drop import Drop, Malformed
from reconciler.engine.wire.ppp import Packet, Protocol

__all__ = [
    "Agreed",
    "Ask",
    "ChapCredentials",
    "Credentials",
    "Dropped",
    "Finished",
    "Grant",
    "Ipv6Down",
    "Ipv6Up",
    "Link",
    "LinkPolicy",
    "MsChapCredentials",
    "MsChapV2Credentials",
    "NetworkDown",
    "NetworkUp",
    "Output",
    "PapCredentials",
    "Phase",
    "Reason",
]

REJECTS_PER_SECOND: Final = 10
"""Protocol-Rejects sent, at most; some clients never stop asking."""

_LONG_AGO: Final = -inf
_LCP: Final[int] = Protocol.LCP
_PROTOCOL_REJECT: Final[int] = LcpCode.PROTOCOL_REJECT
_DATA: Final[tuple[int, int]] = (Protocol.IPV4, Protocol.IPV6)
_AUTHENTICATION: Final[tuple[int, int]] = (Protocol.PAP, Protocol.CHAP)
_AUTHENTICATORS: Final[dict[str, type[Authenticator]]] = {
    "mschapv2": MsChapV2,
    "chap": Chap,
    "mschap": MsChapV1,
    "pap": Pap,
}


class Phase(Enum):
    """RFC 1661 §3.2."""

    DEAD = "dead"
    ESTABLISH = "establish"
    AUTHENTICATE = "authenticate"
    NETWORK = "network"
    TERMINATE = "terminate"


DEAD: Final = Phase.DEAD
ESTABLISH: Final = Phase.ESTABLISH
AUTHENTICATE: Final = Phase.AUTHENTICATE
NETWORK: Final = Phase.NETWORK
TERMINATE: Final = Phase.TERMINATE

_OVERDUE: Final = {
    ESTABLISH: Reason.LCP_TIMEOUT,
    AUTHENTICATE: Reason.AUTH_TIMEOUT,
    NETWORK: Reason.NETWORK_TIMEOUT,
}


class Link:
    """`phase` is where it stands. All times are monotonic seconds.

    Every method that takes `now` returns what has to be done. After `Finished` there is never anything again.
    """

    __slots__ = (
        "_auth",
        "_entropy",
        "_lcp",
        "_limit",
        "_login_by",
        "_networks",
        "_over",
        "_policy",
        "_reason",
        "_reject_window",
        "_rejects",
        "phase",
    )

    def __init__(self, policy: LinkPolicy, entropy: Callable[[int], bytes]) -> None:
        """`entropy(n)` gives `n` unpredictable octets."""
        self._policy = policy
        self._entropy = entropy
        self._lcp = Lcp(policy, entropy)
        self._auth: Authenticator | None = None
        self._networks = Networks(policy, entropy)
        self._limit = inf
        self._login_by = inf
        self._over = False
        self._reason: str | None = None
        self._reject_window = _LONG_AGO
        self._rejects = 0
        self.phase = DEAD

    @property
    def network_opened(self) -> bool:
        """Whether IPv4 may flow."""
        return self._networks.ipv4 is not None

    @property
    def ending(self) -> str | None:
        """Why it is being closed, from whichever side; None while it is not."""
        return self._reason if self.phase is TERMINATE else None

    @property
    def method(self) -> str:
        """The authentication method that we ask for and, once LCP is open, the one agreed on."""
        return self._lcp.auth

    def agreed(self) -> Agreed | None:
        """What is agreed on while IPv4 may flow: enough to `resume` in another process."""
        ipcp = self._networks.ipv4
        if ipcp is None:
            return None
        return Agreed(self._lcp.auth, *self._lcp.magics, self._lcp.mtu, ipcp.grant)

    def resume(self, agreed: Agreed, now: float) -> None:
        """Go on, in place of `open`, where another process left off; the peer is asked soon whether it is
        there.
        """
        self.phase = NETWORK
        self._lcp.resume_with(agreed.auth, agreed.magic, agreed.peer_magic, agreed.mtu)
        self._lcp.keepalive.confirm(now, self._policy.restart_timer)
        self._auth = _AUTHENTICATORS[agreed.auth](self._policy, self._entropy, 0)
        self._auth.resume(now)
        self._networks.resume(agreed.grant, agreed.mtu, now)

    @property
    def peer_mru(self) -> int:
        """The most octets of information that we may send to the peer."""
        return self._lcp.mtu

    def deadline(self) -> float | None:
        """When `tick` is next due. None: only a packet or a command can move this link."""
        lcp, auth, networks = self._lcp, self._auth, self._networks.deadline
        due = self._limit
        if lcp.deadline < due:
            due = lcp.deadline
        if lcp.keepalive.deadline < due:
            due = lcp.keepalive.deadline
        if networks < due:
            due = networks
        if auth is not None and auth.deadline < due:
            due = auth.deadline
        return None if due == inf else due

    def open(self, now: float) -> list[Output]:
        """The session stands: begin. Our first request waits a moment for the peer's (see `control`)."""
        out: list[Output] = []
        if self.phase is DEAD and not self._over:
            self._establish(now)
            self._lcp.open(now, out)
        return out

    def close(self, reason: str, now: float) -> list[Output]:
        """End politely: Terminate-Request, then `Finished(reason)` when it is answered or given up."""
        out: list[Output] = []
        if not self._over:
            self._close(reason, now, out)
        return out

    def receive(self, payload: bytes, now: float) -> list[Output]:
        """A PPPoE session's payload. Whatever it holds, nothing is raised."""
        out: list[Output] = []
        if self.phase is DEAD:
            return out
        try:
            protocol = ppp.protocol_of(payload)
            if protocol == _LCP:
                self._receive_lcp(ppp.decode(payload), now, out)
            elif protocol in _DATA:
                out.append(Dropped(Drop.PPP_DATA))
            elif self._lcp.state is not OPENED:
                out.append(Dropped(Drop.PPP_PHASE))
            else:
                self._receive_above_lcp(protocol, payload, now, out)
        except Malformed as problem:
            out.append(Dropped(problem.reason))
        return out

    def tick(self, now: float) -> list[Output]:
        """Time has come to `now`; harmless when nothing is due."""
        out: list[Output] = []
        if self.phase is DEAD:
            return out
        if now >= self._limit:
            self._close(_OVERDUE[self.phase], now, out)
            return out
        self._after_lcp(self._lcp.tick(now, out), now, out)
        if self._auth is not None:
            self._auth.tick(now, out)
            if self._auth.silent:
                self._close(Reason.AUTH_TIMEOUT, now, out)
        if self.phase is NETWORK:
            self._networks.tick(now, out)
            self._after_networks(now, out)
        return out

    @property
    def asking(self) -> int | None:
        """The number of the `Ask` that waits for its answer, if one does."""
        return None if self._auth is None else self._auth.pending

    def grant(self, number: int, grant: Grant, now: float) -> list[Output]:
        """The `Ask` of this number is answered: they are good. Nothing if it does not wait any more."""
        out: list[Output] = []
        if self._auth is not None and self._auth.pending == number:
            self._auth.accept(grant.proof, now, out)
            if self.phase is AUTHENTICATE:
                self._enter_network(grant, now, out)
        return out

    def refuse(self, number: int, message: bytes, now: float) -> list[Output]:
        """The `Ask` of this number is answered: they are not. `message` is for the peer's user to read.
        Nothing if it does not wait any more.
        """
        out: list[Output] = []
        if self._auth is not None and self._auth.pending == number:
            self._auth.refuse(message, out)
            self._close(Reason.AUTH_FAILED, now, out)
        return out

    # Phases

    def _establish(self, now: float) -> None:
        self.phase = ESTABLISH
        if self._login_by == inf:  # generous: `NO_RESPONSE` comes first unless the peer keeps talking
            self._limit = now + 2 * self._policy.max_configure * self._policy.restart_timer

    def _authenticate(self, now: float, out: list[Output]) -> None:
        self.phase = AUTHENTICATE
        if self._login_by == inf:  # renegotiating does not buy a stranger more time
            self._login_by = now + self._policy.auth_timeout
        self._limit = self._login_by
        method = _AUTHENTICATORS[self._lcp.auth]
        if type(self._auth) is not method:
            asked = 0 if self._auth is None else self._auth.asked
            self._auth = method(self._policy, self._entropy, asked)
        self._auth.start(now, out)

    def _enter_network(self, grant: Grant, now: float, out: list[Output]) -> None:
        self.phase = NETWORK
        self._login_by = inf
        self._limit = now + self._policy.network_timeout
        self._lcp.keepalive.start(now)
        self._networks.open(grant, self._lcp.mtu, now, out)

    def _close(self, reason: str, now: float, out: list[Output]) -> None:
        self._reason = self._reason or reason
        self._after_lcp(self._lcp.close(now, out), now, out)
        if self._lcp.state is INITIAL:
            self._finish(out)

    def _finish(self, out: list[Output]) -> None:
        self.phase = DEAD
        self._limit = inf
        self._over = True
        out.append(Finished(self._reason or self._lcp.failure or Reason.NO_RESPONSE))

    def _after_lcp(self, layer: Layer | None, now: float, out: list[Output]) -> None:
        if layer is TLU:
            self._authenticate(now, out)
        elif layer is TLD:
            if self._auth is not None:
                self._auth.stop()
            self._networks.leave(out)
            self._establish(now)
        elif layer is TLF:
            self._finish(out)
            return
        if self.phase is not TERMINATE and self._lcp.state in (CLOSING, STOPPING):
            self._reason = self._reason or self._lcp.failure or Reason.PEER_TERMINATED
            self.phase = TERMINATE
            self._limit = inf

    def _after_networks(self, now: float, out: list[Output]) -> None:
        """A link without a network may last a while; without the hope of one it has no use."""
        hopeless = self._networks.hopeless
        if hopeless is not None:
            self._close(hopeless, now, out)
        elif self._networks.any_up:
            self._limit = inf
        elif self._limit == inf:
            self._limit = now + self._policy.network_timeout

    # Packets

    def _receive_lcp(self, packet: Packet, now: float, out: list[Output]) -> None:
        lcp = self._lcp
        code, _, data = packet
        if code != _PROTOCOL_REJECT:
            self._after_lcp(lcp.receive(packet, now, out), now, out)
        elif lcp.state is not OPENED:
            out.append(Dropped(Drop.PPP_PHASE))
        elif len(data) < 2:
            out.append(Dropped(Drop.TRUNCATED))
        else:
            self._protocol_rejected(int.from_bytes(data[:2], "big"), now, out)

    def _protocol_rejected(self, protocol: int, now: float, out: list[Output]) -> None:
        """What the peer does not speak, we stop speaking (RFC 1661 §5.7)."""
        if protocol == _LCP:
            self._after_lcp(self._lcp.give_up(now, out), now, out)
        elif self._auth is not None and protocol == self._auth.protocol:
            self._close(Reason.PROTOCOL_REJECTED, now, out)
        elif self._networks.rejected(protocol, out):
            self._after_networks(now, out)
        else:
            out.append(Dropped(Drop.UNEXPECTED_REPLY))

    def _receive_above_lcp(self, protocol: int, payload: bytes, now: float, out: list[Output]) -> None:
        auth = self._auth
        if auth is not None and protocol == auth.protocol:
            auth.receive(ppp.decode(payload), out)
        elif self.phase is not NETWORK or protocol in _AUTHENTICATION:
            out.append(Dropped(Drop.PPP_PHASE))
        elif self._networks.receive(protocol, payload, now, out):
            self._after_networks(now, out)
        else:
            self._reject_protocol(payload, now, out)

    def _reject_protocol(self, payload: bytes, now: float, out: list[Output]) -> None:
        if now >= self._reject_window + 1:
            self._reject_window = now
            self._rejects = 0
        self._rejects += 1
        if self._rejects > REJECTS_PER_SECOND:
            out.append(Dropped(Drop.REJECT_RATE))
        else:
            self._lcp.reject_protocol(payload, out)

"""The network protocols of one link: each comes up, goes down and fails by itself (RFC 1661 §3.6).

Role: between `link`, which opens them all after a login and cares whether any is up, and the protocols on
`control`. It must not know authentication or LCP.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from reconciler.engine.ppp.automaton import TLD, TLU, Layer
from reconciler.engine.ppp.control import ControlProtocol
from reconciler.engine.ppp.ipcp import Ipcp
from reconciler.engine.ppp.ipv6cp import Ipv6cp
from reconciler.engine.ppp.outputs import Ipv6Down, Ipv6Up, NetworkDown, NetworkUp, Output, Reason
from reconciler.engine.ppp.policy import Grant, LinkPolicy
from reconciler.engine.wire.ppp import Packet, Protocol

_IPCP = Protocol.IPCP
_CONTROLS = {int(Protocol.IPV4): int(Protocol.IPCP), int(Protocol.IPV6): int(Protocol.IPV6CP)}
"""The control protocol of each network protocol."""


class Networks:
    """All methods append to `out`; that a network is down is told before anything is sent."""

    __slots__ = ("_entropy", "_policy", "_protocols", "_up")

    def __init__(self, policy: LinkPolicy, entropy: Callable[[int], bytes]) -> None:
        self._policy = policy
        self._entropy = entropy
        self._protocols: tuple[ControlProtocol, ...] = ()
        self._up: tuple[int, ...] = ()

    @property
    def ipv4(self) -> Ipcp | None:
        """The protocol that agreed on IPv4, while it may flow."""
        if _IPCP not in self._up:
            return None
        return next((protocol for protocol in self._protocols if isinstance(protocol, Ipcp)), None)

    @property
    def any_up(self) -> bool:
        return bool(self._up)

    @property
    def hopeless(self) -> Reason | None:
        """Why no network can come up any more, if so: all have failed, or the peer rejects them."""
        failure: Reason | None = Reason.PROTOCOL_REJECTED
        for protocol in self._protocols:
            failure = protocol.failure
            if failure is None:
                break
        return failure

    @property
    def deadline(self) -> float:
        """When `tick` is due (monotonic seconds)."""
        due = inf
        for protocol in self._protocols:
            if protocol.deadline < due:
                due = protocol.deadline
        return due

    def open(self, grant: Grant, mtu: int, now: float, out: list[Output]) -> None:
        """The login was good: negotiate. `mtu` is the most octets of information that the peer takes."""
        ipcp = Ipcp(self._policy, grant, mtu)
        self._protocols = (ipcp,)
        ipcp.open(now, out)
        self._open_ipv6(mtu, now, out)

    def resume(self, grant: Grant, mtu: int, now: float) -> None:
        """IPv4 is open, as an earlier process left it; IPv6 is negotiated again."""
        ipcp = Ipcp(self._policy, grant, mtu)
        ipcp.resume()
        self._protocols, self._up = (ipcp,), (_IPCP,)
        self._open_ipv6(mtu, now, [])  # nothing is said at once to who has not been heard yet

    def _open_ipv6(self, mtu: int, now: float, out: list[Output]) -> None:
        if self._policy.ipv6:
            ipv6cp = Ipv6cp(self._policy, mtu, self._entropy)
            self._protocols = (*self._protocols, ipv6cp)
            ipv6cp.open(now, out)

    def leave(self, out: list[Output]) -> None:
        """There is no link below any more."""
        for kind in sorted(self._up):
            self._down(kind, out)
        self._protocols = ()

    def __contains__(self, kind: object) -> bool:
        """Whether this is a control protocol that we speak here."""
        return any(protocol.protocol == kind for protocol in self._protocols)

    def receive(self, kind: int, packet: Packet, now: float, out: list[Output]) -> None:
        """A packet of one of them. Raises Malformed, with nothing done, when its inside is."""
        for protocol in self._protocols:
            if protocol.protocol == kind:
                self._follow(protocol, protocol.receive(packet, now, out), out)

    def tick(self, now: float, out: list[Output]) -> None:
        """Time has come to `now`; harmless when nothing is due."""
        for protocol in self._protocols:
            self._follow(protocol, protocol.tick(now, out), out)

    def rejected(self, kind: int, out: list[Output]) -> bool:
        """The peer does not speak this control protocol, or this network: we stop, too (RFC 1661 §5.7).
        False: we never spoke it.
        """
        control = _CONTROLS.get(kind, kind)
        others = tuple(protocol for protocol in self._protocols if protocol.protocol != control)
        if len(others) == len(self._protocols):
            return False
        self._protocols = others
        self._down(control, out)
        return True

    def _follow(self, protocol: ControlProtocol, layer: Layer | None, out: list[Output]) -> None:
        if layer is TLD:
            self._down(protocol.protocol, out)
        elif layer is TLU:
            self._up = (*self._up, protocol.protocol)
            if isinstance(protocol, Ipcp):
                out.append(NetworkUp(protocol.grant.address))
            elif isinstance(protocol, Ipv6cp):
                out.append(Ipv6Up(protocol.ours, protocol.peer))

    def _down(self, kind: int, out: list[Output]) -> None:
        if kind in self._up:
            self._up = tuple(other for other in self._up if other != kind)
            out.insert(0, NetworkDown() if kind == _IPCP else Ipv6Down())

"""The network protocols of one link: each comes up, goes down and fails by itself (RFC 1661 §3.6).

Role: between `link`, which opens them all after a login and cares whether any is up, and the protocols on
`control`. It must not know authentication or LCP.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Final

from reconciler.engine.ppp.automaton import OPENED, TLD, TLU, Layer
from reconciler.engine.ppp.control import ControlProtocol
from reconciler.engine.ppp.ipcp import Ipcp
from reconciler.engine.ppp.ipv6cp import Ipv6cp
from reconciler.engine.ppp.outputs import Ipv6Down, Ipv6Up, NetworkDown, NetworkUp, Output, Reason
from reconciler.engine.ppp.policy import Grant, LinkPolicy
from reconciler.engine.wire import ppp
from reconciler.engine.wire.ppp import Protocol

_CONTROLS: Final = {int(Protocol.IPV4): int(Protocol.IPCP), int(Protocol.IPV6): int(Protocol.IPV6CP)}
"""The control protocol of each network protocol."""


class Networks:
    """All methods append to `out`; that a network is down is told before anything is sent."""

    __slots__ = ("_entropy", "_policy", "_protocols")

    def __init__(self, policy: LinkPolicy, entropy: Callable[[int], bytes]) -> None:
        self._policy = policy
        self._entropy = entropy
        self._protocols: tuple[ControlProtocol, ...] = ()

    @property
    def ipv4(self) -> Ipcp | None:
        """The protocol that agreed on IPv4, while it may flow."""
        for protocol in self._protocols:
            if isinstance(protocol, Ipcp) and protocol.state is OPENED:
                return protocol
        return None

    @property
    def any_up(self) -> bool:
        for protocol in self._protocols:  # noqa: SIM110 - a generator takes three times as long
            if protocol.state is OPENED:
                return True
        return False

    @property
    def hopeless(self) -> Reason | None:
        """Why no network can come up any more, if so: all have failed, or the peer rejects them."""
        failure: Reason | None = Reason.PROTOCOL_REJECTED
        for protocol in self._protocols:
            failure = protocol.failure
            if failure is None:
                return None
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
        self._protocols = (ipcp,)
        self._open_ipv6(mtu, now, [])  # nothing is said at once to who has not been heard yet

    def _open_ipv6(self, mtu: int, now: float, out: list[Output]) -> None:
        if self._policy.ipv6:
            ipv6cp = Ipv6cp(self._policy, mtu, self._entropy)
            self._protocols = (*self._protocols, ipv6cp)
            ipv6cp.open(now, out)

    def leave(self, out: list[Output]) -> None:
        """There is no link below any more."""
        for protocol in self._protocols:
            if protocol.state is OPENED:
                _tell_down(protocol, out)
        self._protocols = ()

    def receive(self, kind: int, payload: bytes, now: float, out: list[Output]) -> bool:
        """A packet of the control protocol `kind`. False: we do not speak it here. Raises Malformed, with
        nothing done, when its inside is.
        """
        for protocol in self._protocols:
            if protocol.protocol == kind:
                _tell(protocol, protocol.receive(ppp.decode(payload), now, out), out)
                return True
        return False

    def tick(self, now: float, out: list[Output]) -> None:
        """Time has come to `now`; harmless when nothing is due."""
        for protocol in self._protocols:
            _tell(protocol, protocol.tick(now, out), out)

    def rejected(self, kind: int, out: list[Output]) -> bool:
        """The peer does not speak this control protocol, or this network: we stop, too (RFC 1661 §5.7).
        False: we never spoke it.
        """
        control = _CONTROLS.get(kind, kind)
        for protocol in self._protocols:
            if protocol.protocol == control:
                self._protocols = tuple(other for other in self._protocols if other is not protocol)
                if protocol.state is OPENED:
                    _tell_down(protocol, out)
                return True
        return False


def _tell(protocol: ControlProtocol, layer: Layer | None, out: list[Output]) -> None:
    if layer is TLD:
        _tell_down(protocol, out)
    elif layer is TLU and isinstance(protocol, Ipcp):
        out.append(NetworkUp(protocol.grant.address))
    elif layer is TLU and isinstance(protocol, Ipv6cp):
        out.append(Ipv6Up(protocol.ours, protocol.peer))


def _tell_down(protocol: ControlProtocol, out: list[Output]) -> None:
    out.insert(0, NetworkDown() if isinstance(protocol, Ipcp) else Ipv6Down())

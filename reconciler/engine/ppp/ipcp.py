"""IP Control Protocol: the address, and name servers for those who ask (RFC 1332, RFC 1877).

Role: one of the protocols on `control`, opened once a login has been granted. It must not know pools or
users: the grant says all.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from enum import IntEnum
from functools import lru_cache
from typing import Final

from reconciler.engine.ppp.control import ControlProtocol
from reconciler.engine.ppp.outputs import Reason
from reconciler.engine.ppp.policy import Grant, LinkPolicy
from reconciler.engine.wire import ppp
from reconciler.engine.wire.ppp import Option


class IpcpOption(IntEnum):
    """The options that have a meaning here (RFC 1332 §3.3, RFC 1877 §1)."""

    ADDRESS = 3
    PRIMARY_DNS = 129
    PRIMARY_NBNS = 130
    SECONDARY_DNS = 131
    SECONDARY_NBNS = 132


_ADDRESS: Final[int] = IpcpOption.ADDRESS
_DNS: Final = (IpcpOption.PRIMARY_DNS, IpcpOption.SECONDARY_DNS)
_NBNS: Final = (IpcpOption.PRIMARY_NBNS, IpcpOption.SECONDARY_NBNS)


@lru_cache(maxsize=16)
def _our_request(address: bytes) -> tuple[Option, ...]:
    """What we ask for: the same for most sessions, and kept once for them."""
    return ((_ADDRESS, address),)


@lru_cache(maxsize=16)
def _servers(dns: tuple[bytes, ...], wins: tuple[bytes, ...]) -> Mapping[int, bytes]:
    """The value of each option that names a server, likewise."""
    return {**dict(zip(_DNS, dns, strict=False)), **dict(zip(_NBNS, wins, strict=False))}


class Ipcp(ControlProtocol):
    """Gives the peer `grant.address` and no other, and names our end `grant.peer`."""

    __slots__ = ("_demanded", "_doubted", "_ours", "_servers", "grant")

    protocol = ppp.Protocol.IPCP

    def __init__(self, policy: LinkPolicy, grant: Grant, mtu: int) -> None:
        super().__init__(policy, mtu)
        self.grant = grant
        self._servers = _servers(grant.dns, grant.wins)
        self.reset()

    def reset(self) -> None:
        self._ours = _our_request(self.grant.peer)
        self._doubted = False
        self._demanded = False

    # Our request

    def wanted(self) -> tuple[Option, ...]:
        return self._ours

    def naked(self, kind: int, value: bytes) -> None:  # noqa: ARG002 - our address is not negotiable
        if kind == _ADDRESS:
            if self._doubted:
                self._ours = ()
            self._doubted = True

    def rejected(self, kind: int) -> None:  # noqa: ARG002 - it is the only one
        self._ours = ()

    # The peer's request

    def judge(self, kind: int, value: bytes) -> bytes | None:  # noqa: ARG002 - there is one good value
        return self.grant.address if kind == _ADDRESS else self._servers.get(kind)

    def may_reject(self, kind: int, value: bytes) -> bool:  # noqa: ARG002 - any of them may be asked for
        """Zero asks to be told (RFC 1332 §3.3): who still asks has not had our answer and does not haggle."""
        return any(value)

    def missing(self, kinds: AbstractSet[int]) -> tuple[Option, ...]:
        """An address is what this is for: demanded once (RFC 1332 §3.3), and not done without."""
        if _ADDRESS in kinds:
            return ()
        if self._demanded or self.exhausted:
            self.failure = Reason.ADDRESS_REFUSED
        self._demanded = True
        return ((_ADDRESS, self.grant.address),)

    def agreed(self, options: tuple[Option, ...]) -> None:
        """Nothing to note: what is acknowledged is what was granted."""

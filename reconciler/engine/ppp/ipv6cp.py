"""IPv6 Control Protocol: the interface identifiers of the two ends (RFC 5072).

An identifier is the lower half of a link-local address; ours is random, and the peer may have any that is
neither none nor ours. Role: one of the protocols on `control`. It must not know prefixes or users.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from enum import IntEnum
from typing import Final

from reconciler.engine.ppp.control import ControlProtocol
from reconciler.engine.ppp.policy import LinkPolicy
from reconciler.engine.wire import ppp
from reconciler.engine.wire.ppp import Option


class Ipv6cpOption(IntEnum):
    """The option that has a meaning here (RFC 5072 §4.1)."""

    INTERFACE_IDENTIFIER = 1


_SIZE: Final = 8
_NONE: Final = bytes(_SIZE)
_UNIVERSAL: Final = 1 << 57
"""The bit that claims worldwide uniqueness: never set in what we make up (RFC 5072 §4.1)."""


class Ipv6cp(ControlProtocol):
    """`ours` and `peer` are the interface identifiers, eight octets each; zero for none."""

    __slots__ = ("_demanded", "_entropy", "_rejected", "_suggested", "ours", "peer")

    protocol = ppp.Protocol.IPV6CP

    def __init__(self, policy: LinkPolicy, mtu: int, entropy: Callable[[int], bytes]) -> None:
        super().__init__(policy, mtu)
        self._entropy = entropy
        self.ours = self.peer = self._suggested = _NONE
        self.reset()

    def reset(self) -> None:
        self.peer = self._suggested = _NONE
        self._demanded = self._rejected = False
        if self.ours == _NONE:
            self.ours = self._choose()

    # Our request

    def wanted(self) -> tuple[Option, ...]:
        return () if self._rejected else ((Ipv6cpOption.INTERFACE_IDENTIFIER, self.ours),)

    def naked(self, kind: int, value: bytes) -> None:  # noqa: ARG002 - it is the only one
        """A suggestion is taken; the one that we made ourselves says that the line loops, or that both ends
        think alike.
        """
        usable = len(value) == _SIZE and value not in (_NONE, self._suggested, self.peer)
        self.ours = value if usable else self._choose()

    def rejected(self, kind: int) -> None:  # noqa: ARG002 - it is the only one
        self._rejected = True
        self.ours = _NONE

    # The peer's request

    def judge(self, kind: int, value: bytes) -> bytes | None:
        if kind != Ipv6cpOption.INTERFACE_IDENTIFIER or value == self.ours == _NONE:
            return None
        return value if len(value) == _SIZE and value not in (_NONE, self.ours) else self._suggest()

    def may_reject(self, kind: int, value: bytes) -> bool:  # noqa: ARG002 - there is no other
        return True

    def missing(self, kinds: AbstractSet[int]) -> tuple[Option, ...]:
        """Asked for once; who still has none does not know the option."""
        if self._demanded or Ipv6cpOption.INTERFACE_IDENTIFIER in kinds:
            return ()
        self._demanded = True
        return ((Ipv6cpOption.INTERFACE_IDENTIFIER, self._suggest()),)

    def agreed(self, options: tuple[Option, ...]) -> None:
        self.peer = dict(options).get(Ipv6cpOption.INTERFACE_IDENTIFIER, _NONE)

    def _suggest(self) -> bytes:
        self._suggested = self._choose()
        return self._suggested

    def _choose(self) -> bytes:
        """A random identifier that nobody on this link has."""
        chosen = int.from_bytes(self._entropy(_SIZE), "big") & ~_UNIVERSAL
        while chosen.to_bytes(_SIZE, "big") in (_NONE, self.ours, self.peer, self._suggested):
            chosen = (chosen + 1) & ~_UNIVERSAL & (1 << 8 * _SIZE) - 1
        return chosen.to_bytes(_SIZE, "big")

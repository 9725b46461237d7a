"""One Configure exchange, LCP's or IPCP's, from the subscriber's side (RFC 1661 §5.1 to §5.4).

Not the full automaton: a subscriber who dials only needs both directions agreed. :func:`lcp` and
:func:`ipcp` say what is asked for and what is accepted. Pure: messages in, messages out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from reconciler.probe.codec import Configure, Option

MRU, AUTHENTICATION, MAGIC = 1, 3, 5
ADDRESS = 3
DNS = (129, 131)

METHODS = {"pap": b"\xc0\x23", "chap": b"\xc2\x23\x05"}
"""Values of the Authentication-Protocol option: PAP (RFC 1334 §2), CHAP with MD5 (RFC 1994 §3)."""

PPPOE_MTU = 1492

Wish = Callable[[bytes], bytes | None]
"""Given the value of the other side's option: a better one, or None when it will do."""


@dataclass(slots=True)
class Negotiation:
    """An exchange: what we ask for, what we understand, and who has agreed to what."""

    asking: dict[int, bytes]
    understood: Mapping[int, Wish]
    identifier: int = 1
    ours_agreed: bool = False
    agreed: dict[int, bytes] | None = field(default=None)
    """The other side's options, once we have acknowledged them."""

    @property
    def opened(self) -> bool:
        return self.ours_agreed and self.agreed is not None

    def judge(self, options: tuple[Option, ...]) -> tuple[Configure, tuple[Option, ...]]:
        """The answer to the other side's Configure-Request. Reject comes before Nak (RFC 1661 §5.4)."""
        rejected = tuple(option for option in options if option[0] not in self.understood)
        if rejected:
            return Configure.REJECT, rejected
        wishes = ((kind, self.understood[kind](value)) for kind, value in options)
        naks = tuple((kind, wish) for kind, wish in wishes if wish is not None)
        if naks:
            return Configure.NAK, naks
        self.agreed = dict(options)
        return Configure.ACK, options

    def answered(self, code: int, identifier: int, options: tuple[Option, ...]) -> bool:
        """Take the answer to our request. True when we now ask for something else, so that it must be
        sent.
        """
        if identifier != self.identifier or self.ours_agreed:
            return False
        if code == Configure.ACK:
            self.ours_agreed = options == tuple(self.asking.items())
            return False
        for kind, value in options:
            if code == Configure.REJECT:
                self.asking.pop(kind, None)
            elif kind in self.asking:
                self.asking[kind] = value
        self.identifier = (self.identifier + 1) % 256
        return True


def lcp(magic: bytes, methods: tuple[str, ...]) -> Negotiation:
    """Asks for MRU 1492 and a magic number; lets the other side ask for authentication by one of
    ``methods``.
    """
    allowed = [METHODS[method] for method in methods]
    return Negotiation(
        asking={MRU: PPPOE_MTU.to_bytes(2, "big"), MAGIC: magic},
        understood={
            MRU: _anything,
            MAGIC: _anything,
            AUTHENTICATION: lambda value: None if value in allowed else allowed[0],
        },
    )


def ipcp() -> Negotiation:
    """Asks for an address and two DNS servers (RFC 1332 §3.3, RFC 1877 §1); takes any address of the
    other's.
    """
    return Negotiation(
        asking=dict.fromkeys((ADDRESS, *DNS), bytes(4)),
        understood={ADDRESS: _anything},
    )


def address(options: Mapping[int, bytes], kind: int = ADDRESS) -> str | None:
    """An address option as text, or None when it is absent, zero or not four octets."""
    value = options.get(kind, b"")
    return str(ipaddress.IPv4Address(value)) if len(value) == 4 and any(value) else None


def method(options: Mapping[int, bytes]) -> str | None:
    """The authentication that the other side asked for by its LCP options."""
    asked = options.get(AUTHENTICATION)
    return next((name for name, value in METHODS.items() if value == asked), None)


def _anything(_value: bytes) -> None:
    return None

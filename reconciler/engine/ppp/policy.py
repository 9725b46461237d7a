"""What is fixed for the life of one link, and what a login may bring it.

The types that go in through the door in `link`, and what is kept of an open link; what a link wants done is
in `outputs`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

AUTH_METHODS: Final = ("mschapv2", "chap", "mschap", "pap")
"""Known authentication methods (RFC 2759, RFC 1994, RFC 2433, RFC 1334), strongest first."""
USUAL_METHODS: Final = ("mschapv2", "chap", "pap")
"""Those offered unless others are named; PAP last (RFC 1334 §2)."""


@dataclass(frozen=True, slots=True)
class LinkPolicy:
    """Times in seconds, sizes in octets. Raises ValueError when these rules could not be kept on the wire."""

    name: bytes
    """The CHAP Name we send: the access concentrator's."""
    auth: tuple[str, ...] = USUAL_METHODS
    """Methods offered, in this order; never empty, so that nobody comes in unauthenticated."""
    mru: int = 1492
    """What we request, and the most we send or accept (RFC 2516 §7; more only by RFC 4638)."""
    min_mru: int = 576
    """The least MRU that a subscriber may ask for."""
    ipv6: bool = False
    """Whether to negotiate IPv6 (RFC 5072); otherwise a peer that wants to gets a Protocol-Reject."""
    echo_interval: float = 30.0
    """Between Echo-Requests; 0 = none are sent."""
    echo_failures: int = 3
    """So many unanswered Echo-Requests in a row end the link."""
    restart_timer: float = 3.0
    max_configure: int = 10
    max_terminate: int = 2
    max_failure: int = 5
    """RFC 1661 §4.6."""
    rechallenge: float = 0.0
    """Seconds after which a peer has to prove itself again, where the method can ask it to (RFC 1994 §2); 0 =
    never: some clients cannot answer a second challenge.
    """
    auth_timeout: float = 30.0
    """From LCP's opening to a successful login."""
    network_timeout: float = 60.0
    """How long an authenticated link may be without a network protocol."""

    def __post_init__(self) -> None:
        if not self.auth or not set(self.auth) <= set(AUTH_METHODS):
            raise ValueError(f"auth must name one or more of {', '.join(AUTH_METHODS)}")
        if not self.name:
            raise ValueError("name must not be empty (RFC 1994 §4.1)")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a login brings: IPv4 addresses, four octets each. `peer` is our end; at most two servers each.

    `proof` shows the peer that we know its secret: MS-CHAPv2's authenticator response, 20 octets (RFC 2759
    §8.7); empty for other credentials.
    """

    address: bytes
    peer: bytes
    dns: tuple[bytes, ...] = ()
    wins: tuple[bytes, ...] = ()
    proof: bytes = b""


class Agreed(NamedTuple):
    """What both sides of an open link hold to: the method that proved who the peer is, the Magic-Numbers, the
    most octets that the peer takes, and its grant (without the proof of the login).
    """

    auth: str
    magic: bytes
    peer_magic: bytes
    mtu: int
    grant: Grant


@dataclass(frozen=True, slots=True)
class PapCredentials:
    """RFC 1334 §2.2.1. Octets as sent, in no particular encoding."""

    name: bytes
    password: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class ChapCredentials:
    """RFC 1994: `response` is right if it is MD5(identifier, secret, challenge)."""

    name: bytes
    identifier: int
    challenge: bytes
    response: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MsChapCredentials:
    """RFC 2433: `response` is right if it is the NT response to `challenge`. One that only had a LAN Manager
    response is empty, and thereby wrong.
    """

    name: bytes
    challenge: bytes
    response: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class MsChapV2Credentials:
    """RFC 2759 §4: `challenge` is ours, `peer_challenge` the peer's; `response` answers both."""

    name: bytes
    challenge: bytes
    peer_challenge: bytes
    response: bytes = field(repr=False)


Credentials: TypeAlias = PapCredentials | ChapCredentials | MsChapCredentials | MsChapV2Credentials

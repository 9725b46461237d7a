"""What a link wants done: values, returned from every input, performed by whoever holds the link.

Octets are the payload of a PPPoE session, PPP protocol number and information, to be sent; all else has a
type of its own. Nothing is queued inside a link, so nothing can be forgotten there.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from reconciler.engine.ppp.policy import Credentials
from reconciler.engine.wire.documented import Documented
from reconciler.engine.wire.drop import Drop


class Reason(Documented):
    """Why a link finished of its own accord. `Link.close` may be given any other word."""

    PEER_TERMINATED = "peer_terminated", "the subscriber ended the link"
    NO_RESPONSE = "no_response", "the subscriber never answered"
    LCP_TIMEOUT = "lcp_timeout", "the two sides went on and on without agreeing on the link's options"
    LOOPBACK = "loopback", "the line returns our own packets"
    AUTH_REFUSED = "auth_refused", "the subscriber can do none of the authentication methods offered"
    AUTH_FAILED = "auth_failed", "wrong name or password, or the login was refused"
    AUTH_TIMEOUT = "auth_timeout", "the subscriber did not log in in time"
    ADDRESS_REFUSED = "address_refused", "the subscriber does not take the address it was given"
    NETWORK_TIMEOUT = "network_timeout", "no network protocol came up in time"
    PROTOCOL_REJECTED = (
        "protocol_rejected",
        "the subscriber rejects a protocol or code without which there is no link",
    )
    ECHO_TIMEOUT = "echo_timeout", "the subscriber no longer answers LCP echoes"


class Ask(NamedTuple):
    """Are these credentials good? To be answered by `Link.grant` or `Link.refuse`, with this number, now or
    later: no other question of the link has it. `again`: they were good before, and the peer is only asked
    whether it is still the same one.
    """

    credentials: Credentials
    number: int
    again: bool = False


class NetworkUp(NamedTuple):
    """IPv4 may flow to and from this address."""

    address: bytes


class NetworkDown(NamedTuple):
    """IPv4 may not flow any more."""


class Ipv6Up(NamedTuple):
    """IPv6 may flow between these interface identifiers, eight octets each (RFC 5072 §4.1); zero for none."""

    ours: bytes
    peer: bytes


class Ipv6Down(NamedTuple):
    """IPv6 may not flow any more."""


class Finished(NamedTuple):
    """The last output of a link: a `Reason`, or the word given to `Link.close`."""

    reason: str


class Dropped(NamedTuple):
    """Nothing was done with a packet, for this reason; to be counted."""

    reason: Drop


Output: TypeAlias = bytes | Ask | NetworkUp | NetworkDown | Ipv6Up | Ipv6Down | Finished | Dropped

"""What a dialling subscriber says to whoever drives it: frames to send, and how the call goes.

Plain values shared by the dialler and its process.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal


class Phase(StrEnum):
    """How far a call has come: discovery (RFC 2516 §5), then the phases of RFC 1661 §3."""

    DISCOVERY = "discovery"
    LINK = "link"
    AUTHENTICATION = "authentication"
    NETWORK = "network"
    OPEN = "open"
    ENDING = "ending"
    DEAD = "dead"


Method = Literal["chap", "pap"]
METHODS: tuple[Method, ...] = ("chap", "pap")
"""Ways to log in, the stronger first."""


@dataclass(frozen=True, slots=True)
class Login:
    """Who dials, with which methods (as offered in a Configure-Nak, in this order), asking for which
    service.
    """

    name: str
    password: str = field(repr=False)
    methods: tuple[Method, ...] = METHODS
    service: str = ""


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds. ``retry``: between retransmissions; ``patience``: for each phase; ``linger``: for the
    concentrator's PADT after its Terminate-Request or refusal; ``echo``: between Echo-Requests (0 =
    none), ``echo_failures`` of which unanswered end the call.
    """

    retry: float = 1.0
    patience: float = 10.0
    linger: float = 3.0
    echo: float = 10.0
    echo_failures: int = 3


@dataclass(frozen=True, slots=True)
class Send:
    """Put this frame on the wire."""

    frame: bytes


@dataclass(frozen=True, slots=True)
class Up:
    """The call is up. ``mtu`` in octets is what the concentrator accepts."""

    address: str
    peer: str
    dns: tuple[str, ...]
    mtu: int
    session: int
    ac_mac: bytes
    ac_name: str
    method: str | None


@dataclass(frozen=True, slots=True)
class Ended:
    """The call is over, for good. ``phase`` is how far it had come (``OPEN``: it was up, the rest: it
    never was).

    ``by`` tells who ended it: the concentrator (``ac``), this subscriber (``us``) or nobody (``silence``).
    ``terminate_request`` and ``padt``: what the concentrator sent.
    """

    phase: Phase
    by: Literal["ac", "us", "silence"]
    reason: str
    terminate_request: bool
    padt: bool


Output = Send | Up | Ended

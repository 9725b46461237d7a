"""What the concentrator wants done: values, returned from every input, to be performed by the host.

Paths are opened and closed before anything is sent, so that a subscriber's first packet finds its path.
Nothing is queued inside the core, so nothing can be forgotten there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from reconciler.engine.wire.drop import Drop

if TYPE_CHECKING:
    from reconciler.engine.access.config import Rate
    from reconciler.engine.access.line import Line
    from reconciler.engine.access.users import Question
    from reconciler.engine.messages import EventType

Vlans: TypeAlias = tuple[tuple[int, int], ...]


class Key(NamedTuple):
    """Identity of a session on the wire (RFC 2516 §4: the id alone is not unique)."""

    interface: str
    vlans: Vlans
    mac: bytes
    id: int


class Send(NamedTuple):
    """Put this Ethernet frame on the interface."""

    interface: str
    frame: bytes


class OpenPath(NamedTuple):
    """Start to carry the session's packets: only from source ``address``; at most ``mtu`` octets each towards
    it.
    """

    key: Key
    address: bytes
    mtu: int


class ClosePath(NamedTuple):
    """Stop carrying the session's packets."""

    key: Key


class Shape(NamedTuple):
    """Keep what goes to and comes from this address to this rate; told again whenever that changes."""

    address: bytes
    rate: Rate


class Ask(NamedTuple):
    """Have this question answered elsewhere, since it takes long, and come back with its answer to
    ``Concentrator.answered``. Key and number tell it from all others.
    """

    key: Key
    number: int
    question: Question


class Dropped(NamedTuple):
    """Nothing was done with an input, for this reason; to be counted."""

    reason: Drop


class Event(NamedTuple):
    """Something an operator would want to know of; ``type`` and ``reason`` as in ``messages.EventView``.

    Of a login: by which ``method``. Of a session that opened for the first time: ``setup``, the seconds since
    its PADR.
    """

    type: EventType
    user: bytes | None
    key: Key
    reason: str
    generation: int
    line: Line
    method: str | None = None
    setup: float | None = None


class Fault(NamedTuple):
    """A bug of ours ended this session; to be counted and logged."""

    key: Key
    error: Exception


Effect: TypeAlias = Send | OpenPath | ClosePath | Shape | Ask | Dropped | Event | Fault

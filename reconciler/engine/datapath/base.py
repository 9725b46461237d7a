"""What every data path can do: the one shape that the host knows.

A data path carries the packets of open sessions between their subscribers and the kernel. Control frames are
not its business, except for one that is itself a source of them (kernel PPP), which then hands them over in
``poll``. It must not know users, PPP, or why a session comes and goes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.engine.access.effects import Key
    from reconciler.engine.wire.drop import Drop


VIA = "169.254.1.1"
"""The neighbour on a data path's device through which subscribers are routed to: a link-local address (RFC
3927) that nobody has. Between two subscribers the kernel then sees no shorter way, and sends no ICMP
redirect.
"""


class PathError(Exception):
    """The data path cannot work here; the message says in one line why, and what to do."""


class Counters(NamedTuple):
    """What a session's path has carried, as seen from the access concentrator: ``rx`` came from the
    subscriber.
    """

    rx_bytes: int = 0
    tx_bytes: int = 0
    rx_packets: int = 0
    tx_packets: int = 0


class DataPath(Protocol):
    """Carries packets. ``open``, ``close``, ``attach`` and ``detach`` take effect at the latest with
    ``flush``.
    """

    name: str
    device: str | None
    """The network device on which subscribers' packets appear, if there is one."""
    via: str | None
    """The neighbour on that device that leads to subscribers, if it needs one."""

    def attach(self, interface: str, index: int, mac: bytes) -> None:
        """Be ready for sessions on this interface, where ``mac`` is our address. Raises ``PathError`` where
        that cannot be.
        """

    def detach(self, interface: str) -> None:
        """Leave this interface alone; its paths are closed."""

    def restrict(self, access_only: bool) -> None:
        """Whether interfaces, now and later, are for PPPoE alone: anything else is then dropped there. Raises
        ``PathError`` where that cannot be.
        """

    def accept(self, size: int) -> None:
        """Subscribers may send packets of so many octets from now on."""

    def open(self, key: Key, address: bytes, mtu: int) -> None:
        """Carry this session's packets: from it only with source ``address``, to it at most ``mtu`` octets
        each.
        """

    def close(self, key: Key) -> None:
        """Stop carrying this session's packets."""

    def prune(self) -> None:
        """Close what an engine before this one had open and this one has not asked for."""

    def flush(self) -> Mapping[Key, Counters]:
        """Return when all that was asked for is in effect; gives what the paths have carried that were closed
        since.
        """

    def counters(self) -> Mapping[Key, Counters]:
        """What each open path has carried."""

    def traffic(self) -> Mapping[str, Counters]:
        """What all paths on each attached interface have carried, those that are closed too. Begins at 0 when
        the interface is attached anew, or the data path is.
        """

    def drops(self) -> Mapping[Drop, int]:
        """How many packets were dropped here, by reason, since the data path was made."""

    def fileno(self) -> int | None:
        """A descriptor that becomes readable when ``poll`` has something to do."""

    def poll(self) -> list[tuple[str, bytes]]:
        """See to the data path's own affairs; gives control frames as (interface, frame), if it has any."""

    def shutdown(self) -> None:
        """End for good and leave no trace."""

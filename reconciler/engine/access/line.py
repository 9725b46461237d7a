"""Which line a subscriber is on, by what the access node in between says of it (TR-101 §3.9, RFC 4679).

A DSLAM or OLT adds a vendor tag of the Broadband Forum to PADI and PADR; the octets in it are the operator's
own names for ports and customers, and nothing here depends on them. Neighbours: ``discovery`` reads them,
``session`` keeps them. It must not know what lines there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

VENDOR: Final = (3561).to_bytes(4, "big")
"""The Broadband Forum's number, with which its vendor tags begin (RFC 2516 Appendix A)."""
LONGEST: Final = 63
"""Octets of an id at most (RFC 4679 §3.3)."""
_CIRCUIT_ID: Final = 1
_REMOTE_ID: Final = 2


class Line(NamedTuple):
    """Agent Circuit Id and Agent Remote Id, empty where the node does not give one."""

    circuit_id: bytes = b""
    remote_id: bytes = b""

    def over(self, earlier: Line) -> Line:
        """This, completed by what only an earlier packet said."""
        if not any(self):  # so that all sessions of which nothing is known have one and the same
            return earlier
        return Line(self.circuit_id or earlier.circuit_id, self.remote_id or earlier.remote_id)

    def packed(self) -> bytes:
        """As octets, for ``unpacked``: none if nothing is known."""
        return bytes([len(self.circuit_id)]) + self.circuit_id + self.remote_id if any(self) else b""


NO_LINE: Final = Line()


def unpacked(octets: bytes) -> Line:
    """The inverse of ``Line.packed``."""
    return Line(octets[1 : 1 + octets[0]], octets[1 + octets[0] :]) if octets else NO_LINE


def read(values: Sequence[bytes]) -> Line:
    """What vendor tags with these values say together: the last word counts, since the node is nearer to us
    than the subscriber. One of another vendor, or whose inside overruns, says nothing.
    """
    if not values:
        return NO_LINE
    found: dict[int, bytes] = {}
    for value in values:
        if value.startswith(VENDOR):
            found.update(_options(value[len(VENDOR) :]))
    ids = (found.get(kind, b"") for kind in (_CIRCUIT_ID, _REMOTE_ID))
    return Line(*(octets if len(octets) <= LONGEST else b"" for octets in ids))


def _options(data: bytes) -> dict[int, bytes]:
    """Type, length, value; nothing at all when they do not fit."""
    options: dict[int, bytes] = {}
    while data:
        end = 2 + data[1] if len(data) >= 2 else 2
        if len(data) < end:
            return {}
        options[data[0]] = data[2:end]
        data = data[end:]
    return options

"""The discovery stage of one call (RFC 2516 §5): PADI, PADO, PADR, PADS, and PADT at its end.

Takes the first offer that answers this call. Pure: it knows neither time nor retransmission, which are
the dialler's.
"""

from __future__ import annotations

from dataclasses import replace

from reconciler.probe.codec import BROADCAST, Code, Discovery, Option, Tag
from reconciler.probe.text import readable

_ERRORS = (Tag.SERVICE_NAME_ERROR, Tag.AC_SYSTEM_ERROR, Tag.GENERIC_ERROR)
_ECHOED = (Tag.AC_COOKIE, Tag.RELAY_SESSION_ID)


class Finder:
    """Finds an access concentrator and gets a session from it."""

    def __init__(self, mac: bytes, service: str, host_uniq: bytes) -> None:
        self.ac_mac: bytes | None = None
        self.ac_name = ""
        self.session = 0
        self.refused: str | None = None
        self._mac = mac
        self._host_uniq = host_uniq
        self._asked = ((Tag.SERVICE_NAME, service.encode()), (Tag.HOST_UNIQ, host_uniq))
        self._echoed: tuple[Option, ...] = ()

    def request(self) -> Discovery:
        """What to send now, and to repeat: the PADI, or the PADR once there is an offer."""
        if self.ac_mac is None:
            return Discovery(BROADCAST, self._mac, Code.PADI, tags=self._asked)
        return Discovery(self.ac_mac, self._mac, Code.PADR, tags=self._asked + self._echoed)

    def receive(self, message: Discovery) -> bool:
        """Take a PADO or PADS. True when it led on: ``ac_mac``, ``session`` or ``refused`` are now known."""
        if message.tag(Tag.HOST_UNIQ) != self._host_uniq or self.session or self.refused:
            return False
        if message.code == Code.PADO and self.ac_mac is None:
            self.ac_mac = message.source
            self.ac_name = readable(message.tag(Tag.AC_NAME) or b"")
            self._echoed = tuple(tag for tag in message.tags if tag[0] in _ECHOED)
            return True
        if message.code == Code.PADS and message.source == self.ac_mac:
            self.session = message.session
            self.refused = _error(message)
            return True
        return False

    def ends(self, message: Discovery) -> bool:
        """Is this the PADT of our session?"""
        ours = message.source == self.ac_mac and message.session == self.session != 0
        return ours and message.code == Code.PADT

    def padt(self) -> Discovery:
        """Our own PADT; only once there is a session."""
        request = replace(self.request(), code=Code.PADT, session=self.session)
        return replace(request, tags=((Tag.HOST_UNIQ, self._host_uniq),))


def _error(message: Discovery) -> str | None:
    for kind in _ERRORS:
        value = message.tag(kind)
        if value is not None:
            return f"{kind.title}: {readable(value)}" if value else kind.title
    return None if message.session else "PADS without a session id"

"""The discovery stage (RFC 2516 §5): who is offered what, without keeping any state.

A request is answered from itself, the configuration and the cookie alone. Neighbours: ``concentrator`` makes
the session that ``Admitted`` asks for. It must not know sessions, users or addresses.
"""

from __future__ import annotations

from struct import unpack
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.engine.access import line
from reconciler.engine.access.cookie import Cookies
from reconciler.engine.wire import ethernet, pppoe
from reconciler.engine.wire.drop import Drop, Malformed
from reconciler.engine.wire.ethernet import Frame
from reconciler.engine.wire.pppoe import PADO, TagType

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.engine.access.config import Config
    from reconciler.engine.access.line import Line
    from reconciler.engine.wire.pppoe import Tag

MAX_PADI: Final = 1484
"""Most octets of a PADI with its PPPoE header, so that a relay can add its tag (RFC 2516 §5.1)."""
MAX_PAYLOAD: Final = 1500
"""Most octets of any discovery packet that we send, with its PPPoE header."""
PPPOE_MRU: Final = 1492
"""Largest MRU without RFC 4638's tag (RFC 2516 §7)."""


_SERVICE_NAME: Final[int] = TagType.SERVICE_NAME
_AC_NAME: Final[int] = TagType.AC_NAME
_HOST_UNIQ: Final[int] = TagType.HOST_UNIQ
_AC_COOKIE: Final[int] = TagType.AC_COOKIE
_VENDOR_SPECIFIC: Final[int] = TagType.VENDOR_SPECIFIC
_RELAY_SESSION_ID: Final[int] = TagType.RELAY_SESSION_ID
_MAX_PAYLOAD: Final[int] = TagType.PPP_MAX_PAYLOAD


class Listener(NamedTuple):
    """An interface being served: its name, our MAC address on it, and its MTU in octets."""

    interface: str
    mac: bytes
    mtu: int


class Request(NamedTuple):
    """The tags of a PADI or PADR that matter here."""

    services: tuple[bytes, ...]
    echoed: tuple[Tag, ...]
    host_uniq: bytes | None
    cookie: bytes
    max_payload: int
    line: Line


class Admitted(NamedTuple):
    """A good PADR: make a session. ``tags`` go into its PADS; ``signature`` tells a repetition from another
    dial.
    """

    tags: tuple[Tag, ...]
    mru: int
    signature: tuple[bytes, bytes | None]
    line: Line


class Refused(NamedTuple):
    """A PADR that cannot be served: these tags go into a PADS with session id 0 (RFC 2516 §5.4)."""

    tags: tuple[Tag, ...]


def read(packet: pppoe.Packet) -> Request:
    """Take out the tags that matter. Raises Malformed."""
    services: list[bytes] = []
    echoed: dict[int, bytes] = {}
    vendors: list[bytes] = []
    cookie, max_payload = b"", 0
    for kind, value in pppoe.decode_tags(packet.payload):
        if kind == _SERVICE_NAME:
            services.append(value)
        elif kind in (_HOST_UNIQ, _RELAY_SESSION_ID):
            if kind == _RELAY_SESSION_ID and echoed.get(kind, value) != value:
                raise Malformed(Drop.RELAY_TAGS)
            echoed.setdefault(kind, value)
        elif kind == _AC_COOKIE:
            cookie = value
        elif kind == _MAX_PAYLOAD and len(value) == 2:
            max_payload = unpack("!H", value)[0]
        elif kind == _VENDOR_SPECIFIC:
            vendors.append(value)
    unique = echoed.get(_HOST_UNIQ)
    return Request(tuple(services), tuple(echoed.items()), unique, cookie, max_payload, line.read(vendors))


class Discovery:
    """Answers PADI and PADR. ``secret`` is the cookies' key."""

    __slots__ = ("_cookies",)

    def __init__(self, secret: bytes) -> None:
        self._cookies = Cookies(secret)

    def offer(
        self, config: Config, listener: Listener, frame: Frame, packet: pppoe.Packet, now: float
    ) -> bytes | Drop:
        """The PADO for a PADI (RFC 2516 §5.2), or why there is none."""
        if len(packet.payload) + pppoe.HEADER > MAX_PADI:
            return Drop.OVERSIZED
        request = read(packet)
        if len(request.services) != 1:
            return Drop.SERVICE_NAME
        names = _offered(config, request.services[0])
        if not names:
            return Drop.UNKNOWN_SERVICE
        cargo = request.line.packed()
        cookie = self._cookies.make(listener.interface, frame.vlans, frame.source, now, cargo)
        pado = answer(
            listener,
            frame,
            PADO,
            0,
            (
                (_AC_NAME, config.ac_name),
                *((_SERVICE_NAME, name) for name in names),
                (_AC_COOKIE, cookie),
                *request.echoed,
                *_max_payload_tag(_mru(config, listener, request)),
            ),
        )
        return pado if len(pado) - _ethernet_header(frame) <= MAX_PAYLOAD else Drop.OVERSIZED

    def admit(
        self, config: Config, listener: Listener, frame: Frame, packet: pppoe.Packet, now: float
    ) -> Admitted | Refused | Drop:
        """What a PADR asks for (RFC 2516 §5.3, §5.4). Without a good cookie it is not answered at all.

        Its PADS, which has no cookie, is never larger than it.
        """
        if len(packet.payload) + pppoe.HEADER > MAX_PAYLOAD:
            return Drop.OVERSIZED
        request = read(packet)
        cargo = self._cookies.open(request.cookie, listener.interface, frame.vlans, frame.source, now)
        if cargo is None:
            return Drop.BAD_COOKIE
        if len(request.services) != 1 or not _offered(config, request.services[0]):
            return Refused(((TagType.SERVICE_NAME_ERROR, b"no such service"), *request.echoed))
        mru = _mru(config, listener, request)
        tags = ((_SERVICE_NAME, request.services[0]), *request.echoed, *_max_payload_tag(mru))
        whose = request.line.over(line.unpacked(cargo))
        return Admitted(tags, mru, (request.cookie, request.host_uniq), whose)


def answer(listener: Listener, frame: Frame, code: int, session_id: int, tags: Iterable[Tag]) -> bytes:
    """A discovery frame back to the sender of ``frame``, with the same VLAN tags."""
    payload = pppoe.encode(code, session_id, pppoe.encode_tags(tags))
    return ethernet.encode(Frame(frame.source, listener.mac, frame.vlans, pppoe.ETHERTYPE_DISCOVERY, payload))


def _offered(config: Config, name: bytes) -> tuple[bytes, ...]:
    """The service names to offer to one who asks for ``name``: none if it is not served (RFC 2516 §5.2)."""
    if not config.service_names or name in config.service_names:
        return (name,)
    return (name, *config.service_names) if name == b"" else ()


def _mru(config: Config, listener: Listener, request: Request) -> int:
    """The largest MRU for this client: above 1492 only if it, we and the interface can (RFC 4638 §3)."""
    if request.max_payload > PPPOE_MRU:
        return max(min(request.max_payload, listener.mtu - 8, config.mtu), min(PPPOE_MRU, config.mtu))
    return min(PPPOE_MRU, config.mtu)


def _max_payload_tag(mru: int) -> tuple[Tag, ...]:
    return ((_MAX_PAYLOAD, mru.to_bytes(2, "big")),) if mru > PPPOE_MRU else ()


def _ethernet_header(frame: Frame) -> int:
    return 14 + 4 * len(frame.vlans)

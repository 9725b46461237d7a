"""PPPoE frames as plain values, with scapy as the codec: the only file of the probe that knows scapy.

Written on purpose without a line of the engine's codec, so that the two can disagree. Scapy is lenient
(it accepts lengths that overrun) and slow (0.3 to 0.8 ms a frame): right for a subscriber's few control
frames, wrong for data packets, which never come here.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from enum import IntEnum

logging.getLogger("scapy").setLevel(logging.ERROR)

from scapy.layers.l2 import Ether  # noqa: E402 - scapy speaks up while it is being imported
from scapy.layers.ppp import (  # noqa: E402
    PPP,
    PPP_LCP,
    PPP_LCP_Option,
    PPPoE,
    PPPoED,
    PPPoED_Tags,
    PPPoETag,
)

DISCOVERY = 0x8863
SESSION = 0x8864
BROADCAST = b"\xff" * 6
HEADERS = 20
MINIMUM = 60


class Code(IntEnum):
    """PPPoE codes, RFC 2516 §5."""

    PADO = 0x07
    PADI = 0x09
    PADR = 0x19
    PADS = 0x65
    PADT = 0xA7


class Tag(IntEnum):
    """PPPoE tag types, RFC 2516 Appendix A, and RFC 4638."""

    END_OF_LIST = 0x0000
    SERVICE_NAME = 0x0101
    AC_NAME = 0x0102
    HOST_UNIQ = 0x0103
    AC_COOKIE = 0x0104
    VENDOR_SPECIFIC = 0x0105
    RELAY_SESSION_ID = 0x0110
    PPP_MAX_PAYLOAD = 0x0120
    SERVICE_NAME_ERROR = 0x0201
    AC_SYSTEM_ERROR = 0x0202
    GENERIC_ERROR = 0x0203

    @property
    def title(self) -> str:
        """The name as the RFC writes it: ``AC-Cookie``."""
        words = self.name.split("_")
        return "-".join(word if word in ("AC", "PPP") else word.capitalize() for word in words)


class Protocol(IntEnum):
    """PPP protocol numbers that the probe speaks."""

    IPV4 = 0x0021
    IPCP = 0x8021
    LCP = 0xC021
    PAP = 0xC023
    CHAP = 0xC223


class Configure(IntEnum):
    """Codes that LCP and IPCP have in common, RFC 1661 §5, and LCP's own after them."""

    REQUEST = 1
    ACK = 2
    NAK = 3
    REJECT = 4
    TERMINATE_REQUEST = 5
    TERMINATE_ACK = 6
    CODE_REJECT = 7
    PROTOCOL_REJECT = 8
    ECHO_REQUEST = 9
    ECHO_REPLY = 10


Option = tuple[int, bytes]
"""A tag or a configuration option: its type and its value."""


@dataclass(frozen=True, slots=True)
class Discovery:
    """A frame of the discovery stage (ethertype 0x8863)."""

    destination: bytes
    source: bytes
    code: int
    session: int = 0
    tags: tuple[Option, ...] = ()

    def tag(self, kind: Tag) -> bytes | None:
        """The value of the first tag of a kind, or None."""
        return next((value for found, value in self.tags if found == kind), None)


@dataclass(frozen=True, slots=True)
class Control:
    """A PPP control packet in the session stage (ethertype 0x8864).

    ``data`` is what follows the packet's four-octet header; for the Configure codes of LCP and IPCP it
    stands decoded in ``options`` as well. A packet to be written gives one or the other.
    """

    destination: bytes
    source: bytes
    session: int
    protocol: int
    code: int
    identifier: int
    data: bytes = b""
    options: tuple[Option, ...] = ()


def read(frame: bytes) -> Discovery | Control | None:
    """What a frame says, or None when it is a data packet, is not PPPoE, or is beyond understanding."""
    packet = Ether(frame) if len(frame) >= HEADERS else None
    if not isinstance(packet, Ether):  # too short, or scapy took it for 802.3
        return None
    addresses = _mac(packet.dst), _mac(packet.src)
    if packet.type == DISCOVERY and PPPoED in packet:
        pppoe = packet[PPPoED]
        tags = packet[PPPoED_Tags].tag_list if PPPoED_Tags in packet else ()
        found = tuple((tag.tag_type, tag.tag_value) for tag in tags if isinstance(tag, PPPoETag))
        return Discovery(*addresses, pppoe.code, pppoe.sessionid, _until_end(found))
    if packet.type == SESSION and PPP in packet and packet[PPP].proto >= 0x8000:
        return _read_control(*addresses, packet[PPPoE].sessionid, packet[PPP])
    return None


def write(message: Discovery | Control) -> bytes:
    """The frame for a message, padded with zeros to the minimum of 60 octets."""
    packet = Ether(dst=message.destination.hex(":"), src=message.source.hex(":"))
    if isinstance(message, Discovery):
        tags = [PPPoETag(tag_type=kind, tag_value=value) for kind, value in message.tags]
        packet /= PPPoED(code=message.code, sessionid=message.session) / PPPoED_Tags(tag_list=tags)
    else:
        packet /= PPPoE(sessionid=message.session) / PPP(proto=message.protocol) / _body(message)
    return bytes(packet).ljust(MINIMUM, b"\0")


def write_options(options: tuple[Option, ...]) -> bytes:
    """Configuration options as octets, one after another."""
    return b"".join(bytes(PPP_LCP_Option(type=kind, data=value)) for kind, value in options)


def _body(message: Control) -> PPP_LCP:
    # Every control protocol has LCP's header; the generic layer leaves the data as it is given.
    data = write_options(message.options) if message.options else message.data
    return PPP_LCP(code=message.code, id=message.identifier, data=data)


def _read_control(destination: bytes, source: bytes, session: int, ppp: PPP) -> Control | None:
    raw: bytes = ppp.original[2:]
    if len(raw) < 4:
        return None
    code, identifier = raw[:2]
    data = raw[4 : int.from_bytes(raw[2:4], "big")]
    configures = ppp.proto in (Protocol.LCP, Protocol.IPCP) and code in range(
        Configure.REQUEST, Configure.REJECT + 1
    )
    options = read_options(data) if configures else ()
    return Control(destination, source, session, ppp.proto, code, identifier, data, options)


def read_options(data: bytes) -> tuple[Option, ...]:
    """Configuration options (RFC 1661 §6), as far as they can be told apart; scapy's own split loses its
    place on a known option with an unusual length.
    """
    options = []
    while len(data) >= 2 and 2 <= data[1] <= len(data):
        options.append((data[0], data[2 : data[1]]))
        data = data[data[1] :]
    return tuple(options)


def _until_end(tags: tuple[Option, ...]) -> tuple[Option, ...]:
    kinds = [kind for kind, _ in tags]
    return tags[: kinds.index(Tag.END_OF_LIST)] if Tag.END_OF_LIST in kinds else tags


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))

"""A PPPoE frame as one line of text, in the words of the RFCs.

Pure. Passwords, PAP's and what CHAP makes of them, are never shown, nor are octets of packets that are
not understood, which may contain one; text from the network is escaped.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping

from reconciler.probe.codec import BROADCAST, SESSION, Code, Control, Discovery, Option, Protocol, Tag, read
from reconciler.probe.text import readable

_SHOWN_OCTETS = 8
_PROOF = re.compile(rb"S=[0-9A-Fa-f]+")
"""What MS-CHAPv2 proves the server by (RFC 2759 §5): made from the password, like a Response."""
_HEADERS = 20

_PROTOCOLS = {
    0x0021: "IPv4",
    0x0057: "IPv6",
    0x8021: "IPCP",
    0x8057: "IPV6CP",
    0x80FD: "CCP",
    0x8281: "MPLSCP",
    0xC021: "LCP",
    0xC023: "PAP",
    0xC025: "LQR",
    0xC029: "CBCP",
    0xC223: "CHAP",
    0xC227: "EAP",
}
_CONFIGURE = {
    1: "Configure-Request",
    2: "Configure-Ack",
    3: "Configure-Nak",
    4: "Configure-Reject",
    5: "Terminate-Request",
    6: "Terminate-Ack",
    7: "Code-Reject",
    8: "Protocol-Reject",
    9: "Echo-Request",
    10: "Echo-Reply",
    11: "Discard-Request",
    12: "Identification",
    13: "Time-Remaining",
}
_PAP = {1: "Authenticate-Request", 2: "Authenticate-Ack", 3: "Authenticate-Nak"}
_CHAP = {1: "Challenge", 2: "Response", 3: "Success", 4: "Failure"}
_CHAP_ALGORITHMS = {5: "MD5", 128: "MS-CHAP", 129: "MS-CHAPv2"}
_TEXTS = {Tag.SERVICE_NAME, Tag.AC_NAME, Tag.SERVICE_NAME_ERROR, Tag.AC_SYSTEM_ERROR, Tag.GENERIC_ERROR}
_IPCP_ADDRESSES = {3: "addr", 129: "dns1", 130: "wins1", 131: "dns2", 132: "wins2"}


def decode(frame: bytes, names: Mapping[str, str] | None = None) -> str:
    """What a frame says: ``theo > SERVER  0x0007 LCP Configure-Request id 1 <mru 1492>``.

    ``names`` gives MAC addresses (``02:00:00:00:00:01``) a name. Never raises, whatever the frame.
    """
    if len(frame) < _HEADERS:
        return summary(frame)
    return f"{_name(frame[6:12], names):>8} > {_name(frame[:6], names):<8} {summary(frame)}"


def summary(frame: bytes) -> str:
    """The same without the stations: ``0x0007 LCP Configure-Request id 1 <mru 1492>``."""
    if len(frame) < _HEADERS:
        return f"a frame of {len(frame)} octets, too short for PPPoE"
    message = read(frame)
    said = _discovery(message) if isinstance(message, Discovery) else _session(frame, message)
    length = int.from_bytes(frame[18:20], "big")
    return said if length <= len(frame) - _HEADERS else f"{said} (its length of {length} runs past the frame)"


def is_data(frame: bytes) -> bool:
    """Is this a network protocol's packet in a session, of which only the number is of interest?"""
    return len(frame) > 21 and int.from_bytes(frame[12:14], "big") == SESSION and frame[20] < 0x80


def _name(mac: bytes, names: Mapping[str, str] | None) -> str:
    text = mac.hex(":")
    return "all" if mac == BROADCAST else (names or {}).get(text, text)


def _discovery(message: Discovery) -> str:
    kind = Code(message.code).name if message.code in set(Code) else f"code 0x{message.code:02x}"
    session = f" session 0x{message.session:04x}" if message.session else ""
    return " ".join([f"{kind}{session}", *(_tag(tag) for tag in message.tags)])


def _tag(tag: Option) -> str:
    kind, value = tag
    if kind not in set(Tag):
        return f"<tag 0x{kind:04x} {_octets(value)}>"
    if kind in _TEXTS:
        return f'<{Tag(kind).title} "{readable(value)}">'
    return f"<{Tag(kind).title} {_octets(value)}>"


def _session(frame: bytes, message: Control | None) -> str:
    session = int.from_bytes(frame[16:18], "big")
    if message is not None:
        return f"0x{session:04x} {_control(message)}"
    protocol = _protocol(int.from_bytes(frame[20:22], "big"))
    return f"0x{session:04x} {protocol} {'data' if is_data(frame) else 'cut short'}"


def _control(packet: Control) -> str:
    kinds, details = _VOCABULARY.get(packet.protocol, ({}, _unknown))
    kind = kinds.get(packet.code, f"code {packet.code}")
    return f"{_protocol(packet.protocol)} {kind} id {packet.identifier} {details(packet)}".rstrip()


def _lcp(packet: Control) -> str:
    data = packet.data
    if packet.code <= 4:
        return " ".join(_lcp_option(kind, value) for kind, value in packet.options)
    if packet.code in (5, 6):
        return f'"{readable(data)}"' if data else ""
    if packet.code == 7 and data:
        return f"of code {data[0]}"
    if packet.code == 8 and len(data) >= 2:
        return f"of {_protocol(int.from_bytes(data[:2], 'big'))}"
    if packet.code == 12:
        return f'"{readable(data[4:])}"'
    return f"<magic 0x{data[:4].hex()}>" if len(data) >= 4 else _unknown(packet)


def _lcp_option(kind: int, value: bytes) -> str:
    match kind, len(value):
        case 1, 2:
            return f"<mru {int.from_bytes(value, 'big')}>"
        case 3, size if size >= 2:
            algorithm = f" {_CHAP_ALGORITHMS.get(value[2], value[2])}" if size > 2 else ""
            return f"<auth {_protocol(int.from_bytes(value[:2], 'big'))}{algorithm}>"
        case 5, 4:
            return f"<magic 0x{value.hex()}>"
        case 7, 0:
            return "<pcomp>"
        case 8, 0:
            return "<accomp>"
    return f"<option {kind} {_octets(value)}>"


def _ipcp(packet: Control) -> str:
    return " ".join(_ipcp_option(kind, value) for kind, value in packet.options)


def _ipcp_option(kind: int, value: bytes) -> str:
    if kind in _IPCP_ADDRESSES and len(value) == 4:
        return f"<{_IPCP_ADDRESSES[kind]} {ipaddress.IPv4Address(value)}>"
    return f"<option {kind} {_octets(value)}>"


def _pap(packet: Control) -> str:
    size = packet.data[0] if packet.data else 0
    if len(packet.data) <= size:
        return "(malformed)"
    text = readable(packet.data[1 : 1 + size])
    return f'user "{text}" password hidden' if packet.code == 1 else f'"{text}"'


def _chap(packet: Control) -> str:
    if packet.code in (3, 4):
        return f'"{readable(_PROOF.sub(b"S=(hidden)", packet.data))}"'
    size = packet.data[0] if packet.data else 0
    if len(packet.data) <= size:
        return "(malformed)"
    value = f"value of {size} octets" if packet.code == 1 else "response hidden"
    return f'name "{readable(packet.data[1 + size :])}" {value}'


def _unknown(packet: Control) -> str:
    return f"({len(packet.data)} octets)"


def _protocol(number: int) -> str:
    return _PROTOCOLS.get(number, f"protocol 0x{number:04x}")


def _octets(value: bytes) -> str:
    shown = f"0x{value[:_SHOWN_OCTETS].hex()}" if value else "empty"
    return f"{shown}… ({len(value)} octets)" if len(value) > _SHOWN_OCTETS else shown


_VOCABULARY: dict[int, tuple[dict[int, str], Callable[[Control], str]]] = {
    Protocol.LCP: (_CONFIGURE, _lcp),
    Protocol.IPCP: (_CONFIGURE, _ipcp),
    Protocol.PAP: (_PAP, _pap),
    Protocol.CHAP: (_CHAP, _chap),
    0x8057: (_CONFIGURE, _unknown),
    0x80FD: (_CONFIGURE, _unknown),
}
"""For each protocol the names of its codes, and what describes the rest of its packets."""

"""A whole street of subscribers, frames in and frames out, cheap enough not to be what is measured.

Each dials in as pppd does: PADI to IPCP, then answers LCP echoes. The answers are looked up by a frame's
first octets and built from templates; nothing is checked that a fair server does not get wrong. Neighbours:
``load`` has the sockets and the clock. It shares no code with the engine.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import md5, sha1
from struct import Struct
from typing import Final

from Crypto.Cipher import DES
from Crypto.Hash import MD4

PASSWORD: Final = b"open sesame"
MOST: Final = 1 << 24

_MAC: Final = b"\x02\xbe\xac"
_BROADCAST: Final = b"\xff" * 6
_MAGIC: Final = b"\x2a\x2b\x2c\x2d"
_LCP_REQUEST: Final = b"\x01\x04\x05\xd4\x05\x06" + _MAGIC
_IPCP_REQUEST: Final = b"\x03\x06\0\0\0\0\x81\x06\0\0\0\0\x83\x06\0\0\0\0"
_header = Struct("!HBBHH").pack
_control = Struct("!HBBH").pack
_LCP, _PAP, _CHAP, _IPCP = 0xC021, 0xC023, 0xC223, 0x8021
_ACKED, _ACKING = 1, 2


def user(number: int) -> str:
    """The name under which a subscriber logs in."""
    return f"user{number:06}"


class Street:
    """Subscribers by number. ``open`` has those that are up, ``begun`` when each dialled, ``took`` how long
    the set-up of each took (seconds).
    """

    def __init__(self) -> None:
        self.begun: dict[int, float] = {}
        self.took: dict[int, float] = {}
        self.open: dict[int, bytes] = {}
        self.echoes = 0
        self._lower: dict[int, int] = {}
        self._upper: dict[int, int] = {}
        self._handlers: dict[bytes, Callable[[int, bytes, float], list[bytes]]] = {
            b"\x88\x63\x07": self._pado,
            b"\x88\x63\x65": self._pads,
            b"\x88\x63\xa7": self._padt,
            b"\xc0\x21\x01": self._lcp_request,
            b"\xc0\x21\x02": self._lcp_ack,
            b"\xc0\x21\x05": self._terminate,
            b"\xc0\x21\x09": self._echo,
            b"\xc0\x23\x02": self._logged_in,
            b"\xc2\x23\x01": self._challenge,
            b"\xc2\x23\x03": self._logged_in,
            b"\x80\x21\x01": self._ipcp_request,
            b"\x80\x21\x02": self._ipcp_ack,
            b"\x80\x21\x03": self._ipcp_nak,
        }

    def dial(self, number: int, now: float) -> bytes:
        """A subscriber's PADI; whatever it had is forgotten."""
        self.open.pop(number, None)
        self._lower[number] = self._upper[number] = 0
        self.begun[number] = now
        return _frame(_BROADCAST, number, 0x8863, 0x09, 0, b"\x01\x01\0\0\x01\x03\0\x04" + _host(number))

    def receive(self, frame: bytes, now: float) -> list[bytes]:
        """What whoever is addressed answers."""
        if frame[:3] != _MAC:
            return []
        discovery = frame[13] == 0x63
        handler = self._handlers.get(frame[12:14] + frame[15:16] if discovery else frame[20:23])
        return handler(int.from_bytes(frame[3:6], "big"), frame, now) if handler else []

    def _pado(self, number: int, frame: bytes, _now: float) -> list[bytes]:
        end = 20 + int.from_bytes(frame[18:20], "big")
        at = frame.index(b"\x01\x04", 20, end)
        cookie = frame[at : at + 4 + int.from_bytes(frame[at + 2 : at + 4], "big")]
        tags = b"\x01\x01\0\0\x01\x03\0\x04" + _host(number) + cookie
        return [_frame(frame[6:12], number, 0x8863, 0x19, 0, tags)]

    def _pads(self, number: int, frame: bytes, _now: float) -> list[bytes]:
        return [_reply(frame, number, _LCP, 1, 1, _LCP_REQUEST)] if frame[16:18] != b"\0\0" else []

    def _padt(self, number: int, _frame: bytes, _now: float) -> list[bytes]:
        self.open.pop(number, None)
        return []

    def _lcp_request(self, number: int, frame: bytes, _now: float) -> list[bytes]:
        self._lower[number] |= _ACKING
        return [_echoed(frame, number, _LCP, 2), *self._log_in(number, frame)]

    def _lcp_ack(self, number: int, frame: bytes, _now: float) -> list[bytes]:
        self._lower[number] |= _ACKED
        return self._log_in(number, frame)

    def _log_in(self, number: int, frame: bytes) -> list[bytes]:
        """With PAP it is the subscriber who begins; ``load`` offers one method alone."""
        if self._lower[number] != _ACKED | _ACKING or not self.speaks_first:
            return []
        name = user(number).encode()
        login = bytes([len(name)]) + name + bytes([len(PASSWORD)]) + PASSWORD
        return [_reply(frame, number, _PAP, 1, 1, login)]

    speaks_first = False
    """Whether the method is PAP."""

    def _challenge(self, number: int, frame: bytes, _now: float) -> list[bytes]:
        size = frame[26]
        challenge, name = frame[27 : 27 + size], user(number).encode()
        value = self.respond(frame[23], challenge, name)
        return [_reply(frame, number, _CHAP, 2, frame[23], bytes([len(value)]) + value + name)]

    def respond(self, identifier: int, challenge: bytes, _name: bytes) -> bytes:
        """The value of a Response (RFC 1994)."""
        return md5(bytes([identifier]) + PASSWORD + challenge, usedforsecurity=False).digest()

    def _logged_in(self, number: int, frame: bytes, _now: float) -> list[bytes]:
        return [_reply(frame, number, _IPCP, 1, 1, _IPCP_REQUEST)]

    def _ipcp_request(self, number: int, frame: bytes, now: float) -> list[bytes]:
        self._upper[number] |= _ACKING
        self._settle(number, frame, now)
        return [_echoed(frame, number, _IPCP, 2)]

    def _ipcp_ack(self, number: int, frame: bytes, now: float) -> list[bytes]:
        self._upper[number] |= _ACKED
        self._settle(number, frame, now)
        return []

    def _ipcp_nak(self, number: int, frame: bytes, _now: float) -> list[bytes]:
        return [_echoed(frame, number, _IPCP, 1)]

    def _settle(self, number: int, frame: bytes, now: float) -> None:
        if self._upper[number] == _ACKED | _ACKING and number not in self.open:
            self.open[number] = frame[6:12] + frame[16:18]
            self.took[number] = now - self.begun[number]

    def _terminate(self, number: int, frame: bytes, _now: float) -> list[bytes]:
        self.open.pop(number, None)
        return [_reply(frame, number, _LCP, 6, frame[23], b"")]

    def _echo(self, number: int, frame: bytes, _now: float) -> list[bytes]:
        self.echoes += 1
        return [_reply(frame, number, _LCP, 10, frame[23], _MAGIC)]

    def ask(self, number: int, identifier: int) -> bytes:
        """An LCP Echo-Request of a subscriber that is up."""
        where = self.open[number]
        head = _control(_LCP, 9, identifier, 8)
        return _frame(where[:6], number, 0x8864, 0, int.from_bytes(where[6:8], "big"), head + _MAGIC)


class PapStreet(Street):
    """Logs in by PAP."""

    speaks_first = True


class MsChapStreet(Street):
    """Logs in by MS-CHAPv2 (RFC 2759); all have one password, so that its keys are made once."""

    def __init__(self) -> None:
        super().__init__()
        digest = MD4.new(PASSWORD.decode().encode("utf-16-le")).digest() + bytes(5)
        self._keys = [DES.new(_spread(digest[at : at + 7]), DES.MODE_ECB) for at in (0, 7, 14)]

    def respond(self, _identifier: int, challenge: bytes, name: bytes) -> bytes:
        ours = bytes(16)
        told = sha1(ours + challenge + name, usedforsecurity=False).digest()[:8]
        return ours + bytes(8) + b"".join(key.encrypt(told) for key in self._keys) + bytes(1)


STREETS: Final = {"pap": PapStreet, "chap": Street, "mschapv2": MsChapStreet}


def _spread(key: bytes) -> bytes:
    """56 bits as the eight octets that DES takes, without parity."""
    number = int.from_bytes(key, "big")
    return bytes(number >> shift << 1 & 0xFE for shift in range(49, -1, -7))


def _host(number: int) -> bytes:
    return number.to_bytes(4, "big")


def _frame(to: bytes, number: int, ethertype: int, code: int, session: int, payload: bytes) -> bytes:
    head = to + _MAC + number.to_bytes(3, "big")
    return (head + _header(ethertype, 0x11, code, session, len(payload)) + payload).ljust(60, b"\0")


def _reply(frame: bytes, number: int, protocol: int, code: int, identifier: int, data: bytes) -> bytes:
    """A control packet in the session of ``frame``."""
    payload = _control(protocol, code, identifier, 4 + len(data)) + data
    return _frame(frame[6:12], number, 0x8864, 0, int.from_bytes(frame[16:18], "big"), payload)


def _echoed(frame: bytes, number: int, protocol: int, code: int) -> bytes:
    """The packet of ``frame`` with its own identifier and data, as another code."""
    return _reply(
        frame, number, protocol, code, frame[23], frame[26 : 22 + int.from_bytes(frame[24:26], "big")]
    )

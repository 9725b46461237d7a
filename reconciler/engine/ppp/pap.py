"""Password Authentication Protocol, the authenticator's side (RFC 1334 §2): the peer speaks first."""

from __future__ import annotations

from enum import IntEnum

from reconciler.engine.ppp.authentication import Authenticator
from reconciler.engine.ppp.policy import PapCredentials
from reconciler.engine.wire import ppp
from reconciler.engine.wire.drop import Drop, Malformed
from reconciler.engine.wire.ppp import Packet


class PapCode(IntEnum):
    """RFC 1334 §2.2."""

    AUTHENTICATE_REQUEST = 1
    AUTHENTICATE_ACK = 2
    AUTHENTICATE_NAK = 3


class Pap(Authenticator):
    """Takes names and passwords of 0 to 255 octets, whatever octets they are."""

    __slots__ = ()

    protocol = ppp.Protocol.PAP
    login = PapCode.AUTHENTICATE_REQUEST
    success = PapCode.AUTHENTICATE_ACK
    failure = PapCode.AUTHENTICATE_NAK

    def credentials(self, packet: Packet) -> PapCredentials:
        """Peer-ID and Password, each behind its length (§2.2.1); octets behind them are ignored."""
        _, _, data = packet
        name_end = 1 + data[0] if data else 1
        if len(data) <= name_end:
            raise Malformed(Drop.AUTH_FORM)
        password_end = name_end + 1 + data[name_end]
        if len(data) < password_end:
            raise Malformed(Drop.AUTH_FORM)
        return PapCredentials(data[1:name_end], data[name_end + 1 : password_end])

    def accepted(self, proof: bytes) -> bytes:  # noqa: ARG002 - PAP proves nothing to the peer
        return self.refused(b"")

    def refused(self, message: bytes) -> bytes:
        """Msg-Length, then the message; the length stands there even when it is 0 (§2.2.2)."""
        text = message[:255]
        return bytes([len(text)]) + text

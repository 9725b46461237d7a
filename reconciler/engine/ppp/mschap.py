"""Microsoft's CHAP, the authenticator's side: version 2 (RFC 2759) and version 1 (RFC 2433).

Challenges are set and responses taken as in `chap`; the two differ in what a response holds and in the texts
of Success and Failure, which clients read. What to compute is for whoever holds the secrets to know.

Deviation: some clients agree to any CHAP without looking which, and answer with MD5. Where plain CHAP is
offered as well that is taken for what it is.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar, Final

from reconciler.engine.ppp.chap import Chap
from reconciler.engine.ppp.policy import Credentials, MsChapCredentials, MsChapV2Credentials
from reconciler.engine.wire.drop import Drop, Malformed
from reconciler.engine.wire.ppp import Packet

RESPONSE_SIZE: Final = 49
"""Octets of a response's value, in both versions (RFC 2433 §4, RFC 2759 §4)."""
_USE_NT_RESPONSE: Final = 1
"""The last octet of version 1's response: that the NT response counts, not LAN Manager's (RFC 2433 §4)."""
_WRONG: Final = b"E=691 R=0"
"""ERROR_AUTHENTICATION_FAILURE, and no further try on this link: clients ask their user and dial again."""


class _MsChap(Chap):
    """What the versions share."""

    __slots__ = ()

    failure_version: ClassVar[bytes]
    """The password changing protocol that Failure names; none is spoken."""

    def credentials(self, packet: Packet) -> Credentials:
        """Value-Size, Value and Name (RFC 1994 §4.1)."""
        value, name = self.value(packet)
        if len(value) == RESPONSE_SIZE:
            return self.claim(value, name)
        if "chap" in self._policy.auth:
            return super().credentials(packet)
        raise Malformed(Drop.AUTH_FORM)

    @abstractmethod
    def claim(self, value: bytes, name: bytes) -> Credentials:
        """What a response of the right size says."""

    def refused(self, message: bytes) -> bytes:  # noqa: ARG002 - version 1 has no place for it
        """The text in which clients look for the error's number. A challenge must stand there, too."""
        challenge = self._entropy(self.challenge_size).hex().upper().encode()
        return _WRONG + b" C=" + challenge + b" V=" + self.failure_version


class MsChapV2(_MsChap):
    """RFC 2759: the peer is proven, and Success proves us to the peer."""

    __slots__ = ()

    failure_version = b"3"

    def claim(self, value: bytes, name: bytes) -> MsChapV2Credentials:
        """Peer-Challenge, eight reserved octets, NT-Response, flags (§4)."""
        return MsChapV2Credentials(name, self._challenge, value[:16], nt_response(value))

    def accepted(self, proof: bytes) -> bytes:
        """The authenticator response in upper case, with the space before the message (§5)."""
        return b"S=" + proof.hex().upper().encode() + b" M=Welcome" if proof else b""

    def refused(self, message: bytes) -> bytes:
        """As in version 1, and with a message for the user (§6)."""
        return super().refused(message) + b" M=" + message


class MsChapV1(_MsChap):
    """RFC 2433: the peer is proven, by its NT response alone."""

    __slots__ = ()

    challenge_size = 8
    failure_version = b"2"

    def claim(self, value: bytes, name: bytes) -> MsChapCredentials:
        """LAN Manager response, NT response, and which of them counts (§4)."""
        uses_nt = value[-1] == _USE_NT_RESPONSE
        return MsChapCredentials(name, self._challenge, nt_response(value) if uses_nt else b"")


def nt_response(value: bytes) -> bytes:
    """Of a response's value, in both versions (RFC 2433 §4, RFC 2759 §4)."""
    return value[24:48]

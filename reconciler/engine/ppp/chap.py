"""Challenge-Handshake Authentication Protocol with MD5, the authenticator's side (RFC 1994).

It sets challenges and takes responses; whether one is right is for whoever holds the secrets to say.
`mschap` derives Microsoft's versions from it.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from math import inf
from typing import ClassVar, Final

from reconciler.engine.ppp.authentication import Authenticator
from reconciler.engine.ppp.outputs import Output
from reconciler.engine.ppp.policy import ChapCredentials, Credentials, LinkPolicy
from reconciler.engine.wire import ppp
from reconciler.engine.wire.drop import Drop, Malformed
from reconciler.engine.wire.ppp import Packet

RESPONSE_SIZE: Final = 16
"""Octets of an MD5 digest."""


class ChapCode(IntEnum):
    """RFC 1994 §4."""

    CHALLENGE = 1
    RESPONSE = 2
    SUCCESS = 3
    FAILURE = 4


class Chap(Authenticator):
    """Each challenge has a new identifier and a new value, retransmissions too (§4.1)."""

    __slots__ = ("_challenge", "_sent")

    protocol = ppp.Protocol.CHAP
    login = ChapCode.RESPONSE
    success = ChapCode.SUCCESS
    failure = ChapCode.FAILURE

    challenge_size: ClassVar[int] = 16
    """Octets of a challenge's value."""

    def __init__(self, policy: LinkPolicy, entropy: Callable[[int], bytes], asked: int) -> None:
        super().__init__(policy, entropy, asked)
        self._identifier = entropy(1)[0]
        self._challenge = b""
        self._sent = 0

    def start(self, now: float, out: list[Output]) -> None:
        self._sent = 0
        self._send_challenge(now, out)

    def accept(self, proof: bytes, now: float, out: list[Output]) -> None:
        super().accept(proof, now, out)
        self._challenge = b""  # answered: a session keeps what it may still need
        self._ask_again_later(now)

    def resume(self, now: float) -> None:
        super().resume(now)
        self._ask_again_later(now)

    def tick(self, now: float, out: list[Output]) -> None:
        if now < self.deadline:
            return
        if self._sent < self._policy.max_configure:
            self._send_challenge(now, out)
        else:
            self.deadline = inf
            self.silent = True

    def _ask_again_later(self, now: float) -> None:
        self._sent = 0
        if self._policy.rechallenge > 0:
            self.deadline = now + self._policy.rechallenge

    def is_stale(self, identifier: int) -> bool:
        return identifier != self._identifier

    def credentials(self, packet: Packet) -> Credentials:
        response, name = self.value(packet)
        if len(response) != RESPONSE_SIZE:
            raise Malformed(Drop.AUTH_FORM)
        return ChapCredentials(name, self._identifier, self._challenge, response)

    def value(self, packet: Packet) -> tuple[bytes, bytes]:
        """Value and Name of a Response (§4.1). Raises Malformed."""
        _, _, data = packet
        if not data or len(data) <= data[0]:
            raise Malformed(Drop.AUTH_FORM)
        return data[1 : 1 + data[0]], data[1 + data[0] :]

    def _send_challenge(self, now: float, out: list[Output]) -> None:
        self._identifier = (self._identifier + 1) & 0xFF
        self._challenge = self._entropy(self.challenge_size)
        self._reply = None
        self._sent += 1
        self.deadline = now + self._policy.restart_timer
        data = bytes([self.challenge_size]) + self._challenge + self._policy.name
        out.append(ppp.encode(self.protocol, ChapCode.CHALLENGE, self._identifier, data))

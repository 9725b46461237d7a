"""What PAP and every CHAP have in common: being the authenticator (RFC 1334, RFC 1994).

Role: between `link`, which has the question answered by whoever holds the users, and the methods. It
must not know users, nor whether a login is good.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from math import inf
from typing import ClassVar

from reconciler.engine.ppp.outputs import Ask, Dropped, Output
from reconciler.engine.ppp.policy import Credentials, LinkPolicy
from reconciler.engine.wire import ppp
from reconciler.engine.wire.drop import Drop
from reconciler.engine.wire.ppp import Packet


class Authenticator(ABC):
    """One method. `pending` is the number of the `Ask` that is out, if one is, and `asked` that of the latest
    one; `deadline` is when `tick` is due (monotonic seconds). `silent`: the peer was asked as often as is
    good, and says nothing.
    """

    __slots__ = (
        "_entropy",
        "_identifier",
        "_policy",
        "_proven",
        "_reply",
        "asked",
        "deadline",
        "pending",
        "silent",
    )

    protocol: ClassVar[int]
    login: ClassVar[int]
    """Code of the packet that carries credentials."""
    success: ClassVar[int]
    failure: ClassVar[int]
    """Codes of our answers."""

    def __init__(self, policy: LinkPolicy, entropy: Callable[[int], bytes], asked: int) -> None:
        """`asked` is the number of the link's latest question, if another method has asked one: each has a
        number of its own.
        """
        self._policy = policy
        self._entropy = entropy
        self.asked = asked
        self.deadline = inf
        self.pending: int | None = None
        self.silent = False
        self._identifier = 0
        self._proven = False
        self._reply: bytes | None = None

    @abstractmethod
    def credentials(self, packet: Packet) -> Credentials:
        """What a login packet claims. Raises Malformed."""

    def start(self, now: float, out: list[Output]) -> None:  # noqa: B027 - some let the peer begin
        """LCP is open, for the first time or again."""

    def stop(self) -> None:
        """LCP is down: all proof is void, and so is the pending question."""
        self.deadline = inf
        self.pending = None
        self.silent = self._proven = False
        self._reply = None

    def tick(self, now: float, out: list[Output]) -> None:  # noqa: B027 - who has no timer, waits
        """Time has come to `now`; harmless when nothing is due."""

    def receive(self, packet: Packet, out: list[Output]) -> None:
        """A packet of this protocol, while authenticating or afterwards; a repeated login gets the same
        answer (RFC 1334 §2.2.1, RFC 1994 §4.1). Raises Malformed, with nothing done, when its inside is."""
        code, identifier, _ = packet
        if code != self.login:
            out.append(Dropped(Drop.AUTH_CODE))
        elif self.is_stale(identifier):
            out.append(Dropped(Drop.STALE_RESPONSE))
        elif self._reply is not None:
            self._answer(identifier, out)
        else:
            credentials = self.credentials(packet)
            self._identifier = identifier
            if self.pending is None:
                self.pending = self.asked = self.asked + 1
                self.deadline = inf
                out.append(Ask(credentials, self.pending, self._proven))

    def is_stale(self, identifier: int) -> bool:  # noqa: ARG002 - only who challenges can tell
        """Whether a login with this identifier comes too late."""
        return False

    def accept(self, proof: bytes, now: float, out: list[Output]) -> None:  # noqa: ARG002 - who asks again
        """The pending Ask is answered: yes. It goes to the peer's latest login."""
        self._proven = True
        self._reply = self.accepted(proof)
        self._reply_to_latest(out)

    def refuse(self, message: bytes, out: list[Output]) -> None:
        """The pending Ask is answered: no. `message` is for the peer's user."""
        self._proven = False
        self._reply = self.refused(message)
        self._reply_to_latest(out)

    def resume(self, now: float) -> None:  # noqa: ARG002 - who asks again
        """The login was good, in an earlier process: whoever repeats it is told so."""
        self._proven = True
        self._reply = self.accepted(b"")

    def accepted(self, proof: bytes) -> bytes:  # noqa: ARG002 - most prove nothing to the peer
        """The data of a Success or Ack."""
        return b""

    def refused(self, message: bytes) -> bytes:
        """The data of a Failure or Nak."""
        return message

    def _reply_to_latest(self, out: list[Output]) -> None:
        self.pending = None
        self._answer(self._identifier, out)

    def _answer(self, identifier: int, out: list[Output]) -> None:
        if self._reply is not None:
            code = self.success if self._proven else self.failure
            out.append(ppp.encode(self.protocol, code, identifier, self._reply))

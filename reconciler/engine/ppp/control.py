"""One end of LCP or of a network control protocol: RFC 1661 §4 and §5 without any option's meaning.

It turns packets and time into the events of `automaton`, performs the actions, and keeps identifiers,
counters and the restart timer. A protocol derives from `ControlProtocol` and supplies what it asks for and
its verdicts on what the peer asks for. It must not know phases or other protocols: the layer above (`link`)
acts on the `Layer` returned.

Deviations, all within the RFC's liberties: the first Configure-Request waits for the peer's, or for
`INITIAL_DELAY`, because clients are not yet listening when a session is confirmed; a request of ours that
the peer's first one crosses is sent again at once, for the same reason; the restart timer starts short and
doubles (§4.6); a second reply to one request is discarded, so that a duplicated Ack does not undo an open
link.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from enum import IntEnum
from math import inf
from typing import ClassVar, Final

from reconciler.engine.ppp.automaton import (
    CLOSE,
    CLOSED,
    CLOSING,
    INITIAL,
    OPEN,
    OPENED,
    RCA,
    RCN,
    RCR_MINUS,
    RCR_PLUS,
    REQ_SENT,
    RTA,
    RTR,
    RUC,
    RXJ_MINUS,
    RXJ_PLUS,
    STOPPING,
    TLD,
    TO_MINUS,
    TO_PLUS,
    TRANSITIONS,
    UP,
    Event,
    Layer,
)
from reconciler.engine.ppp.outputs import Dropped, Output, Reason
from reconciler.engine.ppp.policy import LinkPolicy
from reconciler.engine.wire import ppp
from reconciler.engine.wire.drop import Drop, Malformed
from reconciler.engine.wire.ppp import Option, Packet

INITIAL_DELAY: Final = 0.05
"""Seconds that our first Configure-Request waits for a sign of life."""
FIRST_TIMEOUT: Final = 1.0
"""Seconds before the first retransmission; doubled each time, up to the restart timer."""
NEVER: Final = inf


class Code(IntEnum):
    """Codes that LCP and every NCP share (RFC 1661 §5)."""

    CONFIGURE_REQUEST = 1
    CONFIGURE_ACK = 2
    CONFIGURE_NAK = 3
    CONFIGURE_REJECT = 4
    TERMINATE_REQUEST = 5
    TERMINATE_ACK = 6
    CODE_REJECT = 7


REQUEST: Final[int] = Code.CONFIGURE_REQUEST
ACK: Final[int] = Code.CONFIGURE_ACK
NAK: Final[int] = Code.CONFIGURE_NAK
REJECT: Final[int] = Code.CONFIGURE_REJECT
TERMINATE_REQUEST: Final[int] = Code.TERMINATE_REQUEST
TERMINATE_ACK: Final[int] = Code.TERMINATE_ACK
CODE_REJECT: Final[int] = Code.CODE_REJECT


_LEAVING: Final = (CLOSED, CLOSING, STOPPING)
_NOTHING: Final[Packet] = (0, 0, b"")


class ControlProtocol(ABC):
    """A negotiation. Methods append to `out` and return what the layer above has to know.

    `deadline` is when `tick` is due (monotonic seconds). `mtu` is the most octets of information that the
    peer takes. `failure` is set, and the protocol closed, once it cannot come to terms.
    """

    __slots__ = (
        "_awaiting",
        "_heard",
        "_identifier",
        "_naks",
        "_request",
        "_request_identifier",
        "_transmissions",
        "deadline",
        "failure",
        "mtu",
        "policy",
        "state",
    )

    protocol: ClassVar[int]

    def __init__(self, policy: LinkPolicy, mtu: int) -> None:
        self.policy = policy
        self.mtu = mtu
        self.state = INITIAL
        self.deadline = NEVER
        self.failure: Reason | None = None
        self._identifier = 0
        self._request = b""
        self._request_identifier = 0
        self._awaiting = False
        self._heard = False
        self._transmissions = 0
        self._naks = 0

    # What a protocol supplies

    @abstractmethod
    def reset(self) -> None:
        """An open link has gone down: forget what was conceded in its negotiation."""

    @abstractmethod
    def wanted(self) -> tuple[Option, ...]:
        """The options of our next Configure-Request."""

    @abstractmethod
    def judge(self, kind: int, value: bytes) -> bytes | None:
        """The value that we accept for the peer's option: the same (Ack), another (Nak), or none (Reject)."""

    @abstractmethod
    def agreed(self, options: tuple[Option, ...]) -> None:
        """We are acknowledging these, and all others have their defaults."""

    @abstractmethod
    def naked(self, kind: int, value: bytes) -> None:
        """The peer would rather have this value. May set `failure`."""

    @abstractmethod
    def rejected(self, kind: int) -> None:
        """The peer will not have this option. May set `failure`."""

    @abstractmethod
    def may_reject(self, kind: int, value: bytes) -> bool:
        """Whether to reject this option for good once Naks have not helped (§4.6, Max-Failure)."""

    def missing(self, kinds: AbstractSet[int]) -> tuple[Option, ...]:  # noqa: ARG002 - most need none
        """Options to append to a Nak, given what the peer asks for (§5.3). May set `failure`."""
        return ()

    def other(self, packet: Packet, now: float, out: list[Output]) -> Layer | None:
        """A packet whose code is not one of `Code`."""
        return self._event(RUC, now, out, packet)

    def code_rejected(self, code: int, identifier: int, now: float) -> None:  # noqa: B027 - most send no other
        """The peer does not know the code, which it need not know, of our packet with this identifier."""

    @property
    def exhausted(self) -> bool:
        """Whether we have sent as many Naks as is good (§4.6, Max-Failure)."""
        return self._naks >= self.policy.max_failure

    # What the layer above calls

    def open(self, now: float, out: list[Output]) -> Layer | None:
        """We want this protocol, and the layer below is there (Open, then Up)."""
        self._event(OPEN, now, out)
        return self._event(UP, now, out)

    def resume(self) -> None:
        """Be open, as an earlier process left it."""
        self.state = OPENED
        self._heard = True

    def close(self, now: float, out: list[Output]) -> Layer | None:
        """We want it no more."""
        return self._event(CLOSE, now, out)

    def give_up(self, now: float, out: list[Output]) -> Layer | None:
        """The peer rejects this whole protocol."""
        self.failure = Reason.PROTOCOL_REJECTED
        return self._event(RXJ_MINUS, now, out)

    def tick(self, now: float, out: list[Output]) -> Layer | None:
        """Time has come to `now`; harmless when nothing is due."""
        if now < self.deadline:
            return None
        closing = self.state in (CLOSING, STOPPING)
        limit = self.policy.max_terminate if closing else self.policy.max_configure
        event = TO_PLUS if self._transmissions < limit else TO_MINUS
        return self._event(event, now, out)

    def receive(self, packet: Packet, now: float, out: list[Output]) -> Layer | None:
        """A packet of this protocol, once open. Raises Malformed, with nothing done, when its inside is."""
        code, _, data = packet
        if code == REQUEST:
            return self._requested(packet, now, out)
        if ACK <= code <= REJECT:
            return self._answered(packet, now, out)
        if code == TERMINATE_REQUEST:
            return self._event(RTR, now, out, packet)
        if code == TERMINATE_ACK:
            return self._event(RTA, now, out)
        if code == CODE_REJECT:
            return self._code_rejected(data, now, out)
        return self.other(packet, now, out)

    def send(self, code: int, data: bytes, out: list[Output]) -> int:
        """Send a packet with a new identifier, which is returned."""
        self._identifier = identifier = (self._identifier + 1) & 0xFF
        out.append(ppp.encode(self.protocol, code, identifier, data))
        return identifier

    # Packets to events (RFC 1661 §5)

    def _requested(self, packet: Packet, now: float, out: list[Output]) -> Layer | None:
        _, identifier, data = packet
        options = ppp.decode_options(data)
        if self.state in _LEAVING:
            return self._event(RCR_PLUS, now, out, packet)
        if self.state is REQ_SENT and not self._heard:
            self._heard = True
            self._send_configure_request(now, out)
        self._heard = True
        code, answer = self._verdict(options)
        if self.failure is not None:
            return self.close(now, out)
        if code == ACK:
            self.agreed(options)
            self._naks = 0
            return self._event(RCR_PLUS, now, out, (code, identifier, data))
        return self._event(RCR_MINUS, now, out, (code, identifier, ppp.encode_options(answer)))

    def _verdict(self, options: tuple[Option, ...]) -> tuple[int, Iterable[Option]]:
        """Reject first, and then alone (§5.4); then Nak; an option's second appearance is rejected."""
        naks: list[Option] = []
        refused: list[Option] = []
        rejects: list[Option] = []
        seen: set[int] = set()
        for option in options:
            kind, value = option
            acceptable = None if kind in seen else self.judge(kind, value)
            seen.add(kind)
            if acceptable is None:
                rejects.append(option)
            elif acceptable != value:
                naks.append((kind, acceptable))
                refused.append(option)
        if rejects:
            return REJECT, rejects
        naks.extend(self.missing(seen))
        if not naks:
            return ACK, options
        if not self.exhausted:
            self._naks += 1
            return NAK, naks
        final = [option for option in refused if self.may_reject(*option)]
        return (REJECT, final) if final else (NAK, naks)

    def _answered(self, packet: Packet, now: float, out: list[Output]) -> Layer | None:
        code, identifier, data = packet
        if not self._awaiting or identifier != self._request_identifier:
            out.append(Dropped(Drop.UNEXPECTED_REPLY))
            return None
        if code == ACK and data == self._request:
            self._awaiting = False
            self._request = b""
            return self._event(RCA, now, out)
        reject = code == REJECT
        options = () if code == ACK else ppp.decode_options(data)
        if not options or (reject and not self._is_part_of_request(options)):
            out.append(Dropped(Drop.ALTERED_REPLY))
            return None
        self._awaiting = False
        self._heed(options, reject=reject)
        if self.failure is not None:
            return self.close(now, out)
        return self._event(RCN, now, out)

    def _heed(self, options: tuple[Option, ...], *, reject: bool) -> None:
        """A Nak may also name options that we do not use, and several values for one: the first counts
        (§5.3)."""
        kinds = {kind for kind, _ in ppp.decode_options(self._request)}
        for kind, value in options:
            if reject:
                self.rejected(kind)
            elif kind in kinds:
                kinds.discard(kind)
                self.naked(kind, value)

    def _is_part_of_request(self, options: tuple[Option, ...]) -> bool:
        """Whether these stand in our request, unmodified and in this order (§5.4)."""
        rest = iter(ppp.decode_options(self._request))
        return all(option in rest for option in options)

    def _code_rejected(self, data: bytes, now: float, out: list[Output]) -> Layer | None:
        if len(data) < ppp.HEADER or int.from_bytes(data[2:4], "big") < ppp.HEADER:
            raise Malformed(Drop.TRUNCATED)
        code = data[0]
        if REQUEST <= code <= CODE_REJECT:
            return self.give_up(now, out)
        self.code_rejected(code, data[1], now)
        return self._event(RXJ_PLUS, now, out)

    # Events to actions (RFC 1661 §4)

    def _event(self, event: Event, now: float, out: list[Output], subject: Packet = _NOTHING) -> Layer | None:
        """`subject` is the answer to send for RCR, and what was received otherwise."""
        transition = TRANSITIONS[event][self.state]
        if transition is None:
            raise ValueError(f"{event.name} in {self.state.name}")
        actions, layer, state, timed = transition
        if layer is TLD:
            self._begin()
        for action in actions:
            self._perform(action, now, out, subject)
        self.state = state
        if not timed:
            self.deadline = NEVER
        return layer

    def _begin(self) -> None:
        """Negotiate afresh, after an open link has gone down."""
        self._heard = True
        self._awaiting = False
        self._naks = 0
        self.reset()

    def _perform(self, action: str, now: float, out: list[Output], subject: Packet) -> None:
        match action:
            case "irc":
                self._transmissions = 0
            case "scr":
                self._send_configure_request(now, out)
            case "sca" | "scn" | "ser":
                out.append(ppp.encode(self.protocol, *subject))
            case "sta":
                out.append(ppp.encode(self.protocol, TERMINATE_ACK, subject[1], b""))
            case "str":
                self._awaiting = False
                self.send(TERMINATE_REQUEST, b"", out)
                self._transmissions += 1
                self.deadline = now + self.policy.restart_timer
            case "zrc":
                self._transmissions = self.policy.max_terminate
                self.deadline = now + self.policy.restart_timer
            case "scj":
                rejected = ppp.encode(self.protocol, *subject)[2:]
                self.send(CODE_REJECT, rejected[: self.mtu - ppp.HEADER], out)

    def _send_configure_request(self, now: float, out: list[Output]) -> None:
        """The first waits for a sign of life; one that has not been answered is repeated as it was."""
        if not self._heard and self.deadline == NEVER:
            self.deadline = now + INITIAL_DELAY
            return
        if not self._awaiting:
            self._awaiting = True
            self._request = ppp.encode_options(self.wanted())
            self._request_identifier = self.send(REQUEST, self._request, out)
        else:
            out.append(ppp.encode(self.protocol, REQUEST, self._request_identifier, self._request))
        timeout = FIRST_TIMEOUT * 2**self._transmissions
        self.deadline = now + min(timeout, self.policy.restart_timer)
        self._transmissions += 1

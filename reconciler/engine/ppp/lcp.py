"""Link Control Protocol: its options and its extra packets (RFC 1661 §5.8, §6; RFC 2516 §7; RFC 1570).

We ask for MRU, Authentication-Protocol and Magic-Number, and take MRU and Magic-Number; all else is
rejected, as PPPoE wants. Role: one of the protocols on `control`; `link` acts on the outcome. It must not
know users or networks.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from typing import Final

from reconciler.engine.ppp.automaton import OPENED, RXR, Layer
from reconciler.engine.ppp.control import ControlProtocol
from reconciler.engine.ppp.echo import Keepalive
from reconciler.engine.ppp.outputs import Dropped, Output, Reason
from reconciler.engine.ppp.policy import LinkPolicy
from reconciler.engine.wire import ppp
from reconciler.engine.wire.drop import Drop, Malformed
from reconciler.engine.wire.ppp import Option, Packet

DEFAULT_MRU: Final = 1500
"""What a peer takes that does not say (RFC 1661 §6.1)."""
SMALLEST_MRU: Final = 68
LOOPBACKS: Final = 3
"""So many of our own Magic-Numbers received mean that the line loops (§6.4)."""

_AUTH_VALUES: Final = {
    "mschapv2": b"\xc2\x23\x81",
    "chap": b"\xc2\x23\x05",
    "mschap": b"\xc2\x23\x80",
    "pap": b"\xc0\x23",
}
"""The option's value for each method: a protocol, and for CHAP the algorithm (RFC 1994 §3)."""
_AUTH_METHODS: Final = {value: method for method, value in _AUTH_VALUES.items()}
_NO_MAGIC: Final = bytes(4)
_NONE: Final[frozenset[int]] = frozenset()


class LcpCode(IntEnum):
    """Codes beyond those shared with NCPs (RFC 1661 §5.7-5.9, RFC 1570 §1)."""

    PROTOCOL_REJECT = 8
    ECHO_REQUEST = 9
    ECHO_REPLY = 10
    DISCARD_REQUEST = 11
    IDENTIFICATION = 12
    TIME_REMAINING = 13


_ECHO_REQUEST: Final[int] = LcpCode.ECHO_REQUEST
_ECHOES: Final[tuple[int, int]] = (LcpCode.ECHO_REQUEST, LcpCode.ECHO_REPLY)
_NO_ANSWER: Final[tuple[int, int, int]] = (
    LcpCode.DISCARD_REQUEST,
    LcpCode.IDENTIFICATION,
    LcpCode.TIME_REMAINING,
)


class LcpOption(IntEnum):
    """The options that have a meaning here (RFC 1661 §6)."""

    MRU = 1
    AUTH = 3
    MAGIC = 5


_MRU: Final[int] = LcpOption.MRU
_AUTH: Final[int] = LcpOption.AUTH
_MAGIC: Final[int] = LcpOption.MAGIC


class Lcp(ControlProtocol):
    """`auth` is the method that we ask for and, once opened, the one agreed."""

    __slots__ = (
        "_entropy",
        "_loopbacks",
        "_magic",
        "_methods",
        "_mru",
        "_mru_doubted",
        "_peer_magic",
        "_suggested",
        "_without",
        "auth",
        "keepalive",
    )

    protocol = ppp.Protocol.LCP

    def __init__(self, policy: LinkPolicy, entropy: Callable[[int], bytes]) -> None:
        self._entropy = entropy
        self._loopbacks = 0
        self._magic = self._peer_magic = self._suggested = _NO_MAGIC
        self.keepalive = Keepalive(policy.echo_interval, policy.echo_failures)
        super().__init__(policy, min(DEFAULT_MRU, policy.mru))
        self.reset()

    def reset(self) -> None:
        self.keepalive.stop()
        self._magic = self._new_magic()
        self._without = _NONE
        self._mru = self.policy.mru
        self._mru_doubted = False
        self._methods = self.policy.auth
        self.auth = self._methods[0]

    # Our request

    def wanted(self) -> tuple[Option, ...]:
        options = (
            (_MRU, self._mru.to_bytes(2, "big")),
            (_AUTH, _AUTH_VALUES[self.auth]),
            (_MAGIC, self._magic),
        )
        if not self._without:
            return options
        return tuple(option for option in options if option[0] not in self._without)

    def naked(self, kind: int, value: bytes) -> None:
        if kind == _MRU:
            self._doubt_mru(value)
        elif kind == _AUTH:
            self._try_next_method(value)
        elif kind == _MAGIC:
            if value == self._suggested:
                self._note_loopback()
            self._magic = self._new_magic()

    def rejected(self, kind: int) -> None:
        if kind == _AUTH:
            # A looped line returns our own refusal to authenticate ourselves.
            self.failure = Reason.LOOPBACK if self._loopbacks else Reason.AUTH_REFUSED
            return
        self._without |= {kind}
        if kind == _MAGIC:
            self._magic = _NO_MAGIC

    def _doubt_mru(self, value: bytes) -> None:
        """Ask for less if that is wanted. Who wants more than PPPoE carries is asked once more, then not."""
        if self.policy.min_mru <= int.from_bytes(value, "big") < self._mru:
            self._mru = int.from_bytes(value, "big")
        elif self._mru_doubted:
            self._without |= {_MRU}
        else:
            self._mru_doubted = True

    def _try_next_method(self, suggestion: bytes) -> None:
        self._methods = tuple(method for method in self._methods if method != self.auth)
        if not self._methods:
            self.failure = Reason.AUTH_REFUSED
            return
        method = _AUTH_METHODS.get(suggestion)
        self.auth = method if method in self._methods else self._methods[0]

    # The peer's request

    def judge(self, kind: int, value: bytes) -> bytes | None:
        if kind == _MRU:
            return self._judge_mru(value)
        if kind == _MAGIC:
            return self._judge_magic(value)
        return None

    def _judge_mru(self, value: bytes) -> bytes:
        most = self.policy.mru
        least = max(self.policy.min_mru, SMALLEST_MRU)
        acceptable = len(value) == 2 and least <= int.from_bytes(value, "big") <= most
        return value if acceptable else most.to_bytes(2, "big")

    def _judge_magic(self, value: bytes) -> bytes:
        if len(value) == 4 and value not in (_NO_MAGIC, self._magic):
            return value
        if value == self._magic != _NO_MAGIC:
            self._note_loopback()
        self._suggested = self._new_magic()
        return self._suggested

    def may_reject(self, kind: int, value: bytes) -> bool:  # noqa: ARG002 - whatever its value
        """Whoever asks for a Magic-Number may not reject the peer's (§6.4)."""
        return kind != _MAGIC

    def agreed(self, options: tuple[Option, ...]) -> None:
        values = dict(options)
        mru = values.get(_MRU)
        self.mtu = min(self.policy.mru, DEFAULT_MRU if mru is None else int.from_bytes(mru, "big"))
        self._peer_magic = values.get(_MAGIC, _NO_MAGIC)

    def resume_with(self, auth: str, magic: bytes, peer_magic: bytes, mtu: int) -> None:
        """Be open, as agreed in an earlier process."""
        self.resume()
        self.auth, self.mtu = auth, mtu
        self._magic, self._peer_magic = magic, peer_magic

    @property
    def magics(self) -> tuple[bytes, bytes]:
        """Our Magic-Number and the peer's."""
        return self._magic, self._peer_magic

    # Packets that only LCP has

    def other(self, packet: Packet, now: float, out: list[Output]) -> Layer | None:
        code, _, data = packet
        if code in _NO_ANSWER:
            if len(data) < len(_NO_MAGIC):
                raise Malformed(Drop.TRUNCATED)
            return None
        if code not in _ECHOES:
            return super().other(packet, now, out)
        if len(data) < len(_NO_MAGIC):
            raise Malformed(Drop.TRUNCATED)
        if self.state is not OPENED:
            out.append(Dropped(Drop.PPP_PHASE))
            return None
        return self._echo(packet, now, out)

    def _echo(self, packet: Packet, now: float, out: list[Output]) -> Layer | None:
        code, identifier, data = packet
        magic = data[:4]
        if magic == self._magic and magic not in (self._peer_magic, _NO_MAGIC):
            self._note_loopback()
            return None if self.failure is None else self.close(now, out)
        if magic != self._peer_magic:
            out.append(Dropped(Drop.FOREIGN_MAGIC))
        elif code == _ECHO_REQUEST:
            reply = (self._magic + data[4:])[: self.mtu - ppp.HEADER]
            return self._event(RXR, now, out, (LcpCode.ECHO_REPLY, identifier, reply))
        elif identifier != self.keepalive.asked:
            out.append(Dropped(Drop.STALE_ECHO))
        else:
            self.keepalive.answered(now)
        return None

    def code_rejected(self, code: int, identifier: int, now: float) -> None:
        """Who does not know our Echo-Request is there; unless it is asked again, it could leave unnoticed."""
        if code == _ECHO_REQUEST and identifier == self.keepalive.asked:
            self.keepalive.answered(now)

    def reject_protocol(self, payload: bytes, out: list[Output]) -> None:
        """Tell the peer that we do not speak the protocol of this payload (§5.7)."""
        self.send(LcpCode.PROTOCOL_REJECT, payload[: self.mtu - ppp.HEADER], out)

    def tick(self, now: float, out: list[Output]) -> Layer | None:
        if now >= self.keepalive.deadline:
            if self.keepalive.lost:
                self.failure = Reason.ECHO_TIMEOUT
                return self.close(now, out)
            self.keepalive.ask(self.send(LcpCode.ECHO_REQUEST, self._magic, out), now)
        return super().tick(now, out)

    # Magic-Number (§6.4)

    def _note_loopback(self) -> None:
        self._loopbacks += 1
        if self._loopbacks >= LOOPBACKS:
            self.failure = Reason.LOOPBACK

    def _new_magic(self) -> bytes:
        magic = self._entropy(4)
        while magic in (_NO_MAGIC, self._magic):
            magic = (int.from_bytes(magic, "big") + 1 & 0xFFFFFFFF).to_bytes(4, "big")
        return magic

"""What the reference subscriber negotiates with: its own codec, its quirks, and one Configure exchange.

Written from the RFCs as flags and timers, not as the automaton's table; shares no code with the engine, so
that a mistake in one is not repeated in the other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

LCP, PAP, CHAP, IPCP, IPV6CP, CCP = 0xC021, 0xC023, 0xC223, 0x8021, 0x8057, 0x80FD
REQUEST, ACK, NAK, REJECT, TERM_REQUEST, TERM_ACK, CODE_REJECT, PROTOCOL_REJECT, ECHO, ECHO_REPLY = range(
    1, 11
)
AUTH_OPTIONS = {
    "pap": b"\xc0\x23",
    "chap": b"\xc2\x23\x05",
    "mschap": b"\xc2\x23\x80",
    "mschapv2": b"\xc2\x23\x81",
}
ZERO = bytes(4)

Option = tuple[int, bytes]
Verdict = tuple[int, bytes]
"""ACK, NAK or REJECT, and the value to answer with."""

WINDOWS_LCP: tuple[Option, ...] = (
    (7, b""),
    (8, b""),
    (13, b"\x06"),
    (17, b"\x06\x4e"),
    (19, b"\x01" + bytes(range(20))),
    (23, b"\x00\xd7"),
)
"""What RASPPPOE asks for beside MRU and Magic-Number."""

PPPD_VJ: Option = (2, b"\x00\x2d\x0f\x01")


@dataclass(frozen=True, slots=True)
class Quirks:
    """How this subscriber differs from a plain one. Times in seconds."""

    mru: int | None = 1492
    lcp_first: tuple[Option, ...] = ()
    """Asked for before MRU and Magic-Number, and ``lcp_extra`` behind them."""
    lcp_extra: tuple[Option, ...] = ()
    methods: tuple[str, ...] = ("mschapv2", "chap", "pap")
    any_chap: bool = False
    """Agree to every CHAP, and answer it with MD5."""
    like_pppd: bool = False
    """Hash the octets of a password, not its characters."""
    address: bytes = ZERO
    dns: bool = True
    wins: bool = False
    vj: bool = False
    ccp: bool = False
    endless_ccp: bool = False
    """Ask for compression again a second after each Protocol-Reject."""
    ipv6cp: bool = False
    ipv6cp_terminates: bool = False
    """Close IPV6CP as soon as it is open."""
    protocols: tuple[int, ...] = ()
    """Other network control protocols to ask for."""
    nak_mru: int | None = None
    """Insist on this value against the server's MRU (routers of two large vendors)."""
    identification: bool = False
    """Send LCP Identification before the CHAP Response (Windows)."""
    echo_at_open: bool = False
    """Send an Echo-Request with the last Configure-Ack (pppd)."""
    ignore_requests: int = 0
    """Lose this many of the server's first Configure-Requests."""
    first_identifier: int = 1
    restart: float = 3.0
    tries: int = 10


def control(protocol: int, code: int, identifier: int, data: bytes = b"") -> bytes:
    return protocol.to_bytes(2, "big") + bytes([code, identifier]) + (len(data) + 4).to_bytes(2, "big") + data


def pack(options: list[Option]) -> bytes:
    return b"".join(bytes([kind, len(value) + 2]) + value for kind, value in options)


def unpack(data: bytes) -> list[Option]:
    options = []
    while data:
        options.append((data[0], data[2 : data[1]]))
        data = data[data[1] :]
    return options


class Negotiation:
    """One Configure exchange: our request until it is acknowledged, the server's until we acknowledge it."""

    def __init__(
        self, protocol: int, wanted: list[Option], judge: Callable[[int, bytes], Verdict], quirks: Quirks
    ) -> None:
        self.protocol, self.wanted, self.judge, self.quirks = protocol, dict(wanted), judge, quirks
        self.identifier = quirks.first_identifier - 1
        self.sent: bytes | None = None
        self.acked_us = self.acked_them = self.stopped = False
        self.next: float | None = None
        self.tries = 0
        self.remaining_deaf = quirks.ignore_requests if protocol == LCP else 0

    @property
    def opened(self) -> bool:
        return self.acked_us and self.acked_them and not self.stopped

    def request(self, now: float) -> list[bytes]:
        self.acked_us = False
        self.identifier = (self.identifier + 1) & 0xFF
        self.sent = pack(list(self.wanted.items()))
        self.next = now + self.quirks.restart
        return [control(self.protocol, REQUEST, self.identifier, self.sent)]

    def start(self, now: float) -> list[bytes]:
        self.tries = self.quirks.tries
        return self.request(now)

    def stop(self) -> None:
        self.stopped, self.next = True, None

    def tick(self, now: float) -> list[bytes]:
        if self.next is None or now < self.next:
            return []
        if not self.tries:
            self.stop()
            return []
        self.tries -= 1
        return self.request(now)

    def receive(self, code: int, identifier: int, data: bytes, now: float) -> list[bytes]:
        if self.stopped:
            return []
        if code == REQUEST:
            return self._requested(identifier, data, now)
        if self.sent is None or self.acked_us or identifier != self.identifier:
            return []
        if code == ACK and data == self.sent:
            self.acked_us = True
        elif code in (NAK, REJECT):
            for kind, value in unpack(data):
                if code == NAK and kind in self.wanted:
                    self.wanted[kind] = value
                elif code == REJECT:
                    self.wanted.pop(kind, None)
            return self.request(now)
        if self.opened:
            self.next = None
        return []

    def _requested(self, identifier: int, data: bytes, now: float) -> list[bytes]:
        if self.remaining_deaf:
            self.remaining_deaf -= 1
            return []
        out = self.start(now) if self.sent is None or self.opened else []
        options = unpack(data)
        verdicts = [(kind, self.judge(kind, value)) for kind, value in options]
        for answer in (REJECT, NAK):
            chosen = [(kind, value) for kind, (code, value) in verdicts if code == answer]
            if chosen:
                self.acked_them = False
                return [*out, control(self.protocol, answer, identifier, pack(chosen))]
        self.acked_them = True
        if self.opened:
            self.next = None
        return [*out, control(self.protocol, ACK, identifier, data)]

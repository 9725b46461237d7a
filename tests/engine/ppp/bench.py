"""A link on the bench: one test plays the subscriber octet by octet and sees all that comes back.

Packets are built and read with the reference peer's codec, not with the engine's.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import NamedTuple, TypeAlias

from reconciler.engine.ppp.link import Dropped, Grant, Link, LinkPolicy, Output
from tests.peer_negotiation import (
    ACK,
    CHAP,
    CODE_REJECT,
    ECHO,
    ECHO_REPLY,
    IPCP,
    IPV6CP,
    LCP,
    NAK,
    PAP,
    PROTOCOL_REJECT,
    REJECT,
    REQUEST,
    TERM_ACK,
    TERM_REQUEST,
    control,
    pack,
    unpack,
)

__all__ = [
    "ACK",
    "CHAP",
    "CODE_REJECT",
    "ECHO",
    "ECHO_REPLY",
    "IPCP",
    "IPV6CP",
    "LCP",
    "NAK",
    "PAP",
    "PROTOCOL_REJECT",
    "REJECT",
    "REQUEST",
    "TERM_ACK",
    "TERM_REQUEST",
    "Bench",
    "Seen",
    "codes",
    "options",
]

MAGIC = (5, b"HOST")
OUR_ADDRESS, ADDRESS = b"\x0a\0\0\x01", b"\x0a\0\0\x02"
DNS = (b"\x08\x08\x08\x08", b"\x08\x08\x04\x04")
WINS = (b"\x0a\0\0\x0a", b"\x0a\0\0\x0b")
GRANT = Grant(ADDRESS, OUR_ADDRESS, DNS, WINS)


class Seen(NamedTuple):
    """A control packet that the link sent."""

    protocol: int
    code: int
    identifier: int
    data: bytes

    @property
    def options(self) -> list[tuple[int, bytes]]:
        return unpack(self.data)


Outcome: TypeAlias = Seen | Output


def options(*some: tuple[int, bytes]) -> bytes:
    return pack(list(some))


def codes(outcome: list[Outcome]) -> list[tuple[int, int]]:
    """Protocol and code of each packet among these."""
    return [(seen.protocol, seen.code) for seen in outcome if isinstance(seen, Seen)]


def see(output: Output) -> Outcome:
    if not isinstance(output, bytes):
        return output
    length = int.from_bytes(output[4:6], "big")
    assert length == len(output) - 2, f"Length {length} of a packet of {len(output) - 2} octets"
    return Seen(int.from_bytes(output[:2], "big"), output[2], output[3], output[6:])


class Bench:
    """`link` at virtual time `now`; keywords are LinkPolicy's. `log` keeps all that it has put out.

    It offers CHAP before PAP unless told otherwise.
    """

    def __init__(self, **policy: object) -> None:
        self.policy = LinkPolicy(**{"name": b"AC", "auth": ("chap", "pap"), **policy})  # type: ignore[arg-type]
        self.link = Link(self.policy, Random(7).randbytes)
        self.now = 0.0
        self.log: list[Outcome] = []
        self.note(self.link.open(self.now))

    def note(self, outputs: list[Output]) -> list[Outcome]:
        outcome = [see(output) for output in outputs]
        self.log += outcome
        return outcome

    # What the subscriber says

    def raw(self, payload: bytes) -> list[Outcome]:
        return self.note(self.link.receive(payload, self.now))

    def say(self, protocol: int, code: int, identifier: int, data: bytes = b"") -> list[Outcome]:
        return self.raw(control(protocol, code, identifier, data))

    def lcp(self, code: int, identifier: int, data: bytes = b"") -> list[Outcome]:
        return self.say(LCP, code, identifier, data)

    def ipcp(self, code: int, identifier: int, data: bytes = b"") -> list[Outcome]:
        return self.say(IPCP, code, identifier, data)

    def acknowledge(self, request: Outcome) -> list[Outcome]:
        assert isinstance(request, Seen)
        return self.say(request.protocol, ACK, request.identifier, request.data)

    # What the holder of the link says

    def grant(self, number: int | None = None, proof: bytes = b"") -> list[Outcome]:
        """Answer the question that is open, or the one with this number."""
        granted = replace(GRANT, proof=proof)
        return self.note(self.link.grant(self._question(number), granted, self.now))

    def refuse(self, number: int | None = None) -> list[Outcome]:
        return self.note(self.link.refuse(self._question(number), b"no", self.now))

    def _question(self, number: int | None) -> int:
        return number or self.link.asking or 0

    def close(self, reason: str = "admin") -> list[Outcome]:
        return self.note(self.link.close(reason, self.now))

    def wait(self, seconds: float) -> list[Outcome]:
        """Let time pass, ticking the link whenever it asks to be."""
        outcome: list[Outcome] = []
        end = self.now + seconds
        ticks = 0
        while (due := self.link.deadline()) is not None and due <= end:
            ticks += 1
            assert ticks < 1000, "the link's deadline does not move on"
            self.now = max(self.now, due)
            outcome += self.note(self.link.tick(self.now))
        self.now = end
        return outcome

    # Short cuts through what is not being tested

    def request(self, protocol: int = LCP) -> Seen:
        """Our latest Configure-Request."""
        requests = [seen for seen in self.seen(REQUEST) if seen.protocol == protocol]
        assert requests, "the link has not asked for anything yet"
        return requests[-1]

    def seen(self, code: int) -> list[Seen]:
        return [seen for seen in self.log if isinstance(seen, Seen) and seen.code == code]

    def drops(self) -> list[str]:
        return [str(output.reason) for output in self.log if isinstance(output, Dropped)]

    def open_lcp(self, *asked: tuple[int, bytes]) -> list[Outcome]:
        """Take LCP to Opened, asking for these options and Magic-Number; gives what the opening put out."""
        self.lcp(REQUEST, 1, options(*asked, MAGIC))
        return self.acknowledge(self.request())

    def log_in(self) -> list[Outcome]:
        """Take the link to the network phase, by PAP or CHAP; gives what the grant put out."""
        opened = self.open_lcp()
        challenge = next((seen for seen in opened if isinstance(seen, Seen)), None)
        if challenge is None:
            self.say(PAP, 1, 1, b"\x04theo\x04test")
        else:
            self.say(CHAP, 2, challenge.identifier, b"\x10" + bytes(16) + b"theo")
        return self.grant()

    def open_network(self) -> list[Outcome]:
        """Take the link all the way up; gives what the opening of IPCP put out."""
        self.log_in()
        self.ipcp(REQUEST, 1, options((3, ADDRESS)))
        return self.acknowledge(self.request(IPCP))

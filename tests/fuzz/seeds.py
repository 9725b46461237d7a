"""Where fuzzing starts from: real-looking dialogues, packets and files, so that no first step is lost."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from random import Random

from reconciler.engine.access.effects import Effect, Send
from tests.engine.access.bench import Bench
from tests.engine.datapath.test_forward import frame, packet
from tests.engine.datapath.test_segments import SYN, handshake, size
from tests.personas import PERSONAS
from tests.site.samples import FLAWS, GOOD

STORIES = 64


def seeds(target: str) -> Iterator[bytes]:
    """Some inputs for a target."""
    match target:
        case "wire" | "show":
            yield from dialogues()
        case "datapath":
            yield from packets()
        case "site":
            yield GOOD.encode()
            yield from (flaw.text.encode() if isinstance(flaw.text, str) else flaw.text for flaw in FLAWS)
        case _:
            chance = Random(1)
            yield from (chance.randbytes(chance.randrange(50, 600)) for _ in range(STORIES))


class Tapped(Bench):
    """A bench that keeps what the clients say."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[bytes] = []

    def receive(self, data: bytes, interface: str = "eth0") -> list[Effect]:
        self.said.append(data)
        return super().receive(data, interface)


def dialogues() -> Iterator[bytes]:
    """What every kind of client and the concentrator say to each other, each frame once."""
    frames: dict[bytes, None] = {}
    for n, persona in enumerate(PERSONAS.values()):
        bench = Tapped()
        client = bench.dial(persona.subscriber(b"\x02\xc1\0\0\0" + bytes([n])))
        bench.to_ac(client.hangup(bench.now))
        sent = [effect.frame for effect in bench.log if isinstance(effect, Send)]
        frames |= dict.fromkeys([*bench.said, *sent])
    yield from frames


def packets() -> Iterator[bytes]:
    """Frames with a subscriber's packets."""
    yield frame(packet())
    yield frame(packet(), tail=b"behind the end")
    yield frame(packet(body=bytes(1400)))
    opening = handshake(b"\x01" + size(1460), SYN)
    yield frame(opening[:12] + packet()[12:16] + opening[16:])
    yield frame(
        struct.pack("!BBHHHBBH", 0x46, 0, 24, 0, 0x2000, 64, 1, 0) + packet()[12:20] + b"\x94\x04\0\0"
    )

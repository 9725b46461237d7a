"""Frames bent: what a broken client, a broken line or a hostile neighbour makes of a good frame."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.fuzz.choices import Choices

MACS = tuple(bytes.fromhex(f"02c1000000{n:02x}") for n in range(1, 5))
ODD = (0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0F, 0x10, 0x11, 0x7F, 0x80, 0xFE, 0xFF)
"""Octets that mean something somewhere: lengths, codes, VER and TYPE."""
PLACES = (14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27)
"""Where the headers' fields stand in an untagged frame."""


def mutated(frame: bytes, others: Sequence[bytes], choices: Choices) -> bytes:
    """The frame with one to four things done to it; ``others`` are frames to take pieces from."""
    for _ in range(1 + choices.number(4)):
        frame = choices.pick(_WAYS)(frame, others, choices)
    return frame


def _flip(frame: bytes, _others: Sequence[bytes], choices: Choices) -> bytes:
    """One bit, anywhere."""
    if not frame:
        return frame
    place = choices.number(len(frame))
    changed = bytearray(frame)
    changed[place] ^= 1 << choices.number(8)
    return bytes(changed)


def _set(frame: bytes, _others: Sequence[bytes], choices: Choices) -> bytes:
    """One octet of the headers, or behind them, to a value that means something."""
    place = choices.pick(PLACES) + (choices.number(64) if choices.number(2) else 0)
    changed = bytearray(frame.ljust(place + 1, b"\0"))
    changed[place] = choices.pick(ODD)
    return bytes(changed)


def _cut(frame: bytes, _others: Sequence[bytes], choices: Choices) -> bytes:
    """Lose the end."""
    return frame[: choices.number(len(frame) + 1)]


def _grow(frame: bytes, _others: Sequence[bytes], choices: Choices) -> bytes:
    """Gain octets at the end, up to far too many."""
    return frame + choices.octets(8) * choices.pick((1, 4, 180, 1000))


def _splice(frame: bytes, others: Sequence[bytes], choices: Choices) -> bytes:
    """The headers of one frame and the end of another."""
    if not others:
        return frame
    place = choices.number(64)
    return frame[:place] + choices.pick(others)[place:]


def _insert(frame: bytes, _others: Sequence[bytes], choices: Choices) -> bytes:
    """A few octets in between, with LENGTH made right again or not."""
    place = 20 + choices.number(64)
    piece = choices.octets(1 + choices.number(8))
    longer = bytearray(frame[:place] + piece + frame[place:])
    if choices.number(2) and len(longer) > 20:
        length = int.from_bytes(longer[18:20], "big") + len(piece)
        longer[18:20] = (length & 0xFFFF).to_bytes(2, "big")
    return bytes(longer)


def _inside(frame: bytes, _others: Sequence[bytes], choices: Choices) -> bytes:
    """One octet of the payload, or its end, with every length before it still right."""
    length = int.from_bytes(frame[18:20], "big")
    payload = bytearray(frame[20 : 20 + length])
    if len(payload) < 2:
        return frame
    payload[choices.number(len(payload))] = choices.number(256)
    if choices.number(4) == 0:
        del payload[choices.number(len(payload)) :]
    return frame[:18] + len(payload).to_bytes(2, "big") + bytes(payload)


def _stranger(frame: bytes, _others: Sequence[bytes], choices: Choices) -> bytes:
    """Sent by somebody else."""
    return frame[:6] + choices.pick(MACS) + frame[12:]


def _elsewhere(frame: bytes, _others: Sequence[bytes], choices: Choices) -> bytes:
    """Sent to somebody else, or to all."""
    return choices.pick((*MACS, b"\xff" * 6, b"\x01\0\x5e\0\0\1")) + frame[6:]


def _turned(frame: bytes, _others: Sequence[bytes], _choices: Choices) -> bytes:
    """Sent back to where it came from."""
    return frame[6:12] + frame[:6] + frame[12:]


def _tagged(frame: bytes, _others: Sequence[bytes], choices: Choices) -> bytes:
    """Behind a VLAN tag."""
    return (
        frame[:12] + choices.pick((b"\x81\0", b"\x88\xa8")) + choices.octets(2).ljust(2, b"\0") + frame[12:]
    )


_WAYS: tuple[Callable[[bytes, Sequence[bytes], Choices], bytes], ...] = (
    _flip,
    _set,
    _set,
    _cut,
    _grow,
    _splice,
    _insert,
    _inside,
    _inside,
    _inside,
    _stranger,
    _elsewhere,
    _turned,
    _tagged,
)

"""The Data Encryption Standard (FIPS 46-3), one block in one direction: what MS-CHAP responses are made of.

A key of 56 bits protects nothing any more, and this serves nothing else. Every permutation of the standard is
a table of bit numbers below, counted from 1 at the most significant bit, and is compiled at the first use
into lookups of a whole octet at a time: the key schedule, too, since each bit of a subkey is one of the key.
Both halves are kept expanded to 48 bits from beginning to end, so that a round is its S-boxes and no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from struct import Struct
from typing import Final, NamedTuple

_SUBKEYS: Final = Struct(">16Q")
"""Each subkey of 48 bits as a word of 64."""
_Lookup = tuple[tuple[int, ...], ...]
"""For each octet of the input, or each six bits, what each of their values adds to the output."""


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split()))


_INITIAL: Final = _numbers("""
    58 50 42 34 26 18 10 2 60 52 44 36 28 20 12 4 62 54 46 38 30 22 14 6 64 56 48 40 32 24 16 8
    57 49 41 33 25 17  9 1 59 51 43 35 27 19 11 3 61 53 45 37 29 21 13 5 63 55 47 39 31 23 15 7
""")
_P: Final = _numbers("16 7 20 21 29 12 28 17 1 15 23 26 5 18 31 10 2 8 24 14 32 27 3 9 19 13 30 6 22 11 4 25")
_EXPANSION: Final = tuple((4 * box + offset) % 32 + 1 for box in range(8) for offset in range(-1, 5))
_CHOICE_1: Final = _numbers("""
    57 49 41 33 25 17 9 1 58 50 42 34 26 18 10 2 59 51 43 35 27 19 11 3 60 52 44 36
    63 55 47 39 31 23 15 7 62 54 46 38 30 22 14 6 61 53 45 37 29 21 13 5 28 20 12 4
""")
_CHOICE_2: Final = _numbers("""
    14 17 11 24 1 5 3 28 15 6 21 10 23 19 12 4 26 8 16 7 27 20 13 2
    41 52 31 37 47 55 30 40 51 45 33 48 44 49 39 56 34 53 46 42 50 36 29 32
""")
_ROTATIONS: Final = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)
_S: Final = (
    "e4d12fb83a6c5907 0f74e2d1a6cb9538 41e8d62bfc973a50 fc8249175b3ea06d",
    "f18e6b34972dc05a 3d47f28ec01a69b5 0e7ba4d158c6932f d8a13f42b67c05e9",
    "a09e63f51dc7b428 d709346a285ecbf1 d6498f30b12c5ae7 1ad069874fe3b52c",
    "7de3069a1285bc4f d8b56f03472c1ae9 a690cb7df13e5284 3f06a1d8945bc72e",
    "2c417ab6853fd0e9 eb2c47d150fa3986 421bad78f9c5630e b8c71e2d6f09a453",
    "c1af92680d34e75b af427c9561de0b38 9ef528c3704a1db6 432c95fabe17608d",
    "4b2ef08d3c975a61 d0b7491ae35c2f86 14bdc37eaf680592 6bd814a7950fe23c",
    "d2846fb1a93e50c7 1fd8a374c56b0e92 7b419ce206adf358 21e74a8dfc90356b",
)


class _Tables(NamedTuple):
    schedule: _Lookup
    initial: _Lookup
    boxes: _Lookup
    final: _Lookup


def encrypt(key: bytes, block: bytes) -> bytes:
    """Encrypt a block of 8 octets under a key of 7, whose bits are all key bits: without parity."""
    tables = _tables()
    s1, s2, s3, s4, s5, s6, s7, s8 = tables.boxes
    halves = _permute(tables.initial, block)
    left, right = halves >> 48, halves & 0xFFFFFFFFFFFF
    subkeys: tuple[int, ...] = _SUBKEYS.unpack(_permute(tables.schedule, key).to_bytes(_SUBKEYS.size, "big"))
    for subkey in subkeys:
        keyed = right ^ subkey
        mixed = s1[keyed >> 42] | s2[keyed >> 36 & 63] | s3[keyed >> 30 & 63] | s4[keyed >> 24 & 63]
        mixed |= s5[keyed >> 18 & 63] | s6[keyed >> 12 & 63] | s7[keyed >> 6 & 63] | s8[keyed & 63]
        left, right = right, left ^ mixed
    return _permute(tables.final, (right << 48 | left).to_bytes(12, "big")).to_bytes(8, "big")


def _permute(lookup: _Lookup, octets: bytes) -> int:
    result = 0
    for table, octet in zip(lookup, octets, strict=True):
        result |= table[octet]
    return result


@cache
def _tables() -> _Tables:
    initial = [_INITIAL[32 * half + bit - 1] for half in (0, 1) for bit in _EXPANSION]
    final = [_INITIAL.index(bit) for bit in range(1, 65)]
    return _Tables(
        schedule=_compile(_schedule(), 7),
        initial=_compile(initial, 8),
        boxes=_boxes(),
        final=_compile([48 * (bit // 32) + _EXPANSION.index(bit % 32 + 1) + 1 for bit in final], 12),
    )


def _schedule() -> list[int]:
    """Of which bit of the key, or of none (0), each bit of the sixteen subkeys is made."""
    without_parity = [bit - bit // 8 for bit in _CHOICE_1]
    c, d = without_parity[:28], without_parity[28:]
    bits: list[int] = []
    for rotation in _ROTATIONS:
        c, d = c[rotation:] + c[:rotation], d[rotation:] + d[:rotation]
        both = c + d
        bits += [0] * 16 + [both[bit - 1] for bit in _CHOICE_2]
    return bits


def _compile(bits: Sequence[int], octets: int) -> _Lookup:
    adds = [0] * (8 * octets + 1)
    for position, bit in enumerate(bits):
        adds[bit] |= 1 << len(bits) - 1 - position
    lookup = []
    for octet in range(octets):
        table = [0] * 256
        for value in range(1, 256):
            lowest = value & -value
            table[value] = table[value ^ lowest] | adds[8 * octet + 9 - lowest.bit_length()]
        lookup.append(tuple(table))
    return tuple(lookup)


def _boxes() -> _Lookup:
    """The S-boxes, permuted by P and expanded for the next round: the outer two of six bits choose a row."""
    spread = _compile([_P[bit - 1] for bit in _EXPANSION], 4)
    boxes = []
    for number, text in enumerate(_S):
        rows = [[int(digit, 16) for digit in row] for row in text.split()]
        values = [rows[value >> 4 & 2 | value & 1][value >> 1 & 15] for value in range(64)]
        placed = [(value << 28 - 4 * number).to_bytes(4, "big") for value in values]
        boxes.append(tuple(_permute(spread, octets) for octets in placed))
    return tuple(boxes)

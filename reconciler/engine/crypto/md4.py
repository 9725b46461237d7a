"""The MD4 message digest (RFC 1320), which Microsoft's authentication is built on.

Present OpenSSL, and with it `hashlib`, has it no more. It is broken as a digest and serves nothing else here.
"""

from __future__ import annotations

from struct import Struct
from typing import Final

_WORDS: Final = Struct("<16I")
_STATE: Final = Struct("<4I")
_START: Final = (0x67452301, 0xEFCDAB89, 0x98BADCFE, 0x10325476)
_MASK: Final = 0xFFFFFFFF


def _steps(order: str, shifts: tuple[int, int, int, int]) -> tuple[tuple[int, int], ...]:
    return tuple((int(word, 16), shifts[step % 4]) for step, word in enumerate(order))


_ROUND_1: Final = _steps("0123456789abcdef", (3, 7, 11, 19))
_ROUND_2: Final = _steps("048c159d26ae37bf", (3, 5, 9, 13))
_ROUND_3: Final = _steps("084c2a6e195d3b7f", (3, 9, 11, 15))
"""For each step the word that it takes in, as a hexadecimal digit, and the rotation (§3.4)."""


def md4(data: bytes) -> bytes:
    """The digest, 16 octets."""
    padding = b"\x80" + bytes((55 - len(data)) % 64)
    padded = data + padding + (8 * len(data) & 0xFFFFFFFFFFFFFFFF).to_bytes(8, "little")
    state: tuple[int, ...] = _START
    for words in _WORDS.iter_unpack(padded):
        state = _compress(state, words)
    return _STATE.pack(*state)


def _compress(state: tuple[int, ...], words: tuple[int, ...]) -> tuple[int, ...]:
    a, b, c, d = state
    for word, shift in _ROUND_1:
        mixed = a + (b & c | ~b & d) + words[word] & _MASK
        a, b, c, d = d, (mixed << shift | mixed >> 32 - shift) & _MASK, b, c
    for word, shift in _ROUND_2:
        mixed = a + (b & c | b & d | c & d) + words[word] + 0x5A827999 & _MASK
        a, b, c, d = d, (mixed << shift | mixed >> 32 - shift) & _MASK, b, c
    for word, shift in _ROUND_3:
        mixed = a + (b ^ c ^ d) + words[word] + 0x6ED9EBA1 & _MASK
        a, b, c, d = d, (mixed << shift | mixed >> 32 - shift) & _MASK, b, c
    return tuple((old + new) & _MASK for old, new in zip(state, (a, b, c, d), strict=True))

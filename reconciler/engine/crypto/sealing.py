"""Octets sealed under a key: nobody without it can read them, or change them without being noticed.

Encrypt-then-MAC of two functions of the standard library: the keystream is SHAKE-256 of key and nonce, whose
output for another key or nonce is unrelated (FIPS 202 §A.2), the tag is keyed BLAKE2b (RFC 7693) over nonce,
context and ciphertext, each with its length. The two keys are derived from the one given. A nonce is drawn
anew for each message and cannot be given from outside, so none is used twice. Pure: chance comes in as a
callable. It must not know what is sealed.
"""

from __future__ import annotations

from hashlib import blake2b, shake_256
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

KEY: Final = 32
"""Octets of a key."""
NONCE: Final = 24
"""Octets of a nonce: random ones of this length do not meet."""
TAG: Final = 32
BLOCK: Final = 64
"""Messages are filled up to a multiple of this: their length tells little."""


class SealError(ValueError):
    """What is to be opened was sealed under another key, in another context, or was changed since."""


class Sealer:
    """Seals and opens under one key of ``KEY`` octets. ``entropy(n)`` gives n random octets."""

    __slots__ = ("_encryption", "_entropy", "_mac")

    def __init__(self, key: bytes, entropy: Callable[[int], bytes]) -> None:
        if len(key) != KEY:
            raise ValueError(f"a key has {KEY} octets")
        self._encryption = blake2b(key=key, person=b"seal encryption").digest()
        self._mac = blake2b(key=key, person=b"seal mac").digest()
        self._entropy = entropy

    def seal(self, message: bytes, context: bytes) -> bytes:
        """``message``, sealed. ``context`` is not in it, and must be the same when it is opened."""
        nonce = self._entropy(NONCE)
        # One octet that ends the message, then nothing: what comes before the last 0x80 is the message.
        filled = message + b"\x80" + bytes(-(len(message) + 1) % BLOCK)
        hidden = nonce + self._exclusive(filled, nonce)
        return hidden + self._tag(hidden, context)

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """The message. Raises ``SealError``; then nothing was decrypted."""
        hidden, tag = sealed[:-TAG], sealed[-TAG:]
        if len(hidden) < NONCE + BLOCK or not compare_digest(tag, self._tag(hidden, context)):
            raise SealError("not sealed by this key in this context")
        nonce, ciphertext = hidden[:NONCE], hidden[NONCE:]
        return self._exclusive(ciphertext, nonce).rstrip(b"\0")[:-1]

    def _exclusive(self, octets: bytes, nonce: bytes) -> bytes:
        """Octets exclusive-or the keystream of a nonce: there and back."""
        stream = shake_256(self._encryption + nonce).digest(len(octets))
        mixed = int.from_bytes(octets, "little") ^ int.from_bytes(stream, "little")
        return mixed.to_bytes(len(octets), "little")

    def _tag(self, hidden: bytes, context: bytes) -> bytes:
        lengths = len(hidden).to_bytes(8, "little") + len(context).to_bytes(8, "little")
        return blake2b(lengths + hidden + context, key=self._mac, digest_size=TAG).digest()

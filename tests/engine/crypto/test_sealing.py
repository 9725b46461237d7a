"""What is sealed is opened by the same key in the same context as it was, or not at all."""

from __future__ import annotations

from hashlib import shake_256
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.crypto.sealing import BLOCK, KEY, NONCE, TAG, Sealer, SealError


def entropy(seed: bytes = b"") -> Entropy:
    return Entropy(seed)


class Entropy:
    """Octets that look random and are the same in each run; remembers how many were drawn at once."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._numbers = count()
        self.drawn: list[bytes] = []

    def __call__(self, length: int) -> bytes:
        octets = shake_256(self._seed + next(self._numbers).to_bytes(8, "big")).digest(length)
        self.drawn.append(octets)
        return octets


ONE, OTHER = b"1" * KEY, b"2" * KEY


@given(st.binary(max_size=300), st.binary(max_size=40))
def test_what_was_sealed_is_opened(message: bytes, context: bytes) -> None:
    sealed = Sealer(ONE, entropy()).seal(message, context)
    assert Sealer(ONE, entropy(b"x")).open(sealed, context) == message


@given(st.binary(min_size=8, max_size=300))
def test_the_message_is_not_in_it(message: bytes) -> None:
    assert message not in Sealer(ONE, entropy()).seal(message, b"")


@given(st.binary(max_size=100), st.data())
def test_one_bit_of_difference_is_noticed(message: bytes, data: st.DataObject) -> None:
    sealed = bytearray(Sealer(ONE, entropy()).seal(message, b"users/theo"))
    sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealError):
        Sealer(ONE, entropy()).open(bytes(sealed), b"users/theo")


@given(st.binary(max_size=100), st.integers(0, 200))
def test_what_is_cut_or_longer_is_noticed(message: bytes, length: int) -> None:
    sealer = Sealer(ONE, entropy())
    sealed = sealer.seal(message, b"")
    for bad in (sealed[: min(length, len(sealed) - 1)], sealed + bytes(length + 1)):
        with pytest.raises(SealError):
            sealer.open(bad, b"")


def test_another_key_or_context_opens_nothing() -> None:
    sealer = Sealer(ONE, entropy())
    sealed = sealer.seal(b"hunter2", b"theo")
    for other, context in ((Sealer(OTHER, entropy()), b"theo"), (sealer, b"pablo"), (sealer, b"")):
        with pytest.raises(SealError):
            other.open(sealed, context)


def test_context_and_message_cannot_be_traded() -> None:
    """An octet that moves from one to the other is another message, whatever the lengths' sum."""
    sealer = Sealer(ONE, entropy())
    sealed = sealer.seal(b"m", b"context")
    with pytest.raises(SealError):
        sealer.open(sealed + b"con", b"text")


def test_each_message_has_a_nonce_of_its_own() -> None:
    chance = entropy()
    sealer = Sealer(ONE, chance)
    sealed = {sealer.seal(b"hunter2", b"") for _ in range(1000)}
    assert len(sealed) == len({one[:NONCE] for one in sealed}) == 1000
    assert [len(octets) for octets in chance.drawn] == [NONCE] * 1000, "drawn once for each"


def test_the_length_tells_little() -> None:
    lengths = {len(Sealer(ONE, entropy()).seal(bytes(n), b"")) for n in range(BLOCK - 1)}
    assert lengths == {NONCE + BLOCK + TAG}


@pytest.mark.parametrize("key", [b"", b"1" * (KEY - 1), b"1" * (KEY + 1)])
def test_a_short_key_is_none(key: bytes) -> None:
    with pytest.raises(ValueError, match="32 octets"):
        Sealer(key, entropy())


def test_it_stays_as_it_is() -> None:
    """A journal of the engine before is read by the next."""
    sealed = Sealer(bytes(range(KEY)), entropy(b"vector")).seal(b"hunter2", b"theo")
    assert sealed.hex() == EXPECTED


EXPECTED = (
    "eed25aeced2e11450cf51f16a07f83238ec493b57b4bc9a308eb622aabbb10bd09c7231ba866c5d5"
    "7f6bf7020bf72b84b91f806306c71bf11d07c8354d86468accd2d86573bdfa10485b15c97f6eccfe"
    "aededeafbf318be1676bdda918c40ee8aa618db2dd7d53230077e7114e31c2d7b3a44e0ab8f4f2a4"
)

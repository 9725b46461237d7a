"""DES by published vectors, and by another implementation."""

from __future__ import annotations

import pytest
from Crypto.Cipher import DES
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.crypto.des import encrypt


def with_parity(key: bytes) -> bytes:
    """A key of 56 bits as the 64 that others want, seven in each octet; the eighth is not looked at."""
    bits = int.from_bytes(key, "big")
    return bytes((bits >> 49 - 7 * octet & 0x7F) << 1 for octet in range(8))


def test_rfc_2759_9_3_a_key_is_spread_as_the_rfc_spreads_it() -> None:
    octets = with_parity(bytes.fromhex("FC156AF7EDCD6C"))
    odd = bytes(octet | (octet.bit_count() + 1) % 2 for octet in octets)
    assert odd.hex().upper() == "FD0B5B5E7F6E34D9"


@pytest.mark.parametrize(
    ("key", "block", "encrypted"),
    [
        ("00000000000000", "0000000000000000", "8ca64de9c1b123a7"),
        ("ffffffffffffff", "ffffffffffffffff", "7359b2163e4edc58"),
        ("00000000000000", "8000000000000000", "95f8a5e5dd31d900"),
        ("80000000000000", "0000000000000000", "95a8d72813daa94d"),
    ],
)
def test_known_answers(key: str, block: str, encrypted: str) -> None:
    assert encrypt(bytes.fromhex(key), bytes.fromhex(block)).hex() == encrypted


@given(st.binary(min_size=7, max_size=7), st.binary(min_size=8, max_size=8))
def test_every_block_is_the_one_of_another_implementation(key: bytes, block: bytes) -> None:
    assert encrypt(key, block) == DES.new(with_parity(key), DES.MODE_ECB).encrypt(block)

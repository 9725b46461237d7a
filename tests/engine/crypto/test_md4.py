"""MD4 by its RFC, and by another implementation."""

from __future__ import annotations

import pytest
from Crypto.Hash import MD4
from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.crypto.md4 import md4

RFC_1320_A5 = {
    b"": "31d6cfe0d16ae931b73c59d7e0c089c0",
    b"a": "bde52cb31de33e46245e05fbdbd6fb24",
    b"abc": "a448017aaf21d8525fc10ae87aa6729d",
    b"message digest": "d9130a8164549fe818874806e1c7014b",
    b"abcdefghijklmnopqrstuvwxyz": "d79e1c308aa5bbcdeea8ed63df412da9",
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789": "043f8582f241db351ce627e153e7f0e4",
    b"1234567890" * 8: "e33b4ddc9c38f2199c3e7b164fcc0536",
}


@pytest.mark.parametrize("text", list(RFC_1320_A5))
def test_the_digests_of_rfc_1320(text: bytes) -> None:
    assert md4(text).hex() == RFC_1320_A5[text]


@given(st.binary(max_size=600))
def test_every_digest_is_the_one_of_another_implementation(data: bytes) -> None:
    assert md4(data) == MD4.new(data).digest()


@pytest.mark.parametrize("size", range(50, 135))
def test_every_length_is_padded_right(size: int) -> None:
    assert md4(bytes(size)) == MD4.new(bytes(size)).digest()

"""Who knows the password, by each login method."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import md5

import pytest

from reconciler.engine.access.proof import prove
from reconciler.engine.access.secret import Password
from reconciler.engine.ppp.link import (
    ChapCredentials,
    Credentials,
    MsChapCredentials,
    MsChapV2Credentials,
    PapCredentials,
)
from tests import peer_mschap

CHALLENGE, PEER_CHALLENGE = bytes(range(16)), bytes(range(16, 32))
AGREED = b"test"


def chap(password: bytes) -> ChapCredentials:
    return ChapCredentials(b"theo", 7, CHALLENGE, md5(b"\7" + password + CHALLENGE).digest())


def mschap(password: bytes) -> MsChapCredentials:
    value = peer_mschap.response_v1(CHALLENGE[:8], password)
    return MsChapCredentials(b"theo", CHALLENGE[:8], value[24:48])


def mschap_v2(password: bytes, *, name: bytes = b"theo", like_pppd: bool = False) -> MsChapV2Credentials:
    password_hash = peer_mschap.nt_hash(password, like_pppd=like_pppd)
    value = peer_mschap.response_v2(CHALLENGE, PEER_CHALLENGE, name, password_hash)
    return MsChapV2Credentials(name, CHALLENGE, PEER_CHALLENGE, value[24:48])


def pap(password: bytes) -> PapCredentials:
    return PapCredentials(b"theo", password)


@pytest.mark.parametrize("method", [pap, chap, mschap, mschap_v2])
def test_the_right_password_is_proven_and_no_other(method: Callable[[bytes], Credentials]) -> None:
    assert prove(method(AGREED), Password(AGREED)) is not None
    for wrong in (b"", b"tes", b"test ", b"Test", b"test\0"):
        assert prove(method(wrong), Password(AGREED)) is None


def test_A17_the_proof_given_in_return_is_the_one_that_the_client_expects() -> None:
    for name in (b"theo", b"BIGCO\\theo"):
        proof = prove(mschap_v2(AGREED, name=name), Password(AGREED))
        assert proof is not None
        password_hash = peer_mschap.nt_hash(AGREED)
        value = peer_mschap.response_v2(CHALLENGE, PEER_CHALLENGE, name, password_hash)
        expected = peer_mschap.success_v2(CHALLENGE, value, name, password_hash)
        assert expected == b"S=" + proof.hex().upper().encode() + b" M="


def test_A17_the_example_of_rfc_2759() -> None:
    credentials = MsChapV2Credentials(
        b"User",
        bytes.fromhex("5B5D7C7D7B3F2F3E3C2C602132262628"),
        bytes.fromhex("21402324255E262A28295F2B3A337C7E"),
        bytes.fromhex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF"),
    )
    proof = prove(credentials, Password(b"clientPass"))
    assert proof is not None
    assert proof.hex().upper() == "407A5589115FD0D6209F510FE9C04566932CDA56"


@pytest.mark.parametrize("like_pppd", [False, True])
def test_A17_a_password_beyond_ascii_is_good_from_windows_and_from_pppd(like_pppd: bool) -> None:
    password = "größer".encode()
    assert prove(mschap_v2(password, like_pppd=like_pppd), Password(password)) is not None


def test_A18_an_empty_response_proves_nothing() -> None:
    assert prove(MsChapCredentials(b"theo", CHALLENGE[:8], b""), Password(AGREED)) is None

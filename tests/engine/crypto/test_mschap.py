"""What MS-CHAP computes, by the examples of RFC 2433 Appendix B and RFC 2759 §9.2."""

from __future__ import annotations

from reconciler.engine.crypto.mschap import (
    authenticator_response,
    challenge_hash,
    challenge_response,
    nt_password_hash,
    nt_password_hashes,
)

USER = b"User"
AUTHENTICATOR_CHALLENGE = bytes.fromhex("5B5D7C7D7B3F2F3E3C2C602132262628")
PEER_CHALLENGE = bytes.fromhex("21402324255E262A28295F2B3A337C7E")
CHALLENGE = bytes.fromhex("D02E4386BCE91226")
PASSWORD_HASH = bytes.fromhex("44EBBA8D5312B8D611474411F56989AE")
NT_RESPONSE = bytes.fromhex("82309ECD8D708B5EA08FAA3981CD83544233114A3D85D6DF")


def test_rfc_2759_9_2_challenge() -> None:
    assert challenge_hash(PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, USER) == CHALLENGE


def test_rfc_2759_9_2_password_hash() -> None:
    assert nt_password_hash("clientPass") == PASSWORD_HASH


def test_rfc_2759_9_2_nt_response() -> None:
    assert challenge_response(CHALLENGE, PASSWORD_HASH) == NT_RESPONSE


def test_rfc_2759_9_2_authenticator_response() -> None:
    response = authenticator_response(PASSWORD_HASH, NT_RESPONSE, CHALLENGE)
    assert response.hex().upper() == "407A5589115FD0D6209F510FE9C04566932CDA56"


def test_rfc_2433_b_the_example_of_version_1() -> None:
    password_hash = nt_password_hash("MyPw")
    assert password_hash.hex().upper() == "FC156AF7EDCD6C0EDDE3337D427F4EAC"
    response = challenge_response(bytes.fromhex("102DB5DF085D3041"), password_hash)
    assert response.hex().upper() == "4E9D3C8F9CFD385D5BF4D3246791956CA4C351AB409A3D61"


def test_A17_a_domain_before_the_name_does_not_count() -> None:
    assert challenge_hash(PEER_CHALLENGE, AUTHENTICATOR_CHALLENGE, b"BIGCO\\User") == CHALLENGE


def test_an_ascii_password_has_one_hash() -> None:
    assert nt_password_hashes(b"clientPass") == (PASSWORD_HASH,)


def test_a_password_beyond_ascii_has_the_hash_of_windows_and_the_hash_of_pppd() -> None:
    windows, pppd = nt_password_hashes("größer".encode())
    assert windows == nt_password_hash("größer")
    assert pppd == nt_password_hash("gr\xc3\xb6\xc3\x9fer")

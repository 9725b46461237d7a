"""Whether credentials prove that whoever sent them knows a password: one rule for each login method.

Neighbours: ``users`` asks. It must not know users, nor what becomes of a login.
"""

from __future__ import annotations

from hashlib import md5
from hmac import compare_digest
from typing import TYPE_CHECKING

from reconciler.engine.crypto.mschap import (
    authenticator_response,
    challenge_hash,
    challenge_response,
    nt_password_hashes,
)
from reconciler.engine.ppp.link import ChapCredentials, MsChapCredentials, PapCredentials

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.engine.ppp.link import Credentials, MsChapV2Credentials


def prove(credentials: Credentials, password: bytes) -> bytes | None:
    """The proof to give in return (``ppp.link.Grant``), empty for most methods; None if this is not the
    password.
    """
    match credentials:
        case PapCredentials():
            return _right(compare_digest(credentials.password, password))
        case ChapCredentials():
            return _right(compare_digest(credentials.response, _chap(credentials, password)))
        case MsChapCredentials():
            return _mschap(credentials, nt_password_hashes(password))
        case _:
            return _mschap_v2(credentials, nt_password_hashes(password))


def _right(right: bool) -> bytes | None:
    return b"" if right else None


def _chap(credentials: ChapCredentials, password: bytes) -> bytes:
    """RFC 1994 §2.2: MD5 is the protocol's, not a choice of ours."""
    secret = bytes([credentials.identifier]) + password + credentials.challenge
    return md5(secret, usedforsecurity=False).digest()


def _mschap(credentials: MsChapCredentials, hashes: Iterable[bytes]) -> bytes | None:
    expected = (challenge_response(credentials.challenge, password_hash) for password_hash in hashes)
    return _right(any(compare_digest(credentials.response, response) for response in expected))


def _mschap_v2(credentials: MsChapV2Credentials, hashes: Iterable[bytes]) -> bytes | None:
    challenge = challenge_hash(credentials.peer_challenge, credentials.challenge, credentials.name)
    for password_hash in hashes:
        response = challenge_response(challenge, password_hash)
        if compare_digest(credentials.response, response):
            return authenticator_response(password_hash, response, challenge)
    return None

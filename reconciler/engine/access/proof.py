"""Whether credentials prove a secret: one rule for each login method.

Neighbours: ``users`` asks. It must not know users, nor what becomes of a login.
"""

from __future__ import annotations

from hashlib import md5
from hmac import compare_digest
from typing import TYPE_CHECKING

from reconciler.engine.access.secret import NtHash, Password, Scrypt
from reconciler.engine.crypto.mschap import (
    authenticator_response,
    challenge_hash,
    challenge_response,
    nt_password_hashes,
)
from reconciler.engine.ppp.link import ChapCredentials, MsChapCredentials, PapCredentials

if TYPE_CHECKING:
    from reconciler.engine.access.secret import Secret
    from reconciler.engine.ppp.link import Credentials, MsChapV2Credentials


def usable(secret: Secret, credentials: Credentials) -> Password | NtHash | None:
    """The secret, if such credentials can be held against it at once."""
    if isinstance(secret, Scrypt):
        return None
    return None if isinstance(secret, NtHash) and isinstance(credentials, ChapCredentials) else secret


def prove(credentials: Credentials, secret: Password | NtHash, *, hashes: bool = True) -> bytes | None:
    """The proof to give in return (``ppp.link.Grant``), empty for most methods; None if they prove nothing.
    No password, empty on either side, is never the right one. ``hashes``: some user's secret is an NT hash,
    which the time taken must not tell from others.
    """
    if isinstance(secret, Password) and not secret.text:
        return None
    match credentials:
        case PapCredentials():
            return _right(_pap(credentials.password, secret, hashes=hashes))
        case ChapCredentials():
            return _right(isinstance(secret, Password) and _chap(credentials, secret.text))
        case MsChapCredentials():
            return _right(_mschap(credentials, _nt_hashes(secret)))
        case _:
            return _mschap_v2(credentials, _nt_hashes(secret))


def _right(right: bool) -> bytes | None:
    return b"" if right else None


def _nt_hashes(secret: Password | NtHash) -> tuple[bytes, ...]:
    """Hashes something in any case, so that the time taken does not tell what is kept of the password."""
    made = nt_password_hashes(secret.text if isinstance(secret, Password) else b"password")
    return made if isinstance(secret, Password) else (secret.octets,)


def _pap(password: bytes, secret: Password | NtHash, *, hashes: bool) -> bool:
    made = nt_password_hashes(password) if hashes else ()  # whatever the secret is: see _nt_hashes
    if isinstance(secret, Password):
        return compare_digest(password, secret.text)
    return password != b"" and any(compare_digest(one, secret.octets) for one in made)


def _chap(credentials: ChapCredentials, password: bytes) -> bool:
    """RFC 1994 §2.2: MD5 is the protocol's, not a choice of ours."""
    digested = bytes([credentials.identifier]) + password + credentials.challenge
    return compare_digest(credentials.response, md5(digested, usedforsecurity=False).digest())


def _mschap(credentials: MsChapCredentials, hashes: tuple[bytes, ...]) -> bool:
    expected = (challenge_response(credentials.challenge, password_hash) for password_hash in hashes)
    return any(compare_digest(credentials.response, response) for response in expected)


def _mschap_v2(credentials: MsChapV2Credentials, hashes: tuple[bytes, ...]) -> bytes | None:
    challenge = challenge_hash(credentials.peer_challenge, credentials.challenge, credentials.name)
    for password_hash in hashes:
        response = challenge_response(challenge, password_hash)
        if compare_digest(credentials.response, response):
            return authenticator_response(password_hash, response, challenge)
    return None

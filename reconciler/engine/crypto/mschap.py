"""What Microsoft's CHAP computes from a password, both versions (RFC 2433 Appendix A, RFC 2759 §8).

The names are the RFCs'. A password's NT hash is as good as the password here: whoever has it can log in.
"""

from __future__ import annotations

from hashlib import sha1
from typing import Final

from reconciler.engine.crypto.des import encrypt
from reconciler.engine.crypto.md4 import md4

_MAGIC_1: Final = b"Magic server to client signing constant"
_MAGIC_2: Final = b"Pad to make it do more than one iteration"


def nt_password_hash(password: str) -> bytes:
    """NtPasswordHash (RFC 2759 §8.3): 16 octets."""
    return md4(password.encode("utf-16-le"))


def nt_password_hashes(password: bytes) -> tuple[bytes, ...]:
    """The NT hashes that clients make of a password given as octets, the right one first.

    Where it is not ASCII there are two: Windows hashes its characters, pppd the octets of its UTF-8 as if
    each were a character.
    """
    octets = password.decode("latin-1")
    if password.isascii():
        return (nt_password_hash(octets),)
    return nt_password_hash(password.decode("utf-8", errors="replace")), nt_password_hash(octets)


def challenge_hash(peer_challenge: bytes, authenticator_challenge: bytes, name: bytes) -> bytes:
    """ChallengeHash (RFC 2759 §8.2): 8 octets. The user's name counts without a domain before it."""
    user = name.rpartition(b"\\")[2]
    return sha1(peer_challenge + authenticator_challenge + user, usedforsecurity=False).digest()[:8]


def challenge_response(challenge: bytes, password_hash: bytes) -> bytes:
    """ChallengeResponse (RFC 2759 §8.5): 24 octets for a challenge of 8 and an NT hash."""
    key = password_hash.ljust(21, b"\0")
    return b"".join(encrypt(key[start : start + 7], challenge) for start in (0, 7, 14))


def authenticator_response(password_hash: bytes, nt_response: bytes, challenge: bytes) -> bytes:
    """GenerateAuthenticatorResponse (RFC 2759 §8.7), not yet in hexadecimal: 20 octets. ``challenge`` is what
    ``challenge_hash`` gave.
    """
    signed = sha1(md4(password_hash) + nt_response + _MAGIC_1, usedforsecurity=False).digest()
    return sha1(signed + challenge + _MAGIC_2, usedforsecurity=False).digest()

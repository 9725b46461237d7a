"""Microsoft's CHAP from the subscriber's side (RFC 2433, RFC 2759), with another author's MD4 and DES."""

from __future__ import annotations

from Crypto.Cipher import DES
from Crypto.Hash import MD4, SHA1

SIGNING = b"Magic server to client signing constant"
PADDING = b"Pad to make it do more than one iteration"


def nt_hash(password: bytes, *, like_pppd: bool = False) -> bytes:
    """The hash of the password's characters or, as pppd has it, of its octets."""
    text = password.decode("latin-1" if like_pppd else "utf-8")
    return MD4.new(text.encode("utf-16-le")).digest()


def nt_response(challenge: bytes, password_hash: bytes) -> bytes:
    blocks = b""
    for part in (password_hash[:7], password_hash[7:14], password_hash[14:] + bytes(5)):
        bits = "".join(f"{octet:08b}" for octet in part)
        key = bytes(int(bits[start : start + 7] + "0", 2) for start in range(0, 56, 7))
        blocks += DES.new(key, DES.MODE_ECB).encrypt(challenge)
    return blocks


def response_v1(challenge: bytes, password: bytes, *, lan_manager: bool = False) -> bytes:
    """A Response's value. With `lan_manager` the NT response does not count (which would be a Windows 95)."""
    return bytes(24) + nt_response(challenge, nt_hash(password)) + bytes([not lan_manager])


def digest_v2(challenge: bytes, peer_challenge: bytes, user: bytes) -> bytes:
    name = user.split(b"\\")[-1]
    return SHA1.new(peer_challenge + challenge + name).digest()[:8]


def response_v2(challenge: bytes, peer_challenge: bytes, user: bytes, password_hash: bytes) -> bytes:
    """A Response's value."""
    answer = nt_response(digest_v2(challenge, peer_challenge, user), password_hash)
    return peer_challenge + bytes(8) + answer + bytes(1)


def success_v2(challenge: bytes, value: bytes, user: bytes, password_hash: bytes) -> bytes:
    """How the Success to this Response must begin, or the server does not know the password."""
    signed = SHA1.new(MD4.new(password_hash).digest() + value[24:48] + SIGNING).digest()
    proof = SHA1.new(signed + digest_v2(challenge, value[:16], user) + PADDING).hexdigest()
    return b"S=" + proof.upper().encode() + b" M="

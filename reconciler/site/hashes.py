"""Hashes of passwords as text: scrypt in the two spellings that tools write, and NT hashes.

Either spelling of scrypt becomes the same value, so a hash that is only respelt is no change. This module
must not know passwords, nor check one against a hash.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, field
from typing import Final

from reconciler.site.values import UnfitError

MOST_MEMORY: Final = 128 << 20
"""Octets that one check may take (128 N r, RFC 7914 §2): several may run at once."""
MOST_WORK: Final = 1 << 21
"""N r p: about a second of one core."""

_PHC: Final = re.compile(
    r"\$scrypt\$ln=(?P<ln>[0-9]{1,2}),r=(?P<r>[0-9]{1,9}),p=(?P<p>[0-9]{1,9})"
    r"\$(?P<salt>[A-Za-z0-9+/]*)\$(?P<key>[A-Za-z0-9+/]+)"
)
_CRYPT: Final = re.compile(
    r"\$7\$(?P<ln>[./0-9A-Za-z])(?P<r>[./0-9A-Za-z]{5})(?P<p>[./0-9A-Za-z]{5})"
    r"(?P<salt>[^$]*)\$(?P<key>[./0-9A-Za-z]{43})"
)
_DIGITS: Final = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_NT: Final = re.compile(r"[0-9a-f]{32}")
_NT_OF_NOTHING: Final = "31d6cfe0d16ae931b73c59d7e0c089c0"
_ADVICE: Final = "`mkpasswd -m scrypt` makes one"


@dataclass(frozen=True, slots=True)
class Scrypt:
    """A scrypt hash and what it was made with (RFC 7914 §2)."""

    n: int
    r: int
    p: int
    salt: bytes = field(repr=False)
    key: bytes = field(repr=False)

    def __str__(self) -> str:
        """In the spelling of the Password Hashing Competition: the one of the two that is written here."""
        parameters = f"ln={self.n.bit_length() - 1},r={self.r},p={self.p}"
        return f"$scrypt${parameters}${_base64(self.salt)}${_base64(self.key)}"


def scrypt(text: str) -> Scrypt:
    """Read ``$scrypt$ln=14,r=8,p=1$salt$hash`` or crypt(5)'s ``$7$...``. Raises UnfitError (E135)."""
    if found := _PHC.fullmatch(text):
        n, r, p = 1 << int(found["ln"]), int(found["r"]), int(found["p"])
        result = Scrypt(n, r, p, _unbase64(found["salt"]), _unbase64(found["key"]))
    elif found := _CRYPT.fullmatch(text):
        n, r, p = 1 << _number(found["ln"]), _number(found["r"]), _number(found["p"])
        result = Scrypt(n, r, p, found["salt"].encode(), _octets(found["key"]))
    elif text.startswith("$") and not text.startswith(("$scrypt$", "$7$")):
        raise UnfitError("E135", "a hash of another kind than scrypt, which cannot be checked", _ADVICE)
    else:
        raise UnfitError("E135", "not a scrypt hash", _ADVICE)
    if result.n < 2 or 0 in (result.r, result.p) or len(result.key) < 16:
        raise UnfitError("E135", "a scrypt hash with impossible parameters", _ADVICE)
    if 128 * result.n * result.r > MOST_MEMORY or result.n * result.r * result.p > MOST_WORK:
        raise UnfitError("E135", "a scrypt hash that takes too long to check", "use less: ln=14, r=8, p=1")
    return result


def nt_hash(text: str) -> str:
    """Read an NT hash, as 32 lower-case hexadecimal digits. Raises UnfitError (E136)."""
    digits = text.lower()
    if not _NT.fullmatch(digits):
        advice = "write its 32 hexadecimal digits alone, without user name, LAN Manager hash or colons"
        raise UnfitError("E136", "not an NT hash", advice)
    if digits == _NT_OF_NOTHING:
        raise UnfitError("E136", "the NT hash of an empty password", "an empty password cannot log in")
    return digits


def _base64(octets: bytes) -> str:
    return base64.b64encode(octets).decode().rstrip("=")


def _unbase64(text: str) -> bytes:
    octets = base64.b64decode(text + "=" * (-len(text) % 4)) if len(text) % 4 != 1 else b""
    if _base64(octets) != text:
        raise UnfitError("E135", "a scrypt hash that is cut short", "copy it whole, up to its last character")
    return octets


def _number(text: str) -> int:
    """crypt(5)'s numbers: six bits a digit, the least significant first."""
    return sum(_DIGITS.index(digit) << 6 * place for place, digit in enumerate(text))


def _octets(text: str) -> bytes:
    return _number(text).to_bytes(33, "little")[: len(text) * 6 // 8]

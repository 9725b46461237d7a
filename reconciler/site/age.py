"""Passwords encrypted with age, as they stand in a site file, each for one user and no other.

age proves nothing about where a value stands, so the user's name is encrypted with the password: two lines,
the name, then the password. ``printf 'theo\\nsecret' | age -r age1...`` makes one as well as we do. This
module must not hold keys: it knows the text around a value and what is inside, not how it is opened.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from reconciler.site import values
from reconciler.site.values import UnfitError

LONGEST: Final = 64 << 10
"""Octets of an encrypted value at most: several hundred recipients."""

_MAGIC: Final = b"age-encryption.org/v1\n"
_BEGIN: Final = "-----BEGIN AGE ENCRYPTED FILE-----"
_END: Final = "-----END AGE ENCRYPTED FILE-----"
_ADVICE: Final = "`reconciler user passwd NAME --age` makes one"


def sealed(text: str) -> str:
    """Read an encrypted value: what ``age --armor`` writes, or the same on one line without its frame, which
    is what comes back. Raises UnfitError (E138).
    """
    body = text.strip()
    if body.startswith(_BEGIN):
        if not body.endswith(_END):
            raise UnfitError("E138", "an age value that is cut short", "copy it whole, up to its last line")
        body = body[len(_BEGIN) : -len(_END)]
    try:
        content = _decoded("".join(body.split()).rstrip("="))
    except (binascii.Error, ValueError):
        raise UnfitError("E138", "not a value encrypted with age", _ADVICE) from None
    if not content.startswith(_MAGIC):
        raise UnfitError("E138", "not a value encrypted with age", _ADVICE)
    if len(content) > LONGEST:
        raise UnfitError("E138", "an age value of a size that no password has", _ADVICE)
    return written(content)


def written(octets: bytes) -> str:
    """An encrypted value as it is written into a site file: one line, so that a change of it is one; without
    ``=`` at its end, so that YAML needs no quotes.
    """
    return base64.b64encode(octets).decode().rstrip("=")


def octets(text: str) -> bytes:
    """The encrypted value itself, of a text that :func:`sealed` gave."""
    return _decoded(text)


def recipient(text: str) -> str:
    """Read whom to encrypt for: ``age1...`` (X25519). Raises UnfitError (E139)."""
    import pyrage

    try:
        return str(pyrage.x25519.Recipient.from_str(text.strip()))
    except pyrage.RecipientError:
        advice = "`reconciler secret recipient` prints the box's; `age-keygen -y FILE` one's own"
        raise UnfitError("E139", "not a recipient of age (age1...)", advice) from None


def bound(name: str, password: str) -> bytes:
    """What is encrypted for a user. Raises UnfitError (E127) where the password has several lines."""
    if "\n" in password or "\r" in password:
        raise UnfitError("E127", "the password has more than one line", "encrypt one line")
    return f"{name}\n{password}".encode()


def password_of(name: str, content: bytes) -> str:
    """The password in a decrypted value. Raises UnfitError: E154 when it is another user's, E152 when it is
    none. Neither says what is in it: it could be a password that somebody encrypted alone.
    """
    try:
        whose, newline, password = content.decode().partition("\n")
    except UnicodeDecodeError:
        raise UnfitError("E152", "what is encrypted is not UTF-8 text", _ADVICE) from None
    if not newline or whose.removesuffix("\r") != name:
        raise UnfitError("E154", "it was not encrypted for this user", _ADVICE)
    password = password.removesuffix("\n").removesuffix("\r")
    if "\n" in password:
        raise UnfitError("E152", "what is encrypted has more than two lines", _ADVICE)
    try:
        return values.password(password)
    except UnfitError as unfit:
        raise UnfitError("E152", f"what is encrypted: {unfit.message}", _ADVICE) from None


def _decoded(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)

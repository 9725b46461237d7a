"""Passwords: a wrapper that never shows them, and where they come from.

Reading files and the environment is done by callables given from outside. This module must not know the
network, nor keep what it was given anywhere but in the :class:`Secret` it returns.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any, Final

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

HIDDEN: Final = "********"
"""What stands in for a secret wherever one would be seen; always of this length, whatever the secret's."""


class Secret:
    """Text that must not be seen. Only :meth:`reveal` gives it back; str, repr, format and JSON do not."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text itself, for the one who checks a login."""
        return self._text

    def __repr__(self) -> str:
        return f"Secret('{HIDDEN}')"

    def __str__(self) -> str:
        return HIDDEN

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._text.encode(), other._text.encode())

    def __hash__(self) -> int:
        return hash((Secret, self._text))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        text = core_schema.no_info_after_validator_function(cls, core_schema.str_schema(strict=True))
        return core_schema.json_or_python_schema(
            json_schema=text,
            python_schema=core_schema.union_schema([core_schema.is_instance_schema(cls), text]),
            serialization=core_schema.plain_serializer_function_ser_schema(
                str, return_schema=core_schema.str_schema()
            ),
        )


def fingerprint(key: bytes, secret: Secret) -> str:
    """Sixteen hexadecimal digits that tell two secrets apart and may be shown.

    ``key`` (up to 64 octets) must itself be secret and live as long as the fingerprints: without it nobody
    can try passwords against one, and under another key every password looks changed.
    """
    return hashlib.blake2b(
        secret.reveal().encode(), key=key, digest_size=8, person=b"reconciler-pw"
    ).hexdigest()

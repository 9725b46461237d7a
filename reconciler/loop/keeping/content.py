"""A goal as octets, to be sealed and kept, and back: the file's text, and the passwords that it only refers
to.

Those are kept beside the text because a password file that has changed since must not change what a
generation was. What is packed is secret through and through; it must never be written anywhere unsealed. This
module must not know where it is kept.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from reconciler.loop.reading.goal import Goal
from reconciler.site.secrets import Secret, UserSecret

_VERSION: Final = 1
_QUICKLY: Final = 1
"""zlib's level: a site of 100,000 users must not keep an edit waiting."""


class ForeignContentError(Exception):
    """What was kept is not in a form that this program reads. One line."""


@dataclass(frozen=True, slots=True)
class Content:
    """A site file's text, and the secrets of the users of whom it only says where theirs are."""

    text: bytes = field(repr=False)
    secrets: Mapping[str, UserSecret]


def pack(goal: Goal) -> bytes:
    """What is kept of a goal that can be used."""
    assert goal.wanted is not None
    secrets = goal.wanted.secrets
    elsewhere = {
        name: [secrets[name].kind, secrets[name].secret.reveal()]
        for name, user in goal.wanted.site.users.items()
        if user.password is None and user.password_hash is None and user.nt_hash is None
    }
    document = {"version": _VERSION, "text": goal.content.decode(), "secrets": elsewhere}
    return zlib.compress(json.dumps(document, separators=(",", ":")).encode(), _QUICKLY)


def unpack(octets: bytes) -> Content:
    """What :func:`pack` was given. Raises :class:`ForeignContentError`."""
    try:
        document = json.loads(zlib.decompress(octets))
        if document["version"] != _VERSION:
            raise ForeignContentError("it was kept by a newer program")
        secrets = {name: UserSecret(kind, Secret(text)) for name, (kind, text) in document["secrets"].items()}
        return Content(document["text"].encode(), secrets)
    except (zlib.error, ValueError, KeyError, TypeError, AttributeError):
        raise ForeignContentError("it is damaged") from None

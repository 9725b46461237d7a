"""A user's lines as most people write them, read without the parser: a name with a password, or settings.

A parser of YAML is built for far more, and with 100,000 users most of the time went into it. What is read
here is what it would read, place for place; whatever leaves a doubt is left to it. Neighbours:
``site.segments`` tells which lines those are, ``site.increment`` asks. This module must not judge a value.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from reconciler.site.facts import UserFacts, with_password, with_settings
from reconciler.site.place import Place
from reconciler.site.secrets import SOURCES
from reconciler.site.segments import TEXT, standing_alone
from reconciler.site.tree import Plain, Scalar
from reconciler.site.user import User

_LONGEST: Final = 1000
"""Characters of a user's lines: the parser takes no key of more than 1,024."""

_SETTING: Final = re.compile(rf"^ +({TEXT}): +({TEXT})", re.MULTILINE)
_KEYS: Final = frozenset(User.model_fields)
_SECRET: Final = frozenset(SOURCES)
_LOOKED_AT: Final = frozenset({"ip", "sessions", "enabled"})
"""The settings whose values the cross-checks look at."""


class Ordinary(NamedTuple):
    """A user: what the cross-checks want to know, and what is ``said``, as the model reads it."""

    facts: UserFacts
    said: Plain


def read(user: str, line: int, column: int) -> Ordinary | None:
    """What the lines of a ``user`` say, the first of which is ``line``, and whose name begins at ``column``.
    None: that takes the parser.
    """
    found = standing_alone(column - 1).fullmatch(user) if len(user) <= _LONGEST else None
    if found is None:
        return None
    name, value = found.group("name", "value")
    if name == "<<":
        return None
    key = Place(line, column, line, column + len(name))
    if value is not None:
        return Ordinary(with_password(_bare(name), key), _bare(value))
    said: dict[str, Plain] = {}
    secrets: tuple[Scalar, ...] = ()
    values: dict[str, Scalar] = {}
    for setting in _SETTING.finditer(user, found.start("settings")):
        written, text = setting.groups()
        what = _bare(written)
        if what not in _KEYS or what in said or (secrets and what in _SECRET):
            return None
        said[what] = meant = _bare(text)
        if what in _SECRET:
            secrets = (Scalar(what, _place(setting, 1, user, line), what == written),)
        elif what in _LOOKED_AT:
            values[what] = Scalar(meant, _place(setting, 2, user, line), meant == text)
    return Ordinary(with_settings(_bare(name), key, secrets, values.get), said)


def _place(setting: re.Match[str], group: int, user: str, line: int) -> Place:
    """Where one side of a setting's colon stands."""
    origin = setting.start()
    begin, end = setting.span(group)
    at = line + user.count("\n", 0, origin)
    return Place(at, begin - origin + 1, at, end - origin + 1)


def _bare(written: str) -> str:
    """Without the quotes."""
    return written[1:-1] if written[0] in "'\"" else written

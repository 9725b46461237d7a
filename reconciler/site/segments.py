"""The users of a site's text, line by line: where each one begins and ends, without reading what it says.

Only a layout that leaves no doubt is taken apart: ``users:`` alone on its line, below it one key a user, each
followed by its value on the same line or by indented ``key: value`` lines, without anything by which YAML
could reach beyond them (anchors, aliases, tags, brackets, texts that span lines). Of such a text every user
can be read apart from the others. Neighbours: ``site.increment``. This module must not know what a user's
keys mean.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

_HEADING: Final = re.compile(r"^users:(?: +#.*| *)\r?\n", re.MULTILINE)
_OUTSIDE: Final = re.compile(r"^[^ \t\r\n#]", re.MULTILINE)
_FIRST: Final = re.compile(r"(?: *(?:#.*)?\r?\n)*( +)(?=[^ \t\r\n#])")
_BLANK: Final = r"(?: *(?:#.*)?\r?\n)"
_PLAIN: Final = r"""[^\s\-?:,\[\]{}#&*!|>'"%@`](?:[^\s:]|:(?=\S))*"""
_TEXT: Final = rf"""(?:{_PLAIN}|'[^'\r\n]*'|"[^"\\\r\n]*")"""
_END: Final = r"(?: +#.*| *)\r?\n"


class Segments(NamedTuple):
    """``users[n]`` are the lines of a user, comments and empty lines below it included. ``head`` is what
    stands before the first, ``tail`` what follows the last; ``column`` is where the users' names begin.
    """

    head: str
    users: list[str]
    tail: str
    column: int

    def simple(self, user: str) -> bool:
        """Whether these lines can be read apart from all others."""
        lines = user if user.endswith("\n") else user + "\n"
        return _simple(self.column - 1).fullmatch(lines) is not None


def split(text: str) -> Segments | None:
    """Take a text apart; None when its layout is another. Nothing is said of what the lines hold."""
    heading = _HEADING.search(text)
    if heading is None or _HEADING.search(text, heading.end()) is not None:
        return None
    outside = _OUTSIDE.search(text, heading.end())
    end = outside.start() if outside else len(text)
    first = _FIRST.match(text, heading.end(), end)
    if first is None:
        return None
    users = _beginning(len(first[1])).split(text[first.start(1) : end])
    return Segments(text[: first.start(1)], users[1:], text[end:], len(first[1]) + 1)


@lru_cache(maxsize=8)
def _beginning(indent: int) -> re.Pattern[str]:
    return re.compile(rf"^(?= {{{indent}}}[^ \t\r\n#])", re.MULTILINE)


@lru_cache(maxsize=8)
def _simple(indent: int) -> re.Pattern[str]:
    setting = rf"{_TEXT}: +{_TEXT}{_END}"
    on_one_line = rf" +{_TEXT}{_END}{_BLANK}*"
    indented = rf"{_END}{_BLANK}*(?P<deeper> {{{indent + 1},}}){setting}(?:{_BLANK}|(?P=deeper){setting})*"
    return re.compile(rf" {{{indent}}}{_TEXT}:(?:{on_one_line}|{indented})")

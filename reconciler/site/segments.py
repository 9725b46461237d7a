"""The users of a site's text, line by line: where each one begins and ends, without reading what it says.

Only a layout that leaves no doubt is taken apart: ``users:`` alone on its line, below it one key a user, each
followed by its value on the same line or by indented ``key: value`` lines, without anything by which YAML
could reach beyond them (anchors, aliases, tags, brackets, texts that span lines). Of such a text every user
can be read apart from the others. Neighbours: ``site.increment``. This module must not know what a user's
keys mean.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

_HEADING: Final = re.compile(r"^users:(?: +#.*| *)\r?\n", re.MULTILINE)
_OUTSIDE: Final = re.compile(r"^[^ \t\r\n#]", re.MULTILINE)
_FIRST: Final = re.compile(r"(?: *(?:#.*)?\r?\n)*( +)(?=[^ \t\r\n#])")
_BLANK: Final = r"(?: *(?:#.*)?\r?\n)"
_PLAIN: Final = r"""[^\s\-?:,\[\]{}#&*!|>'"%@`][^\s:]*(?::(?=\S)[^\s:]*)*"""
TEXT: Final = rf"""(?:{_PLAIN}|'[^'\r\n]*'|"[^"\\\r\n]*")"""
"""A single value, or a key, in the only ways of writing one that are taken apart: what it says is what stands
there, without its quotes.
"""
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
        return standing_alone(self.column - 1).fullmatch(lines) is not None


class Again(NamedTuple):
    """A text taken apart after another: its first ``before`` and its last ``after`` users are the other's."""

    segments: Segments
    before: int
    after: int


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
    users = _apart(text[first.start(1) : end], len(first[1]) + 1)
    return Segments(text[: first.start(1)], users, text[end:], len(first[1]) + 1)


def split_again(text: str, other: str, was: Segments, starts: Sequence[int]) -> Again | None:
    """Take apart what differs from an ``other`` text, of which is known where each user ``starts`` in it, and
    where the last one ends; None: what differs is more than users that stand together, or all above them.
    """
    if text == other:
        return Again(was, len(was.users), 0)
    alike, alike_at_the_end = _alike(text, other)
    grown = len(text) - len(other)
    before = bisect_right(starts, alike - was.column) - 1
    # Where a user begins is told by the line's beginning: by the character before it, too.
    stop = bisect_left(starts, len(other) - alike_at_the_end + 1)
    after = len(was.users) - stop
    if after < 0:
        return None
    if before < 0:
        same = stop == 0 and _leads_to(text, starts[0] + grown, was.column)
        head = text[: starts[0] + grown]
        return Again(was._replace(head=head), 0, after) if same else None
    begin, end = starts[before], starts[stop] + grown
    if _OUTSIDE.search(text, begin, end):
        return None
    users = [*was.users[:before], *_apart(text[begin:end], was.column), *was.users[stop:]]
    return Again(was._replace(users=users), before, after)


def _alike(one: str, other: str) -> tuple[int, int]:
    """How many characters two texts have in common at their beginning, and then at their end."""
    most = min(len(one), len(other))
    begin = _longest(most, lambda low, high: one[low:high] == other[low:high])

    def at_the_end(low: int, high: int) -> bool:
        return one[len(one) - high : len(one) - low] == other[len(other) - high : len(other) - low]

    return begin, _longest(most - begin, at_the_end)


def _longest(most: int, alike: Callable[[int, int], bool]) -> int:
    """Up to where all is alike, at ``most`` so far; ``alike`` tells of a stretch after such a one."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if alike(low, middle) else (low, middle - 1)
    return low


def _leads_to(text: str, begin: int, column: int) -> bool:
    """Whether the users begin there."""
    heading = _HEADING.search(text, 0, begin)
    if heading is None or _HEADING.search(text, heading.end(), begin) is not None:
        return False
    first = _FIRST.match(text, heading.end())
    return first is not None and first.span(1) == (begin, begin + column - 1)


def _apart(text: str, column: int) -> list[str]:
    """The users of a text that begins with one."""
    *most, last = _border(column - 1).split(text)
    users = [user + "\n" for user in most]
    return [*users, last] if last else users


@lru_cache(maxsize=8)
def _border(indent: int) -> re.Pattern[str]:
    """Matches a line's end before a user: found by that character much faster than by a line's beginning."""
    return re.compile(rf"\n(?= {{{indent}}}[^ \t\r\n#])")


@lru_cache(maxsize=8)
def standing_alone(indent: int) -> re.Pattern[str]:
    """Matches the lines of a user that can be read apart from all others: a ``name``, and a ``value`` on the
    same line or ``settings`` below it.
    """
    setting = rf"{TEXT}: +{TEXT}{_END}"
    on_one_line = rf" +(?P<value>{TEXT}){_END}{_BLANK}*"
    indented = (
        rf"{_END}{_BLANK}*(?P<settings>(?P<deeper> {{{indent + 1},}}){setting}"
        rf"(?:{_BLANK}|(?P=deeper){setting})*)"
    )
    return re.compile(rf" {{{indent}}}(?P<name>{TEXT}):(?:{on_one_line}|{indented})")

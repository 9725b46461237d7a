"""Lines of words as pppd reads them: quotes, backslashes, and comments.

pppd(8), "options files": words are separated by whitespace; `#` begins a comment where a word could begin.
Used for options and for secrets, by pppd and accel-ppp alike. This module must not know what words mean.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple


class Line(NamedTuple):
    """A line with at least one word; ``where`` is ``file:number``."""

    where: str
    words: tuple[str, ...]


def lines(text: str, name: str) -> Iterator[Line]:
    """The lines that say something. A backslash at the end of a line joins the next one to it."""
    joined, begun = "", 1
    for number, raw in enumerate(text.splitlines(), 1):
        joined += raw
        if raw.endswith("\\") and not raw.endswith("\\\\"):
            joined = joined[:-1]
            continue
        words = tuple(_words(joined))
        if words:
            yield Line(f"{name}:{begun}", words)
        joined, begun = "", number + 1
    words = tuple(_words(joined))
    if words:
        yield Line(f"{name}:{begun}", words)


def _words(line: str) -> Iterator[str]:
    at = 0
    while at < len(line):
        if line[at].isspace():
            at += 1
        elif line[at] == "#":
            return
        else:
            word, at = _word(line, at)
            yield word


def _word(line: str, at: int) -> tuple[str, int]:
    """The word that begins at ``at``, and where it ends."""
    word: list[str] = []
    quote = ""
    while at < len(line) and (quote or not line[at].isspace()):
        char = line[at]
        if char == "\\" and at + 1 < len(line):
            at += 1
            word.append(line[at])
        elif char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote = char
        else:
            word.append(char)
        at += 1
    return "".join(word), at

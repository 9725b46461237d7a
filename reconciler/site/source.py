"""The lines of a site file, as far as they may be shown.

Shown are keys, and values of settings that are known not to be secret; everything else that carries text is
replaced, also in lines that only stand near a finding, in a value that spans lines, and behind a mistake
that stopped the parser. Comments are left out: a password that begins with ``#`` is one. Neighbours: built
by ``site.load``, used by ``site.report``. Nothing here gives the original text away.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Final, NamedTuple

from reconciler.site.escape import visible, width
from reconciler.site.place import Path, Place
from reconciler.site.secrets import HIDDEN
from reconciler.site.shape import KEYWORDS, holds_keys, is_public, keys_at, takes_names
from reconciler.site.tree import Document, Listing, Node, Scalar, Table

TAB: Final = 4
_LINE_END: Final = re.compile(r"\r?\n")
_KEY: Final = re.compile(r"(?P<indent>\s*(?:- +)?)(?P<key>[\w.@+/-]{1,64}):")
_NAME: Final = re.compile(r"[\w.@+/-]+")
_STRUCTURE: Final = frozenset(" \t:,-[]{}?")


class Excerpt(NamedTuple):
    """A line as it may be shown. ``pieces[n]`` is what stands for character n of the original (nothing, for
    the later ones of something hidden); ``columns[n]`` the terminal column, from 0, at which it begins. One
    more column gives the end.
    """

    pieces: tuple[str, ...]
    columns: tuple[int, ...]


class Source:
    """A named text of which only what is no secret can be got."""

    def __init__(
        self,
        name: str,
        text: str,
        document: Document,
        shown: tuple[Place, ...] = (),
        beside: Callable[[int], tuple[Node, int] | None] = lambda _line: None,
    ) -> None:
        """``document``: what the text says. ``shown``: places whose text is known to be harmless, whatever
        the document says. ``beside``: of a text that says more than the document, what else stands on a
        line, as a site of its own, and how many lines further down than there.
        """
        self.name = name
        self._text = text
        self._document = document
        self._shown = shown
        self._beside = beside
        self._spans: dict[int, list[tuple[Place, bool]]] | None = None
        self._latest: tuple[int, Excerpt | None] = (0, None)

    def __repr__(self) -> str:
        return f"Source({self.name!r}, {len(self._lines)} lines)"

    @cached_property
    def _lines(self) -> list[str]:
        return _LINE_END.split(self._text)

    def excerpt(self, number: int) -> Excerpt | None:
        """Line ``number`` (from 1), None when there is no such line. All that is found in one long line is
        shown for little more than one excerpt of it.
        """
        if self._latest[0] != number:
            self._latest = (number, self._excerpt(number))
        return self._latest[1]

    def _excerpt(self, number: int) -> Excerpt | None:
        if not 1 <= number <= len(self._lines):
            return None
        raw = self._lines[number - 1]
        pieces: list[str] = []
        columns = [0]
        in_secret = False
        for char, seen in zip(raw, self._visibility(number, raw), strict=False):
            if not seen:
                piece = "" if in_secret else HIDDEN
            else:
                piece = " " * (TAB - columns[-1] % TAB) if char == "\t" else visible(char)
            in_secret = not seen
            pieces.append(piece)
            columns.append(columns[-1] + width(piece))
        return Excerpt(tuple(pieces), tuple(columns))

    def _visibility(self, number: int, raw: str) -> list[bool]:
        """For each character of the line, up to a comment, whether it may be seen."""
        if self._spans is None:
            self._spans = self._index()
        known: list[bool | None] = [None] * len(raw)
        for place, seen in (*self._spans.get(number, ()), *self._spans_beside(number)):
            first = place.column - 1 if place.line == number else 0
            last = place.end_column - 1 if place.end_line == number else len(raw)
            known[first:last] = [seen] * (min(last, len(raw)) - first)
        head = self._unread_head(number, raw)
        result: list[bool] = []
        for position, char in enumerate(raw):
            certain = known[position]
            if certain is None and char == "#" and (position == 0 or raw[position - 1] in " \t"):
                break
            result.append(char in _STRUCTURE or position < head if certain is None else certain)
        return result

    def _unread_head(self, number: int, raw: str) -> int:
        """How much of a line behind a mistake may be shown: its key, when it cannot be the rest of a longer
        value.
        """
        broken = self._document.broken
        if broken is None or number <= broken.line:
            return 0
        match = _KEY.match(raw)
        if match is None:
            return 0
        deepest = -1
        if broken.trail:
            path, key = broken.trail[-1]
            inside = broken.open and holds_keys((*path, key.text))
            deepest = len(raw) if inside else key.place.column - 1
        if match["key"] in KEYWORDS or len(match["indent"]) <= deepest:
            return match.end()
        return 0

    def _spans_beside(self, number: int) -> list[tuple[Place, bool]]:
        """What is known of a line beside what the document says of it."""
        found = self._beside(number)
        if found is None:
            return []
        root, below = found
        known: list[tuple[Place, bool]] = []
        _collect(root, (), known, whole=True)
        return [
            (place.moved(below), seen)
            for place, seen in known
            if place.line <= number - below <= place.end_line
        ]

    def _index(self) -> dict[int, list[tuple[Place, bool]]]:
        """What is known of the text, by line."""
        broken = self._document.broken
        known = [(place, True) for place in self._shown]
        if self._document.root is not None:
            _collect(self._document.root, (), known, whole=broken is None)
        if broken is not None:
            known.extend((key.place, _is_name_or_keyword(path, key)) for path, key in broken.trail)
        spans: dict[int, list[tuple[Place, bool]]] = {}
        for place, seen in known:
            for line in range(place.line, place.end_line + 1):
                spans.setdefault(line, []).append((place, seen))
        return spans


def key_is_public(path: Path, key: Scalar, value: Node) -> bool:
    """Whether a key of the mapping at ``path``, in a text that was understood, may be shown: where the
    format has a mapping. One without a value may still be ``password secret``, run together.
    """
    if isinstance(value, Scalar) and value.missing:
        return _is_name_or_keyword(path, key)
    return key.text in KEYWORDS or takes_names(path) or bool(keys_at(path))


def _is_name_or_keyword(path: Path, key: Scalar) -> bool:
    """The stricter rule: for what may be no key at all, such as ``{hunter2``, a password that wants
    quotes.
    """
    return key.text in KEYWORDS or (takes_names(path) and _NAME.fullmatch(key.text) is not None)


def _collect(node: Node, path: Path, known: list[tuple[Place, bool]], *, whole: bool) -> None:
    if isinstance(node, Table):
        for key, value in node.written:
            public = key_is_public(path, key, value) if whole else _is_name_or_keyword(path, key)
            known.append((key.place, public))
            _collect(value, (*path, key.text), known, whole=whole)
    elif isinstance(node, Listing):
        for position, item in enumerate(node.items):
            _collect(item, (*path, position), known, whole=whole)
    else:
        known.append((node.place, is_public(path)))

"""The canonical layout of a site file: white space in its place, and every sign and comment as it was.

Two columns a level, lists further in than their key, one space behind ``:`` and ``,`` and none inside
brackets, two before a comment at least, no white at the ends of lines, one blank line at most, LF or CRLF
throughout. Lines are neither joined nor broken, keys neither sorted nor quoted anew. The result is read again
and compared before anybody gets it. Neighbour: ``site.pieces`` takes a text apart. This module must not know
the keys of a site.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from reconciler.site.compose import compose
from reconciler.site.load import Loaded, load
from reconciler.site.pieces import Edge, Piece, pieces
from reconciler.site.tree import Listing, Node, Scalar, Table

_WHITE: Final = " \t"
_STEP: Final = 2
_BEFORE_COMMENT: Final = 2
_UNREADABLE: Final = frozenset({"E100", "E101", "E105", "E108", "E109", "E110"})
_BLOCK_HEADER: Final = re.compile(r"[|>][+-]?([1-9])?")


class LayoutError(ValueError):
    """A text that cannot be laid out; the message holds no secret. ``loaded`` has the findings that explain
    it, where there are any.
    """

    def __init__(self, message: str, loaded: Loaded | None = None) -> None:
        super().__init__(message)
        self.loaded = loaded


def laid_out(content: bytes, file: str) -> bytes:
    """A text in the canonical layout, valid site or not, as long as it is YAML. ``file`` is what findings
    call it. Raises :class:`LayoutError`.
    """
    loaded = load(content, file)
    if any(finding.code in _UNREADABLE for finding in loaded.findings):
        raise LayoutError(f"{file} cannot be read: mend that first", loaded)
    written = content.decode("utf-8-sig")
    newline = "\r\n" if written.partition("\n")[0].endswith("\r") else "\n"
    text = written.replace("\r\n", "\n")
    root = compose(text).root
    if not isinstance(root, Table):
        raise LayoutError(f"{file} declares nothing: mend that first", loaded)
    items = list(pieces(text))
    result = _Layout(text).write(items)
    if _signs(result, pieces(result)) != _signs(text, items) or not _same(compose(result).root, root):
        raise LayoutError(f"{file} cannot be laid out without changing what it says: it stays as it is")
    return result.replace("\n", newline).encode()


def comments(text: str) -> list[str]:
    """The comments of a text that is YAML, in order; those behind ``|`` and ``>`` belong to the scalar."""
    return _signs(text, pieces(text))[1]


@dataclass(slots=True)
class _Level:
    """A block: its column as it was and as it will be. ``implied``: a list that begins in its key's column,
    which is no block to the parser.
    """

    old: int
    new: int
    sequence: bool
    implied: bool = False


class _Layout:
    """Writes the pieces of a text one after the other."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._out: list[str] = []
        self._column = 0
        self._levels: list[_Level] = []
        self._before: list[_Level] = []
        self._depth = 0
        self._opening: Edge | None = None
        self._entry = False
        self._last: Piece | None = None

    def write(self, items: Iterable[Piece | Edge]) -> str:
        """The whole text, which was taken apart into ``items``."""
        for item in items:
            if isinstance(item, Edge):
                self._edge(item)
            else:
                self._piece(item)
        lines = self._lines_below(self._text[self._last.end if self._last else 0 :])
        self._own_lines(lines, None, 0)
        # Behind a block scalar that ends without one, a line's end would become part of it.
        ends = self._last is None or self._last.kind != "block" or lines
        return "".join(self._out) + ("\n" if self._out and ends else "")

    def _edge(self, edge: Edge) -> None:
        if edge.bound == "end":
            self._close_implied()
            self._levels.pop()
        elif edge.bound == "entry":
            if not self._depth:
                self._close_implied()
            self._entry = True
        else:
            self._opening = edge

    def _close_implied(self) -> None:
        if self._levels and self._levels[-1].implied:
            self._levels.pop()

    def _piece(self, piece: Piece) -> None:
        if piece.kind == "-" and self._opening is None and not self._levels[-1].sequence:
            self._opening = Edge("sequence", piece.column)
            implied = True
        else:
            implied = False
        if piece.kind == "close":
            self._depth -= 1
        gap = self._text[self._last.end if self._last else 0 : piece.begin]
        if self._last is None or "\n" in gap:
            self._new_line(piece, gap, implied)
        else:
            self._put(_space(self._last, piece, gap))
            self._open(self._column, implied)
        self._put_piece(piece)
        if piece.kind == "open":
            self._depth += 1
        self._last, self._before, self._entry = piece, list(self._levels), False

    def _new_line(self, piece: Piece, gap: str, implied: bool) -> None:
        lines = self._lines_below(gap)
        indent = self._indent(piece)
        self._own_lines(lines[:-1], piece, indent)
        self._break(blank=len(lines) > 1 and not lines[-2])
        self._put(" " * indent)
        self._open(indent, implied)

    def _indent(self, piece: Piece) -> int:
        """Where a piece goes that begins a line."""
        if piece.kind == "marker" or not self._levels:
            return 0 if piece.kind == "marker" else _STEP * self._depth
        if self._depth or piece.kind == "close":
            return self._base() + _STEP * self._depth
        begins = self._entry or piece.kind in {"-", "?", ":"}
        return self._base() + (0 if begins and self._opening is None else _STEP)

    def _open(self, column: int, implied: bool) -> None:
        if self._opening is not None:
            sequence = self._opening.bound == "sequence"
            self._levels.append(_Level(self._opening.column, column, sequence, implied))
            self._opening = None

    def _lines_below(self, gap: str) -> list[str]:
        """The lines of a gap below the last piece's, whose comment is written."""
        first, *lines = (line.rstrip(_WHITE) for line in gap.split("\n"))
        if self._last is None:
            return [first, *lines]
        comment = first.lstrip(_WHITE)
        if comment:
            self._put(" " * max(_BEFORE_COMMENT, len(first) - len(comment)) + comment)
        return lines

    def _own_lines(self, lines: list[str], following: Piece | None, indent: int) -> None:
        """Comments that have lines of their own, and the blank lines before them."""
        for position, line in enumerate(lines):
            if line:
                self._break(blank=position > 0 and not lines[position - 1])
                comment = line.lstrip(_WHITE)
                self._put(" " * self._comment_indent(len(line) - len(comment), following, indent) + comment)

    def _comment_indent(self, column: int, following: Piece | None, indent: int) -> int:
        """As far in as the nearest of the blocks that were open, and of what follows."""
        depth = self._depth + (following is not None and following.kind == "close")
        if depth:
            return self._base() + _STEP * depth
        known = [(abs(level.old - column), level.new) for level in reversed(self._before)]
        if following is not None:
            known.insert(0, (abs(following.column - column), indent))
        return min(known, key=lambda pair: pair[0], default=(0, 0))[1]

    def _base(self) -> int:
        """Where the entry that is being written begins."""
        return self._levels[-1].new if self._levels else 0

    def _put_piece(self, piece: Piece) -> None:
        text = self._text[piece.begin : piece.end]
        if "\n" not in text:
            self._put(text)
        elif piece.kind == "block":
            self._put("\n".join(self._block(text)))
        else:
            first, *rest = text.split("\n")
            hang = " " * (self._base() + _STEP * (self._depth + 1))
            plain = text[0] not in "'\""
            lines = [first, *(hang + line.lstrip(_WHITE) if line.strip(_WHITE) else "" for line in rest)]
            self._put("\n".join(line.rstrip(_WHITE) if plain else line for line in lines))

    def _block(self, text: str) -> list[str]:
        """The lines of a block scalar, whose own indentation stays relative."""
        header, *lines = text.split("\n")
        level = self._levels[-1] if self._levels else _Level(-_STEP, -_STEP, sequence=False)
        given = _BLOCK_HEADER.match(header)
        if given and given[1]:
            old = max(level.old, 0) + int(given[1])
            new = max(level.new, 0) + int(given[1])
        else:
            indents = (len(line) - len(line.lstrip(" ")) for line in lines if line.strip(" "))
            old = next(indents, max(map(len, lines)))
            new = level.new + _STEP
        shifted = [" " * new + line[old:] if line[old:] else "" for line in lines]
        while shifted and not shifted[-1] and "+" not in header.partition("#")[0]:
            shifted.pop()
        return [header.rstrip(_WHITE), *shifted]

    def _break(self, *, blank: bool) -> None:
        if self._out:
            self._put("\n\n" if blank else "\n")

    def _put(self, text: str) -> None:
        self._out.append(text)
        newline = text.rfind("\n")
        self._column = len(text) - newline - 1 if newline >= 0 else self._column + len(text)


def _space(last: Piece, piece: Piece, gap: str) -> str:
    """What stands between two pieces of one line."""
    if piece.kind == ":":
        return "" if last.kind == "scalar" else gap[:1]
    if piece.kind in {",", "close"}:
        return " " if last.kind in {":", "-", "?"} else ""
    return "" if last.kind == "open" else " "


def _signs(text: str, items: Iterable[Piece | Edge]) -> tuple[list[str], list[str]]:
    """What is written beside white space and scalars, and the comments."""
    signs: list[str] = []
    gaps: list[str] = []
    end = 0
    for item in items:
        if isinstance(item, Piece):
            gaps.append(text[end : item.begin])
            end = item.end
            if item.kind not in {"scalar", "block"}:
                signs.append(text[item.begin : item.end])
    gaps.append(text[end:])
    lines = (line.strip(_WHITE) for gap in gaps if not gap.isspace() for line in gap.split("\n"))
    return signs, [line for line in lines if line]


def _same(one: Node | None, other: Node | None) -> bool:
    """Whether two trees say the same, wherever it stands."""
    if isinstance(one, Scalar) and isinstance(other, Scalar):
        return (one.text, one.plain) == (other.text, other.plain)
    if isinstance(one, Listing) and isinstance(other, Listing):
        return len(one.items) == len(other.items) and all(map(_same, one.items, other.items))
    if isinstance(one, Table) and isinstance(other, Table):
        return len(one.written) == len(other.written) and all(
            _same(key, other_key) and _same(value, other_value)
            for (key, value), (other_key, other_value) in zip(one.written, other.written, strict=True)
        )
    return type(one) is type(other)

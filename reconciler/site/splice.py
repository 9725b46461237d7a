"""One entry of a mapping put in, taken out or given another value, by splicing the text at its marks.

Every character outside the splice stays as it is: comments, indentation, quotes, line ends. Entries are
written in the style of the mapping that gets them. Layouts that are not foreseen here give a wrong text, not
an error: ``site.edit`` reads every result again before anybody sees it. This module knows texts and trees;
it must not know the keys of a site.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from reconciler.site.place import Place
from reconciler.site.tree import Listing, Node, Scalar, Table

Value = str | Mapping[str, str]
"""What an entry says, as YAML already: a scalar, or a mapping of scalars."""

Splice = tuple[int, int, str]
"""From which character of the text to which, and what is to stand there."""

_STEP: Final = 2
_COLON: Final = re.compile(r"[ \t]*:[ \t]+")
_PROPERTIES: Final = re.compile(r"(?:[&!][^\s,\[\]{}]*\s+)*")
_TO_COMMA: Final = re.compile(r"(?:\s|(?<=\s)#[^\n]*+)*,")
_REST_OF_LINE: Final = re.compile(r"[ \t]*,?[ \t]*(?:(?<=[ \t])#[^\n]*)?\r?(?:\n|\Z)")


def in_flow(value: Value) -> str:
    """A value on one line, with braces if it is a mapping."""
    if isinstance(value, str):
        return value
    return "{" + ", ".join(f"{key}: {inner}" for key, inner in value.items()) + "}"


class Text:
    """A text with the tree that was composed from it. Each edit gives back the whole new text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def is_flow(self, node: Listing | Table) -> bool:
        """Whether a collection is written in brackets."""
        begin = self._at(node.place)
        match = _PROPERTIES.match(self._text, begin)
        return self._text[match.end() if match else begin :][:1] in {"{", "["}

    def indent(self, table: Table) -> int:
        """How far the keys of a mapping in block style are indented."""
        place = table.written[0][0].place
        before = self._text[self._starts[place.line - 1] : self._at(place)]
        return len(before) - len(before.lstrip(" ")) if before.strip() in {"", "?"} else place.column - 1

    def replace(self, node: Scalar, value: Value) -> str:
        """Give what stands in place of a single value something else to say."""
        return self.spliced([self.replacing(node, value)])

    def replacing(self, node: Scalar, value: Value) -> Splice:
        """What :meth:`replace` does, as one of several splices."""
        return self._at(node.place), self._end(node), in_flow(value)

    def exchanging(self, table: Table, name: str, key: str, value: str) -> Splice:
        """Another entry in an entry's place."""
        old, node = table.written[table.index[name]]
        return self._at(old.place), self._end(node), f"{key}: {value}"

    def nesting(self, table: Table, name: str, key: str, value: str) -> Splice:
        """A single value gives way to a mapping of one entry: on a line of its own where it stood on one with
        its key, in braces elsewhere.
        """
        old, node = table.written[table.index[name]]
        assert isinstance(node, Scalar), "only a single value is nested"
        between = self._text[self._end(old) : self._at(node.place)]
        if self.is_flow(table) or node.place.line != node.place.end_line or not _COLON.fullmatch(between):
            return self.replacing(node, {key: value})
        lines = f":{self._newline()}{' ' * (self.indent(table) + _STEP)}{key}: {value}"
        return self._end(old), self._end(node), lines

    def spliced(self, splices: Iterable[Splice]) -> str:
        """Several splices at once, which must not overlap."""
        pieces: list[str] = []
        at = 0
        for begin, end, text in sorted(splices):
            pieces += self._text[at:begin], text
            at = end
        return "".join((*pieces, self._text[at:]))

    def append(self, table: Table, key: str, value: Value, step: int | None) -> str:
        """Put an entry behind the others of a mapping that has some.

        ``step``: how much further than ``key`` the keys of a mapping are indented; None writes it in braces.
        """
        if self.is_flow(table):
            return self._append_flow(table, f"{key}: {in_flow(value)}")
        own = " " * self.indent(table)
        lines = [f"{own}{key}: {in_flow(value)}"]
        if step is not None and not isinstance(value, str):
            inner = own + " " * step
            lines = [f"{own}{key}:", *(f"{inner}{name}: {text}" for name, text in value.items())]
        last_key, last = table.written[-1]
        at = self._line_end(max(self._end(last), self._end(last_key)))
        newline = self._newline()
        return self._text[:at] + "".join(newline + line for line in lines) + self._text[at:]

    def remove(self, table: Table, name: str) -> str:
        """Take an entry out of a mapping: with its lines where it has lines of its own."""
        position = table.index[name]
        key, value = table.written[position]
        begin, end = self._at(key.place), max(self._end(value), self._end(key))
        line = self._starts[key.place.line - 1]
        alone = not self._text[line:begin].strip(" ?")
        if not self.is_flow(table):
            return self._text[:line] + self._text[self._next_line(end) :]
        rest = _REST_OF_LINE.match(self._text, end)
        if alone and rest:
            return self._text[:line] + self._text[rest.end() :]
        if position + 1 < len(table.written) and (alone or position == 0):
            end = self._at(table.written[position + 1][0].place)
        elif position and not alone:
            begin = self._end(table.written[position - 1][1])
        return self._text[:begin] + self._text[end:]

    def _append_flow(self, table: Table, entry: str) -> str:
        key, value = table.written[-1]
        end = self._end(value)
        line = self._starts[key.place.line - 1]
        lead = self._text[line : self._at(key.place)]
        comma = _TO_COMMA.match(self._text, end)
        after = comma.end() if comma else end
        close = self._at_end(table.place) - 1
        eol = self._line_end(after)
        if lead.strip() or close < eol:
            return f"{self._text[:after]}{' ' if comma else ', '}{entry}{self._text[after:]}"
        head = self._text[:eol] if comma else f"{self._text[:end]},{self._text[end:eol]}"
        return f"{head}{self._newline()}{lead}{entry}{',' if comma else ''}{self._text[eol:]}"

    def _at(self, place: Place) -> int:
        return self._starts[place.line - 1] + place.column - 1

    def _at_end(self, place: Place) -> int:
        return self._starts[place.end_line - 1] + place.end_column - 1

    def _end(self, node: Node) -> int:
        """Where what is written of a node ends: the parser's mark is further on for a block."""
        if isinstance(node, Table) and node.written and not self.is_flow(node):
            return self._end(node.written[-1][1])
        if isinstance(node, Listing) and node.items and not self.is_flow(node):
            return self._end(node.items[-1])
        end = self._at_end(node.place)
        return len(self._text[self._at(node.place) : end].rstrip()) + self._at(node.place)

    def _line_end(self, at: int) -> int:
        """The end of the line at ``at``, before its line break."""
        end = self._text.find("\n", at)
        end = len(self._text) if end < 0 else end
        return end - 1 if self._text[at:end].endswith("\r") else end

    def _next_line(self, at: int) -> int:
        end = self._text.find("\n", at)
        return len(self._text) if end < 0 else end + 1

    def _newline(self) -> str:
        first = self._text.find("\n")
        return "\r\n" if self._text[max(first - 1, 0) : first] == "\r" else "\n"

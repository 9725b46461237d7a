"""Where something stands in a text: the one notion of position shared by findings, plans and edits.

It must not know what the text says.
"""

from __future__ import annotations

from typing import NamedTuple

Path = tuple[str | int, ...]
"""The way to a value from the top of the file: keys and list positions, e.g. ``("users", "theo", "ip")``."""


class Place(NamedTuple):
    """A range of characters. Lines and columns count from 1; the end is the first position after the
    range.
    """

    line: int
    column: int
    end_line: int
    end_column: int

    def moved(self, lines: int) -> Place:
        """The same range ``lines`` further down."""
        return self._replace(line=self.line + lines, end_line=self.end_line + lines) if lines else self

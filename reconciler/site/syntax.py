"""The YAML parser's complaints in an operator's words.

The parser's own texts are fixed phrases that quote nothing from the file, so those that are not translated
here may be shown as they are. This module must not know the tree or the site.
"""

from __future__ import annotations

from typing import Final

from ruamel.yaml.error import MarkedYAMLError

from reconciler.site.diagnostic import Diagnostic, Related
from reconciler.site.place import Place

_NO_BEGINNING: Final = "found character that cannot start any token"
_TAB: Final = ("a tab where indentation is expected", "indent with spaces, never with tabs")
_WORDS: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "mapping values are not allowed",
        "a second `:` on this line, or an entry where none can be",
        "look for a missing space after `:` here or on the line above; quote a value that contains `: `",
    ),
    (
        "could not find expected ':'",
        "a `:` is missing after a key",
        "write `key: value`, with a space after the colon",
    ),
    (
        _NO_BEGINNING,
        "a character that cannot begin a value",
        "quote a value that begins with `%`, `@` or a backtick",
    ),
    (
        "found unexpected ':'",
        "a `:` without a space behind it",
        "write `key: value`; quote a value with a `:` in it",
    ),
    (
        "block sequence entries are not allowed",
        "a `-` where no list can begin",
        "begin a list on a line of its own; quote a value that is just `-`",
    ),
    ("found a tab character", *_TAB),
    (
        "found unexpected end of stream",
        "a quoted text has no end",
        "close the quote that is opened here",
    ),
    (
        "found unexpected document indicator",
        "a document marker stands inside a quoted text",
        "close the quote that is opened here",
    ),
    (
        "found unknown escape character",
        "an unknown escape in double quotes",
        "write a backslash twice, or use single quotes",
    ),
    (
        "did not find expected key",
        "the indentation does not fit, or something follows a value that is complete",
        "line the keys of one mapping up; quote a whole value, not a part of it",
    ),
    (
        "did not find expected '-' indicator",
        "the indentation of a list does not fit",
        "line its `-` up; what follows the list starts further left",
    ),
    ("did not find expected ',' or '}'", "a `{` is not closed, or a comma is missing", "close it with `}`"),
    ("did not find expected ',' or ']'", "a `[` is not closed, or a comma is missing", "close it with `]`"),
    (
        "did not find expected <document start>",
        "something follows the end of the document",
        "remove the line `...`, or what follows it",
    ),
    ("found incompatible YAML document", "an unknown YAML version", "remove the %YAML line"),
)

_BEGUN: Final = (
    ("flow", "this bracket is opened here"),
    ("mapping", "this mapping begins here"),
    ("scalar", "this value begins here"),
)
"""What the parser was reading, in the order in which to look."""


def explain(error: MarkedYAMLError, text: str) -> Diagnostic:
    """The parser's error about a text as a finding (E101), with the place where the unfinished thing began,
    if another.
    """
    problem = error.problem or "cannot be read"
    message, advice = next(((said, way) for phrase, said, way in _WORDS if phrase in problem), (problem, ""))
    place, start = _place(error.problem_mark), _place(error.context_mark)
    if _NO_BEGINNING in problem and place is not None and _is_tab(text, place):
        message, advice = _TAB
    related: tuple[Related, ...] = ()
    if start is not None and any(
        phrase in (error.context or "") for phrase in ("simple key", "quoted scalar")
    ):
        # The parser notices on another line, or at the file's end, what is missing here.
        place = start if start.line != getattr(place, "line", 0) else place
    elif start is not None and place is not None and start.line != place.line:
        label = next((label for phrase, label in _BEGUN if phrase in (error.context or "")), "begun here")
        related = (Related(start, label),)
    return Diagnostic("E101", f"not YAML: {message}", place, "", advice, related)


def _is_tab(text: str, place: Place) -> bool:
    line = text.split("\n", place.line)[place.line - 1]
    return line[place.column - 1 : place.column] == "\t"


def _place(mark: object) -> Place | None:
    line, column = getattr(mark, "line", None), getattr(mark, "column", None)
    if line is None or column is None:
        return None
    return Place(line + 1, column + 1, line + 1, column + 2)

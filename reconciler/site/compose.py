"""From YAML text to a tree, in one parse, whatever the text.

The C parser's events are taken one by one instead of its composed nodes, whose recursion a deep file would
crash: here depth and the growth by aliases are bounded, and what was understood before a mistake is kept, so
that an excerpt can be shown without the secrets in it. This module knows YAML; it must not know the keys of
a site.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from ruamel.yaml.cyaml import CSafeLoader
from ruamel.yaml.error import MarkedYAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    DocumentStartEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceStartEvent,
)

from reconciler.site.diagnostic import Diagnostic
from reconciler.site.place import Path, Place
from reconciler.site.syntax import explain
from reconciler.site.tree import Break, Document, Listing, Node, Scalar, Table, Unreadable

MAX_DEPTH: Final = 16
"""Levels of nesting; a site has four."""
MAX_BY_ALIAS: Final = 1_000_000
"""Values that aliases may add: above what 100,000 users need, below what would hurt."""

_CORE: Final = "tag:yaml.org,2002:"
_NO_TYPE: Final = frozenset({None, "!", _CORE + "str", _CORE + "map", _CORE + "seq"})
"""Tags that say no more than what a site's values are anyway: text, mappings, lists."""


def compose(text: str) -> Document:
    """Read text without control characters, whose lines end in LF or CRLF. Never raises."""
    composer = _Composer()
    loader = CSafeLoader(text)
    try:
        while composer.reading and loader.check_event():
            composer.take(loader.get_event())
    except MarkedYAMLError as error:
        composer.stop(explain(error, text))
    return composer.document


class _Anchored(NamedTuple):
    """A node that aliases may repeat, with its number of values and its levels, aliases followed."""

    node: Node
    weight: int
    height: int


@dataclass(slots=True)
class _Frame:
    """A collection that is still being read; ``key`` waits for its value."""

    node: Listing | Table
    anchor: str | None
    key: Scalar | None = None
    weight: int = 1
    height: int = 1

    def grow(self, weight: int, height: int) -> None:
        self.weight += weight
        if height >= self.height:
            self.height = height + 1

    def last_key(self) -> Scalar | None:
        if self.key is None and isinstance(self.node, Table) and self.node.written:
            return self.node.written[-1][0]
        return self.key


class _Composer:
    """Turns events into a tree without recursion.

    A node joins its parent when it begins, so that the tree is of use when the text breaks off.
    """

    def __init__(self) -> None:
        self.document = Document()
        self.reading = True
        self._stack: list[_Frame] = []
        self._anchors: dict[str, _Anchored] = {}
        self._by_alias = 0
        self._begun = False
        self._last: Any = None

    def take(self, event: Any) -> None:
        """One event of the parser."""
        self._last = event
        if isinstance(event, ScalarEvent):
            self._scalar(event)
        elif isinstance(event, MappingStartEvent):
            self._open(event, Table(_place(event)))
        elif isinstance(event, SequenceStartEvent):
            self._open(event, Listing(_place(event)))
        elif isinstance(event, CollectionEndEvent):
            self._close()
        elif isinstance(event, AliasEvent):
            self._alias(event)
        elif isinstance(event, DocumentStartEvent):
            self._begin(event)

    def stop(self, finding: Diagnostic) -> None:
        """Read no further: what follows cannot be understood, or would cost too much."""
        self.document.findings.append(finding)
        trail: list[tuple[Path, Scalar]] = []
        path: Path = ()
        for frame in self._stack:
            key = frame.last_key()
            if isinstance(frame.node, Listing):
                path = (*path, len(frame.node.items) - 1)
            elif key is not None:
                trail.append((path, key))
                path = (*path, key.text)
        is_open = bool(self._stack) and self._stack[-1].key is not None
        self.document.broken = Break(*self._end(), tuple(trail), is_open)
        self.reading = False

    def _end(self) -> tuple[int, int]:
        """Where the last event ended."""
        return (1, 1) if self._last is None else _place(self._last)[2:]

    def _say(self, code: str, message: str, place: Place, label: str, advice: str) -> None:
        self.document.findings.append(Diagnostic(code, message, place, label, advice))

    def _begin(self, event: Any) -> None:
        if self._begun:
            advice = "one file declares one site: move what follows to a file of its own"
            self._say("E109", "a second document begins", _place(event), "the first one ends here", advice)
            self.reading = False
        self._begun = True
        if event.version not in {None, (1, 2)}:
            line = event.start_mark.line + 1
            version = ".".join(map(str, event.version))
            advice = "remove this line: the file is YAML 1.2, and every value keeps its text"
            self._say("E106", f"YAML {version} is asked for", Place(line, 1, line, 10), "", advice)

    def _scalar(self, event: Any) -> None:
        place = _place(event)
        node: Node = Scalar(event.value, place, not event.style)
        if event.tag not in _NO_TYPE:
            node = self._refused(place)
        if event.anchor:
            self._anchors[event.anchor] = _Anchored(node, 1, 0)
        self._put(node)
        self._grow(1, 0)

    def _open(self, event: Any, node: Listing | Table) -> None:
        self._put(node if event.tag in _NO_TYPE else self._refused(node.place))
        self._stack.append(_Frame(node, event.anchor))
        self._limit_depth(len(self._stack), node.place)

    def _close(self) -> None:
        frame = self._stack.pop()
        start = frame.node.place
        frame.node.place = Place(start.line, start.column, *self._end())
        if frame.anchor:
            self._anchors[frame.anchor] = _Anchored(frame.node, frame.weight, frame.height)
        self._grow(frame.weight, frame.height)

    def _alias(self, event: Any) -> None:
        place = _place(event)
        known = self._anchors.get(event.anchor)
        if known is None:
            advice = "write the value out; quote a value that begins with `*`"
            self._say("E108", "an alias of nothing that stands complete before it", place, "", advice)
            self._put(Unreadable(place))
            return
        self._by_alias += known.weight
        if self._by_alias > MAX_BY_ALIAS:
            message = f"the aliases stand for more than {MAX_BY_ALIAS:,} values"
            self.stop(Diagnostic("E110", message, place, help="write the values out"))
            return
        self._limit_depth(len(self._stack) + known.height, place)
        # The repeated value is reported where it is repeated.
        self._put(known.node._replace(place=place) if isinstance(known.node, Scalar) else known.node)
        self._grow(known.weight, known.height)

    def _limit_depth(self, depth: int, place: Place) -> None:
        if depth > MAX_DEPTH:
            message = f"nested more than {MAX_DEPTH} levels deep"
            self.stop(Diagnostic("E110", message, place, help="no site needs that: is a bracket left open?"))

    def _grow(self, weight: int, height: int) -> None:
        if self._stack:
            self._stack[-1].grow(weight, height)

    def _put(self, node: Node) -> None:
        """Give a node its place in the tree: the root, a list's item, a key, or the waiting key's value."""
        if not self._stack:
            self.document.root = self.document.root or node
            return
        frame = self._stack[-1]
        if isinstance(frame.node, Listing):
            frame.node.items.append(node)
        elif frame.key is None:
            frame.key = self._as_key(node)
        else:
            frame.node.add(frame.key, node)
            frame.key = None

    def _as_key(self, node: Node) -> Scalar:
        if isinstance(node, Scalar) and node.plain and node.text == "<<":
            advice = "write the entries out; quote `<<` if it is a name"
            self._say("E111", "merge keys are not supported", node.place, "", advice)
        elif isinstance(node, Scalar) and not node.missing:
            return node
        elif not isinstance(node, Unreadable):
            self._say("E111", "a key must be plain text", node.place, "", "write `key: value`")
        return Scalar("", node.place, plain=True)

    def _refused(self, place: Place) -> Unreadable:
        advice = "remove it: the keys have fixed types; quote a value that begins with `!`"
        self._say("E107", "a YAML tag, which could change what the value is", place, "", advice)
        return Unreadable(place)


def _place(event: Any) -> Place:
    start, end = event.start_mark, event.end_mark
    return Place(start.line + 1, start.column + 1, end.line + 1, end.column + 1)

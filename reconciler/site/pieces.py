"""A YAML text as the pieces that are written in it, and where its blocks begin and end.

Everything between two pieces is white, line breaks or comments, so that a text can be laid out anew without
losing any. Neighbours: ``site.layout`` puts the pieces in their places; ``site.compose`` reads values. This
module knows YAML's signs; it must not know what they mean to a site.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from ruamel.yaml.cyaml import CSafeLoader
from ruamel.yaml.tokens import (
    AliasToken,
    AnchorToken,
    BlockEndToken,
    BlockEntryToken,
    BlockMappingStartToken,
    BlockSequenceStartToken,
    DirectiveToken,
    DocumentEndToken,
    DocumentStartToken,
    FlowEntryToken,
    FlowMappingEndToken,
    FlowMappingStartToken,
    FlowSequenceEndToken,
    FlowSequenceStartToken,
    KeyToken,
    ScalarToken,
    TagToken,
    ValueToken,
)

Kind = Literal["scalar", "block", "alias", "property", "open", "close", ",", ":", "?", "-", "marker"]
Bound = Literal["mapping", "sequence", "entry", "end"]

_KINDS: Final[dict[type, Kind]] = {
    AliasToken: "alias",
    AnchorToken: "property",
    TagToken: "property",
    FlowMappingStartToken: "open",
    FlowSequenceStartToken: "open",
    FlowMappingEndToken: "close",
    FlowSequenceEndToken: "close",
    FlowEntryToken: ",",
    ValueToken: ":",
    BlockEntryToken: "-",
    DirectiveToken: "marker",
    DocumentStartToken: "marker",
    DocumentEndToken: "marker",
}
_BOUNDS: Final[dict[type, Bound]] = {
    BlockMappingStartToken: "mapping",
    BlockSequenceStartToken: "sequence",
    BlockEndToken: "end",
}


class Piece(NamedTuple):
    """Something written: ``text[begin:end]``. ``column`` counts from 0. A ``block`` is a scalar behind ``|``
    or ``>``; ``property`` an anchor or a tag; ``open`` and ``close`` are brackets.
    """

    kind: Kind
    begin: int
    end: int
    column: int


class Edge(NamedTuple):
    """Where a block, or an ``entry`` of a mapping, begins, or a block ends: nothing is written there."""

    bound: Bound
    column: int


def pieces(text: str) -> Iterator[Piece | Edge]:
    """The pieces and edges of a text in order. Line ends are LF. Raises ruamel's ``MarkedYAMLError`` where
    the text is not YAML.
    """
    loader = CSafeLoader(text)
    while loader.check_token():
        token = loader.get_token()
        begin, end, column = token.start_mark.index, token.end_mark.index, token.start_mark.column
        kind = type(token)
        if kind is ScalarToken:
            yield _scalar(text, begin, end, column)
        elif kind is KeyToken:
            yield Edge("entry", column)
            if end > begin:
                yield Piece("?", begin, end, column)
        elif kind in _KINDS:
            yield Piece(_KINDS[kind], begin, end, column)
        elif kind in _BOUNDS:
            yield Edge(_BOUNDS[kind], column)


def _scalar(text: str, begin: int, end: int, column: int) -> Piece:
    """The parser lets a block scalar end where the next line with something on it begins."""
    if text[begin] not in "|>":
        return Piece("scalar", begin, end, column)
    header = text[begin:end].partition("\n")[0].partition("#")[0]
    written = text[begin:end].removesuffix("\n") if "+" in header else text[begin:end].rstrip("\n")
    return Piece("block", begin, begin + len(written), column)

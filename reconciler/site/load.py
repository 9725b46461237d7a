"""From the text of a site file to a site, or to everything that is wrong with it.

One parse gives values and places; the model and the cross-checks then report independently. Whatever the
text, the answer is a site or at least one error: an empty or broken file never means "no users". This module
must not read files, nor know what the site is for.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import ValidationError

from reconciler.garbage import uncollected
from reconciler.site.checks import cross_check
from reconciler.site.compose import compose
from reconciler.site.diagnostic import Diagnostic, Related, has_errors, in_order
from reconciler.site.facts import users_of
from reconciler.site.findings import given_again, no_value, refused, unknown_key, users_in
from reconciler.site.increment import Beside, Known, Part, Places, part
from reconciler.site.lint import judged, notes
from reconciler.site.model import Site
from reconciler.site.place import Path, Place
from reconciler.site.secrets import copied
from reconciler.site.shape import keys_at
from reconciler.site.source import Source
from reconciler.site.tree import Document, Listing, Node, Plain, Scalar, Table, Unreadable, spots

MAX_OCTETS: Final = 64 * 1024 * 1024
"""Far larger than a site of 100,000 users; what is larger is some other file."""

_UNWELCOME: Final = (
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|\r(?!\n)"
)
"""What YAML does not allow, and what it takes for a line's end but an editor does not: a pattern, which takes
longer to compile than most files to read, and which few need.
"""

_ORDINARY: Final = bytes((*b"\t\n", *range(0x20, 0x7F)))
"""Octets of which most files consist, and which stand for themselves."""

_MERGE_MARK: Final = re.compile(r"^(?:<{7}|>{7}|\|{7}) .*$|^={7}$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a text says. ``site`` is None when any finding is an error; there are no ``places`` then.

    ``places`` tells where each thing is declared, by path: ``("users", "theo")``, ``("mtu",)``; a served
    interface has ``("interface", "eth0")`` however it is written. ``source`` shows lines to ``site.report``.
    ``notes`` are no findings: what is only worth knowing.
    """

    site: Site | None
    findings: tuple[Diagnostic, ...]
    places: Mapping[Path, Place]
    source: Source
    notes: tuple[Diagnostic, ...] = ()


def load(text: bytes | str, name: str, *, denying: bool = True) -> Loaded:
    """Read a site file's text. ``name`` is what findings call the file. ``denying``: what the file denies is
    an error. Never raises.
    """
    return Loader().load(text, name, denying=denying)


class Loader:
    """Reads one file's texts, each as :func:`load` would, but in the time that what is new in it takes."""

    def __init__(self) -> None:
        self._known: Known | None = None

    def load(self, text: bytes | str, name: str, *, denying: bool = True) -> Loaded:
        """See :func:`load`. What was right in the last text is remembered, passwords included."""
        with uncollected():
            loaded, known = _load(text, name, self._known)
        self._known = known or self._known
        return _judged(loaded, denying=denying)


def _load(text: bytes | str, name: str, known: Known | None) -> tuple[Loaded, Known | None]:
    """What a text says, and what of it may be ``known`` when the next is read."""
    if len(text) > MAX_OCTETS:
        size = Diagnostic("E110", f"larger than {MAX_OCTETS // 1024**2} MiB", help="is this the right file?")
        return Loaded(None, (size,), {}, Source(name, "", Document())), None
    if isinstance(text, bytes) and text.startswith((b"\xff\xfe", b"\xfe\xff")):
        utf16 = Diagnostic("E100", "the file is UTF-16", help="save the file as UTF-8")
        return Loaded(None, (utf16,), {}, Source(name, "", Document())), None
    clean, findings = _clean(text)
    marks = _merge_marks(clean)
    if marks:
        shown = [mark.place for mark in marks if mark.place]
        shown += [related.place for mark in marks for related in mark.related]
        source = Source(name, clean, Document(), tuple(shown))
        return Loaded(None, in_order([*findings, *marks]), {}, source), None
    piece = None if findings else part(clean, known)
    if piece is not None and (read := _read_part(piece, clean, name)) is not None:
        return read
    document = piece.document if piece is not None and piece.whole else compose(clean)
    return _read_whole(document, clean, name, findings), None


def _read_part(piece: Part, clean: str, name: str) -> tuple[Loaded, Known | None] | None:
    """None: two users have the same name, which is told of the whole."""
    facts = piece.facts()
    if facts is None:
        return None
    crossed = piece.crossed(facts)
    if crossed is None:
        crossed = tuple(cross_check(piece.root, piece.everybody(facts)))
    declared, findings = _declared(piece.root, piece.said())
    findings += crossed
    if isinstance(declared, ValidationError):
        fuller = piece.with_parsed(users_in(declared))
        if fuller is None:
            return None
        piece = fuller
        findings += refused(declared, piece.root)
    source = Source(name, clean, piece.document, beside=Beside(piece.segments))
    if isinstance(declared, ValidationError) or has_errors(findings):
        return Loaded(None, in_order(findings), {}, source), None
    known = piece.completed(clean, facts, declared.users, crossed)
    site = declared.model_copy(update={"users": known.users})
    places = Places(piece.root, known, dict(_interfaces(piece.root)))
    return Loaded(site, in_order(findings), places, source, notes(site, places)), known


def _read_whole(document: Document, clean: str, name: str, findings: list[Diagnostic]) -> Loaded:
    if not findings or document.broken is None:
        # What is broken only after a replacement is no finding of its own.
        findings += document.findings
    site: Site | None = None
    if document.broken is None:
        root = document.root
        site, more = _read(root, cross_check(root, users_of(root)) if isinstance(root, Table) else ())
        findings += more
    directives = tuple(finding.place for finding in findings if finding.code == "E106" and finding.place)
    source = Source(name, clean, document, directives)
    if has_errors(findings):
        return Loaded(None, in_order(findings), {}, source)
    places = _places(document.root)
    return Loaded(site, in_order(findings), places, source, notes(site, places) if site else ())


def _judged(loaded: Loaded, *, denying: bool) -> Loaded:
    """With what takes the whole site to see, and what the file itself denies, as errors."""
    site = loaded.site
    if site is None:
        return loaded
    more = copied(site, loaded.places)
    denied = site.deny_warnings if denying else ()
    if not more and not denied:
        return loaded
    findings = in_order(judged((*loaded.findings, *more), loaded.notes, denied))
    return Loaded(None, findings, {}, loaded.source) if has_errors(findings) else loaded


def _clean(text: bytes | str) -> tuple[str, list[Diagnostic]]:
    """Text that the parser takes, with findings for what had to be replaced to get there."""
    if isinstance(text, bytes) and not text.translate(None, _ORDINARY):
        return text.decode(), []
    findings: list[Diagnostic] = []
    if isinstance(text, bytes):
        try:
            decoded = text.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            before = error.object[: error.start].decode("utf-8-sig", errors="replace")
            message = f"octet 0x{error.object[error.start]:02x} is not UTF-8"
            findings.append(Diagnostic("E100", message, _after(before), help="save the file as UTF-8"))
            decoded = text.decode("utf-8-sig", errors="replace")
    else:
        decoded = text.removeprefix("\ufeff")
    match = re.search(_UNWELCOME, decoded)
    if match is not None:
        message = f"character U+{ord(match[0]):04X}, which cannot stand in a text"
        advice = "remove it, or write it as an escape in double quotes"
        findings.append(Diagnostic("E100", message, _after(decoded[: match.start()]), help=advice))
        decoded = re.sub(_UNWELCOME, "\ufffd", decoded)
    return decoded, findings


def _after(text: str) -> Place:
    """The place of the character that follows ``text``."""
    line = text.count("\n") + 1
    column = len(text) - text.rfind("\n")
    return Place(line, column, line, column + 1)


def _merge_marks(text: str) -> list[Diagnostic]:
    """A finding for each conflict that a merge left behind."""
    marks = list(_MERGE_MARK.finditer(text)) if "<<<<<<< " in text else []
    places = [(mark[0][0], _after(text[: mark.start()])) for mark in marks]
    findings = []
    for position, (sign, start) in enumerate(places):
        if sign != "<":
            continue
        place = start._replace(end_column=8)
        end = next((spot._replace(end_column=8) for other, spot in places[position:] if other == ">"), None)
        related = (Related(end, "ends here"),) if end else ()
        advice = "decide which lines to keep, and remove the markers"
        findings.append(Diagnostic("E105", "an unfinished merge", place, "begins here", advice, related))
    return findings


def _read(root: Node | None, crossed: Iterable[Diagnostic]) -> tuple[Site | None, list[Diagnostic]]:
    """The site that a tree declares, and all that is wrong with it, what the cross-checks find included."""
    if root is None or (isinstance(root, Scalar) and root.missing):
        advice = "an empty file is refused: it never means that there are no users"
        return None, [Diagnostic("E102", "nothing is declared", help=advice)]
    if not isinstance(root, Table):
        place = None if isinstance(root, Scalar) else root.place
        return None, [Diagnostic("E121", "a site is a mapping", place, help="write `key: value` lines")]
    declared, findings = _declared(root, {})
    findings += crossed
    if isinstance(declared, Site):
        return declared, findings
    return None, [*findings, *refused(declared, root)]


def _declared(root: Table, users: Mapping[str, Plain]) -> tuple[Site | ValidationError, list[Diagnostic]]:
    """The site that a tree declares, with ``users`` beside those in it, or what the model has against it; and
    what the model does not get to see.
    """
    findings: list[Diagnostic] = []
    data = _plain(root, (), findings)
    if users and isinstance(data, dict) and isinstance(among := data["users"], dict):
        among.update(users)
    try:
        return Site.model_validate(data), findings
    except ValidationError as error:
        return error, findings


def _plain(node: Scalar | Listing | Table, path: Path, findings: list[Diagnostic]) -> Plain:
    """The tree without places, as the model reads it; without what is unknown or unreadable."""
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Listing):
        readable = (item for item in node.items if not isinstance(item, Unreadable))
        return [_plain(item, (*path, number), findings) for number, item in enumerate(readable)]
    result: dict[str, Plain] = {}
    known = keys_at(path)
    if len(node.index) != len(node.written):
        findings.extend(given_again(path, node, key, value) for key, value in node.repeated())
    for key, value in node.entries():
        if known and key.text not in known:
            findings.append(unknown_key(path, key, value))
        elif isinstance(value, Scalar) and value.missing:
            findings.append(no_value(path, key, value))
        elif not isinstance(value, Unreadable) and not _has_gap(value):
            result[key.text] = _plain(value, (*path, key.text), findings)
    return result


def _has_gap(node: Node) -> bool:
    """Whether a list lacks an item that could not be read: the model's numbering would not be the file's."""
    return isinstance(node, Listing) and any(isinstance(item, Unreadable) for item in node.items)


def _places(root: Node | None) -> dict[Path, Place]:
    if root is None:
        return {}
    places = spots(root)
    places.update(_interfaces(root))
    return places


def _interfaces(root: Node) -> Iterator[tuple[Path, Place]]:
    node = root.get("interface") if isinstance(root, Table) else None
    for item in node.items if isinstance(node, Listing) else [node]:
        if isinstance(item, Scalar):
            yield ("interface", item.text), item.place

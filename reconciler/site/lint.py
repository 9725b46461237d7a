"""What is allowed in a site file, but need not be: notes, and warnings that somebody wants to be errors.

Neighbours: ``site.load`` asks it for every file, ``validate`` once more for what its caller denies. This
module must not know how findings are shown.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from itertools import compress, repeat
from operator import attrgetter, is_not

from reconciler.site.diagnostic import Diagnostic
from reconciler.site.escape import visible
from reconciler.site.model import Site
from reconciler.site.place import Path, Place


def notes(site: Site, places: Mapping[Path, Place]) -> tuple[Diagnostic, ...]:
    """What is worth knowing about a site that has no errors."""
    passwords = map(attrgetter("password"), site.users.values())
    plain = list(compress(site.users, map(is_not, passwords, repeat(None))))
    if not plain:
        return ()
    first = plain[0]
    more = f", and those of {len(plain) - 1} more" if len(plain) > 1 else ""
    return (
        Diagnostic(
            "W205",
            f"the password of {visible(first)} stands here as plain text{more}",
            places.get(("users", first, "password")) or places.get(("users", first)),
            "for everybody who can read this file",
            "encrypt it (`reconciler user passwd NAME --age`), or name a file (`password_file`)",
        ),
    )


def judged(
    findings: Iterable[Diagnostic], about: Iterable[Diagnostic], denied: Collection[str]
) -> list[Diagnostic]:
    """The findings, and those of the notes ``about`` a site that are denied: they are findings then. What is
    denied becomes an error.
    """
    noted = (note for note in about if _is_denied(note, denied))
    return [
        replace(finding, denied=True) if _is_denied(finding, denied) else finding
        for finding in (*findings, *noted)
    ]


def _is_denied(finding: Diagnostic, denied: Collection[str]) -> bool:
    return finding.code.startswith("W") and ("all" in denied or finding.code in denied)

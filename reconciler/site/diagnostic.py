"""A finding about the site file: what is wrong, exactly where, and how to mend it.

Made by the loader, the cross-checks and the secrets' resolution; shown by ``site.report``. A finding never
holds a secret: its texts repeat only what may be seen. It must not know how it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from reconciler.site.codes import NOTES
from reconciler.site.place import Place

Severity = Literal["error", "warning", "note"]


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that the reader must see to understand a finding."""

    place: Place
    label: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. ``code`` is in ``site.codes``; its first letter is the severity.

    ``label`` stands beside the underlined range; ``help`` says how to mend it. A finding about the file as a
    whole has no place. ``denied``: somebody wants this warning to be an error.
    """

    code: str
    message: str
    place: Place | None = None
    label: str = ""
    help: str = ""
    related: tuple[Related, ...] = ()
    denied: bool = False

    @property
    def severity(self) -> Severity:
        if self.denied or self.code.startswith("E"):
            return "error"
        return "note" if self.code in NOTES else "warning"


def has_errors(findings: Iterable[Diagnostic]) -> bool:
    """Whether anything forbids to use the site."""
    return any(finding.severity == "error" for finding in findings)


def in_order(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """By place, those about the whole file first."""
    return tuple(sorted(findings, key=lambda finding: (finding.place or (0, 0, 0, 0), finding.code)))

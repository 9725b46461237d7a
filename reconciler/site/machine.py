"""What a finding is to a machine: the shape of ``validate -o json``.

Made by ``site.report``. Quick to import; it must not know what is wrong with a site.
"""

from __future__ import annotations

from typing import TypedDict

from reconciler.site.diagnostic import Severity


class RangeView(TypedDict):
    """A range of characters in a file. Lines and columns count from 1, the end is exclusive; null where a
    finding is about the file as a whole.
    """

    line: int | None
    column: int | None
    end_line: int | None
    end_column: int | None


class RelatedView(RangeView):
    """Another place that explains a finding."""

    file: str
    message: str


class FindingView(RangeView):
    """A finding about a site file (`validate -o json`)."""

    code: str
    """What it is: see the reference of findings. The meaning of a code stays."""
    severity: Severity
    """An error forbids to use the file."""
    message: str
    file: str
    """As it was named on the command line."""
    label: str
    """What stands beside the underlined range; may be empty."""
    help: str
    """How to mend it; may be empty."""
    related: list[RelatedView]

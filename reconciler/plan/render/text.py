"""A plan line by line, for a terminal: the symbols carry the meaning, colour only repeats it.

Neighbour: ``render.phrases`` has the words. It must not know how a plan is made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reconciler.plan.change import Change, Plan
from reconciler.plan.render import phrases
from reconciler.site.escape import visible, width
from reconciler.site.impact import Impact

_WIDEST: Final = 46
"""A first column that is wider pushes its own line only."""
_COLOUR: Final = {"add": "\x1b[32m", "remove": "\x1b[31m", "update": "\x1b[33m", "heal": "\x1b[36m"}
_PLAIN: Final = "\x1b[0m"


def as_text(
    plan: Plan,
    *,
    source: str = "site.yaml",
    notes: Sequence[str] = (),
    next_step: str = "",
    colour: bool = False,
) -> str:
    """The plan line by line: header, changes, totals, ``notes`` (verdicts of others), the next command.

    ``source`` names the file, and where known its revision. An empty plan begins ``No changes.``
    """
    header = f"{visible(source)}  {'->' if plan else '='}  {phrases.live_side(plan)}"
    if not plan:
        return "\n".join(["No changes.", header, *notes, ""])
    groups = phrases.grouped(plan.changes)
    rows = [_row(group, plan) for group in groups]
    first = max((width(row[0]) for row in rows if width(row[0]) <= _WIDEST), default=0)
    second = max(len(row[1]) for row in rows)
    lines = [header]
    for group, (what, line, impact, sessions) in zip(groups, rows, strict=True):
        sign = phrases.SIGN[group[0].op]
        if colour:
            sign = f"{_COLOUR[group[0].op]}{sign}{_PLAIN}"
        gap = " " * (first - width(what))
        rest = f"{what}{gap}  {line:<{second}}  {impact:<5}  {sessions}"
        lines.append(f"  {sign} {rest}".rstrip())
    lines.append(phrases.totals(plan))
    lines.extend(notes)
    if next_step:
        lines.append(f"next: {next_step}")
    return "\n".join([*lines, ""])


def _row(group: Sequence[Change], plan: Plan) -> tuple[str, str, str, str]:
    """The columns of a line, without its sign: what, line, impact, what becomes of which sessions."""
    change = group[0]
    if len(group) > 1:
        return phrases.routes(group), "", "", change.reason
    line = "" if change.where is None else f":{change.where.line}"
    impact = "" if change.impact is Impact.NONE else change.impact.name
    told = [phrases.dropped(change), phrases.later(change, plan), change.reason]
    if plan.live is None and change.impact is not Impact.NONE:
        told.insert(0, "live sessions not seen")
    return phrases.subject_and_difference(change), line, impact, "; ".join(filter(None, told))

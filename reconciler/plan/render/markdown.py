"""A plan as a comment on a pull request: GitHub's and GitLab's Markdown, bounded in length.

Names are anybody's: whatever is not ours stands in ``<code>``, with every sign in it that Markdown, HTML or
the forge (``@mention``, ``#1``, links) could take for its own as a character reference. Neighbour:
``render.phrases`` has the words. It must not know where the comment goes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.plan.change import Change, Plan
from reconciler.plan.guard import Verdict
from reconciler.plan.render import phrases
from reconciler.plan.state import SessionRef
from reconciler.plan.words import duration
from reconciler.site.escape import visible
from reconciler.site.impact import Impact

_ROWS: Final = 40
"""So many changes have a line of their own; a comment takes 65,536 characters."""
_LISTED: Final = 40
"""So many ended sessions are listed one by one."""
_LONGEST: Final = 60
"""Characters of a text from outside, escapes not counted."""
_LONGEST_NAME: Final = 24
"""The same where several stand in a line."""
_OTHER: Final = re.compile(r"[^A-Za-z0-9 \u0080-\U0010ffff]")


def as_markdown(plan: Plan, verdict: Verdict | None, *, source: str = "site.yaml") -> str:
    """The plan as a comment. ``source`` names the file, and where known its revision."""
    parts = [f"### {_headline(plan)}", f"{_code(source, 200)}, against {_code(phrases.live_side(plan), 200)}"]
    if plan:
        # A tilde could strike text through.
        parts += [_table(plan), phrases.totals(plan).replace("~", r"\~")]
        if verdict:
            parts.append(_guard(plan, verdict))
        if plan.dropped:
            parts.append(_ended(plan.dropped))
    return "\n\n".join(parts) + "\n"


def _headline(plan: Plan) -> str:
    if not plan:
        return "No changes"
    changes = f"{len(plan.changes)} change{'s' * (len(plan.changes) != 1)}"
    if plan.live is None:
        return f"{changes}, live sessions not seen"
    if not plan.dropped:
        return f"{changes}, no session ends"
    return f"{changes}, **{len(plan.dropped)} of {plan.live} sessions end{'s' * (len(plan.dropped) == 1)}**"


def _table(plan: Plan) -> str:
    groups = phrases.grouped(plan.changes)
    lines = ["| | change | line | impact | sessions |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(_row(group, plan))} |" for group in groups[:_ROWS]]
    if len(groups) > _ROWS:
        lines.append(f"| | and {len(groups) - _ROWS} more | | | |")
    return "\n".join(lines)


def _row(group: Sequence[Change], plan: Plan) -> Iterator[str]:
    change = group[0]
    several = len(group) > 1
    yield f"`{phrases.SIGN[change.op]}`"
    yield _code(phrases.routes(group) if several else phrases.subject_and_difference(change))
    yield "" if several or change.where is None else str(change.where.line)
    yield {Impact.NONE: "", Impact.LATER: "LATER", Impact.DROP: "**DROP**"}[change.impact]
    unseen = "not seen" if plan.live is None and change.impact is not Impact.NONE else ""
    # What befalls those who stay is said in our own words and numbers alone.
    yield "; ".join(filter(None, [unseen, _dropped(change), phrases.later(change, plan), change.reason]))


def _dropped(change: Change) -> str:
    sessions = change.dropped
    if not sessions:
        return ""
    named = ", ".join(_code(phrases.name_and_user(one), _LONGEST_NAME) for one in sessions[: phrases.NAMED])
    more = f" and {len(sessions) - phrases.NAMED} more" if len(sessions) > phrases.NAMED else ""
    return f"ends {named}{more}"


def _guard(plan: Plan, verdict: Verdict) -> str:
    if not verdict.held:
        return f"Guard: {verdict.said}, {verdict.counts}."
    release = _code(f"reconciler apply SITE --allow-guard {plan.id}")
    held = f"**Guard: this will be held**, {verdict.counts}."
    return f"{held} Nothing of it is applied until it is released on the box, with {release}."


def _ended(sessions: Sequence[SessionRef]) -> str:
    lines = [
        "<details>",
        f"<summary>Sessions that end: {len(sessions)}</summary>",
        "",
        "| user | session | address | interface | up |",
        "|---|---|---|---|---|",
    ]
    for one in sessions[:_LISTED]:
        cells = ("" if one.user is None else _code(one.user), phrases.name(one), one.address or "")
        lines.append(f"| {' | '.join([*cells, _code(one.interface), duration(one.uptime)])} |")
    if len(sessions) > _LISTED:
        lines.append(f"| and {len(sessions) - _LISTED} more | | | | |")
    return "\n".join([*lines, "", "</details>"])


def _code(text: str, longest: int = _LONGEST) -> str:
    """Text from outside, as it is and nothing but text."""
    shown = visible(text)
    if len(shown) > longest:
        shown = shown[: longest - 1] + "…"
    return f"<code>{_OTHER.sub(lambda match: f'&#{ord(match[0])};', shown)}</code>"

"""The forms of the public door's answers: a status of HTTP's kind and a JSON-ready object.

An error is ``{"error": {"code", "message"}}``, sometimes with more to show. It must not change
anything.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeAlias

from reconciler.loop.gate import Held
from reconciler.loop.keeping.course import WAITING
from reconciler.loop.reading.goal import Goal
from reconciler.loop.reading.revision import revision
from reconciler.loop.report import Again, Blocked, End, Settled
from reconciler.loop.run import Converged
from reconciler.plan import render
from reconciler.plan.change import Plan
from reconciler.plan.guard import Verdict
from reconciler.plan.healing import to_do
from reconciler.site import report as findings

Answer: TypeAlias = tuple[int, Any]

_COMMIT_DIGITS = 7


def fault(status: int, code: str, message: str) -> Answer:
    """What is wrong, in one line, and a word for machines."""
    return status, {"error": {"code": code, "message": message}}


def invalid(goal: Goal) -> Answer:
    """A file that cannot be used, with all that was found."""
    body = {
        "code": "source_invalid",
        "message": goal.problem,
        "text": goal.text,
        "findings": findings.as_json(goal.findings, goal.path.name),
    }
    return 422, {"error": body}


def planned(plan: Plan, verdict: Verdict | None, source: str, *, markdown: bool = False) -> dict[str, Any]:
    """A plan in its forms; ``source`` says what would be put in force."""
    notes = [verdict.line] if plan and verdict else []
    return _forms(plan, verdict, source, notes, markdown=markdown)


def _forms(
    plan: Plan, verdict: Verdict | None, source: str, notes: list[str], *, markdown: bool = False
) -> dict[str, Any]:
    return {
        "plan": render.as_json(plan, verdict),
        "text": render.as_text(plan, source=source, notes=notes),
        **({"markdown": render.as_markdown(plan, verdict, source=source)} if markdown else {}),
    }


def file_as(path: Path, sha256: str | None) -> str:
    """A file by its name, and its place in git where it has one."""
    where = revision(path, sha256)
    if where is None:
        return path.name
    state = "modified" if where.dirty else "clean"
    return f"{path.name}  {where.branch or 'detached'}@{where.commit[:_COMMIT_DIGITS]} ({state})"


def converged(done: Converged, source: str) -> Answer:
    """What came of passes that were asked for: ``result`` is one of ``applied``, ``unchanged``, ``partial``,
    ``timeout``, ``held``.
    """
    last = done.last
    if done.first.plan is None:
        assert not isinstance(last.end, Settled)
        return fault(503, _snake(last.end), last.end.message)
    if last.held:
        return held(last.held, last.applied, source)
    plan, verdict = done.first.plan, done.first.verdict
    notes = [verdict.line_let_through] if plan and verdict else []
    return 200, {
        "result": _result(done),
        "generation": last.applied,
        "message": "" if isinstance(last.end, Settled) or _done(last.end) else last.end.message,
        "failures": [
            {"path": failure.path, "reason": failure.reason, "message": failure.message}
            for failure in last.failures
        ],
        **_forms(plan, verdict, source, notes),
    }


def held(change: Held, generation: int, source: str) -> Answer:
    """The guard holds a change: generation ``generation`` stays in force."""
    message = "the guard holds the change: see the condition Held"
    body = {"result": "held", "generation": generation, "message": message, "failures": []}
    return 200, {**body, **planned(change.plan, change.verdict, source)}


def _result(done: Converged) -> str:
    if not _done(done.last.end):
        return "partial" if isinstance(done.last.end, Blocked) else "timeout"
    return "applied" if done.first.plan and to_do(done.first.plan) else "unchanged"


def _done(end: End) -> bool:
    """Whether what was ordered is in force; the file may wait."""
    return isinstance(end, Settled) or end.reason in WAITING


def _snake(end: Again | Blocked) -> str:
    return "".join(f"_{char.lower()}" if char.isupper() else char for char in end.reason).lstrip("_")

"""``reconciler apply`` and its dry run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from reconciler.cli import ask, outcome, saved, sitefile
from reconciler.cli.common import (
    EXIT_ERROR,
    EXIT_NO_DAEMON,
    EXIT_PENDING,
    EXIT_STALE,
    PATH,
    SECONDS,
    Common,
    Failure,
    say,
    takes_common,
)
from reconciler.control.client import AnswerError, NoDaemonError


@click.command("apply")
@click.argument("site", type=PATH)
@click.option("--dry-run", is_flag=True, help="Only say what would be done, and to whom.")
@click.option(
    "--detailed-exitcode", is_flag=True, help="With --dry-run: exit with 2 when changes are pending."
)
@click.option("--out", type=PATH, metavar="FILE", help="With --dry-run: save the plan.")
@click.option(
    "--confirm-within",
    type=SECONDS,
    metavar="DURATION",
    help="Undo it unless somebody says `reconciler confirm` so soon (2m, 90s); wait for that, exit with 6 if "
    "nobody does.",
)
@click.option("--no-wait", is_flag=True, help="With --confirm-within: do not wait for it.")
@outcome.TIMEOUT
@outcome.ALLOW_GUARD
@takes_common(("text", "json", "ndjson", "markdown"))
def command(
    common: Common,
    site: Path,
    dry_run: bool,
    detailed_exitcode: bool,
    out: Path | None,
    confirm_within: float | None,
    no_wait: bool,
    timeout: float,
    allow_guard: str | None,
) -> int:
    """Make SITE true now: plan, apply, wait until converged.

    Asks the daemon that `reconciler run` started. A dry run takes any file, and also works without a daemon;
    with `-o markdown` it prints a comment for a pull request. SITE may be a plan that a dry run saved:
    exactly that is applied, or nothing, with exit status 5, when the file or what is in force has moved
    since.

    While the watch follows SITE, a saved edit is applied at once: `reconciler pause` first to choose the
    moment.
    """
    _check(dry_run, detailed_exitcode, out, confirm_within, no_wait, allow_guard, common.output)
    if dry_run:
        return _plan(common, site, out, detailed_exitcode)
    plan = saved.read(site)
    try:
        answer = ask.post(
            common,
            "/v1/apply",
            patience=timeout + 30,
            path=str(site.absolute()) if plan is None else None,
            saved=plan,
            timeout=timeout,
            allow_guard=allow_guard,
            confirm_within=confirm_within,
            by=ask.who(),
        )
    except AnswerError as error:
        return _refused(error)
    outcome.show(common, answer, answer["text"])
    status = outcome.tell(common, answer, f"reconciler apply {site}")
    if confirm_within is None:
        return status
    return _trial(common, answer, status, wait=not no_wait)


def _check(
    dry_run: bool,
    detailed_exitcode: bool,
    out: Path | None,
    confirm_within: float | None,
    no_wait: bool,
    allow_guard: str | None,
    form: str,
) -> None:
    """Which options go together."""
    for option, given in (
        ("--detailed-exitcode", detailed_exitcode),
        ("--out", out is not None),
        ("-o markdown", form == "markdown"),
    ):
        if given and not dry_run:
            raise click.UsageError(f"{option} goes with --dry-run")
    for option, given in (
        ("--allow-guard", allow_guard is not None),
        ("--confirm-within", confirm_within is not None),
    ):
        if given and dry_run:
            raise click.UsageError(f"{option} does not go with --dry-run")
    if no_wait and confirm_within is None:
        raise click.UsageError("--no-wait goes with --confirm-within")
    if confirm_within == 0:
        raise click.UsageError("--confirm-within takes more than no time")


def _trial(common: Common, answer: Any, status: int, *, wait: bool) -> int:
    """A change that has to be confirmed: wait for that, also when it is in force in part only."""
    pending = answer.get("confirm")
    if pending is None:
        if answer["result"] == "unchanged":
            say(common, "nothing is on trial: this is in force already, and not since a moment ago")
        return status
    say(common, f"on trial until {pending['until']}, then generation {pending['undo_to']} is put back")
    say(common, "next: reconciler confirm")
    if not wait:
        return status
    return outcome.await_confirm(common, pending["generation"]) or status


def _plan(common: Common, site: Path, out: Path | None, detailed_exitcode: bool) -> int:
    text = sitefile.read(site)
    try:
        answer = _dry_run(common, site, text)
    except AnswerError as error:
        return _refused(error)
    if common.output == "markdown":
        click.echo(answer["markdown"], nl=False)
    else:
        outcome.show(common, answer["plan"], answer["text"])
    if out is not None:
        saved.write(out, answer["plan"], site, text)
    _say_next(common, site, out, answer)
    return EXIT_PENDING if detailed_exitcode and answer["plan"]["changes"] else 0


def _dry_run(common: Common, site: Path, content: bytes) -> dict[str, Any]:
    text = content.decode(errors="surrogateescape")
    try:
        markdown = True if common.output == "markdown" else None
        answer: dict[str, Any] = ask.try_post(
            common, "/v1/plan", path=str(site.absolute()), text=text, markdown=markdown
        )
    except NoDaemonError as error:
        if not error.absent:
            raise Failure(str(error), EXIT_NO_DAEMON) from None
        return _alone(common, site)
    return answer


def _alone(common: Common, site: Path) -> dict[str, Any]:
    """Without a daemon: by what the kernel, and an engine if one runs, show."""
    from reconciler.loop.answering import answers
    from reconciler.preview import preview

    try:
        seen = preview(site, common.runtime_dir, common.state_dir)
    except OSError as error:
        raise Failure(str(error)) from None
    if seen.plan is None or seen.verdict is None:
        click.echo(seen.goal.text, nl=False, err=True)
        raise Failure(f"{site} has errors: mend them first" if seen.goal.text else seen.goal.problem)
    if seen.live.engine is None:
        say(
            common, "no daemon and no engine answer: planned against the kernel alone, live sessions not seen"
        )
    else:
        say(common, "no daemon answers: planned against the running engine and the kernel")
    return {**answers.planned(seen.plan, seen.verdict, site.name, markdown=True), "watched": False}


def _say_next(common: Common, site: Path, out: Path | None, answer: dict[str, Any]) -> None:
    """Which command carries the plan out; none for a candidate, which is not the file that is watched."""
    again = f"reconciler apply {out or site}"
    if answer["plan"]["changes"] and (answer["watched"] or out):
        if answer["plan"]["guard"]["verdict"] == "held":
            say(common, outcome.release(again, answer))
            return
        say(common, f"next: {again}")


def _refused(error: AnswerError) -> int:
    click.echo((error.details.get("text") or f"error: {error}").rstrip("\n"), err=True)
    return EXIT_STALE if error.code == "plan_stale" else EXIT_ERROR

"""``reconciler apply`` and its dry run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from reconciler.cli import ask
from reconciler.cli.common import (
    EXIT_ERROR,
    EXIT_HELD,
    EXIT_NO_DAEMON,
    EXIT_PARTIAL,
    EXIT_PENDING,
    EXIT_STALE,
    EXIT_TIMEOUT,
    Common,
    Failure,
    coloured,
    print_data,
    say,
    takes_common,
)
from reconciler.control.client import AnswerError, NoDaemonError

_STATUS = {
    "applied": 0,
    "unchanged": 0,
    "partial": EXIT_PARTIAL,
    "held": EXIT_HELD,
    "timeout": EXIT_TIMEOUT,
}
_COLOURS = {"+": "green", "-": "red", "~": "yellow", "^": "cyan"}


@click.command("apply")
@click.argument("site", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would be done, and to whom.")
@click.option(
    "--detailed-exitcode", is_flag=True, help="With --dry-run: exit with 2 when changes are pending."
)
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 600),
    default=60.0,
    show_default=True,
    help="Seconds to wait until everything is settled.",
)
@click.option(
    "--allow-guard",
    metavar="PLAN-ID",
    help="Let exactly this plan, which the guard holds, go ahead; exit with 5 when it is another one now.",
)
@takes_common(("text", "json", "ndjson", "markdown"))
def command(
    common: Common,
    site: Path,
    dry_run: bool,
    detailed_exitcode: bool,
    timeout: float,
    allow_guard: str | None,
) -> int:
    """Make SITE true now: plan, apply, wait until converged.

    Asks the daemon that `reconciler run` started. A dry run takes any file, and also works without a daemon;
    with `-o markdown` it prints a comment for a pull request.
    """
    if detailed_exitcode and not dry_run:
        raise click.UsageError("--detailed-exitcode goes with --dry-run")
    if allow_guard is not None and dry_run:
        raise click.UsageError("--allow-guard does not go with --dry-run")
    if common.output == "markdown" and not dry_run:
        raise click.UsageError("-o markdown goes with --dry-run")
    try:
        if dry_run:
            answer = _dry_run(common, site)
            if common.output == "markdown":
                click.echo(answer["markdown"], nl=False)
            else:
                _show(common, answer["plan"], answer["text"])
            _say_next(common, site, answer)
            return EXIT_PENDING if detailed_exitcode and answer["plan"]["changes"] else 0
        answer = ask.post(
            common,
            "/v1/apply",
            patience=timeout + 30,
            path=str(site.absolute()),
            timeout=timeout,
            allow_guard=allow_guard,
        )
    except AnswerError as error:
        return _refused(error)
    _show(common, answer, answer["text"])
    if answer["result"] == "held":
        click.echo("held: nothing of it is applied; what was in force stays so", err=True)
        say(common, _release(site, answer))
    elif answer["message"]:
        click.echo(f"{answer['result']}: {answer['message']}", err=True)
    elif answer["result"] == "applied":
        say(common, f"generation {answer['generation']} is in force")
    return _STATUS[answer["result"]]


def _dry_run(common: Common, site: Path) -> dict[str, Any]:
    try:
        text = site.read_bytes().decode(errors="surrogateescape")
    except OSError as error:
        raise Failure(f"cannot read {site}: {error.strerror}") from None
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
    from reconciler import daemon
    from reconciler.plan import render

    try:
        seen = daemon.preview(site, common.runtime_dir, common.state_dir)
    except OSError as error:
        raise Failure(str(error)) from None
    if seen.plan is None or seen.verdict is None:
        click.echo(seen.goal.text or f"error: {seen.goal.problem}", err=True)
        raise Failure(seen.goal.problem)
    if seen.live.engine is None:
        say(
            common, "no daemon and no engine answer: planned against the kernel alone, live sessions not seen"
        )
    else:
        say(common, "no daemon answers: planned against the running engine and the kernel")
    notes = [seen.verdict.line] if seen.plan else []
    return {
        "plan": render.as_json(seen.plan, seen.verdict),
        "text": render.as_text(seen.plan, source=site.name, notes=notes),
        "markdown": render.as_markdown(seen.plan, seen.verdict, source=site.name),
        "watched": False,
    }


def _say_next(common: Common, site: Path, answer: dict[str, Any]) -> None:
    """Which command carries the plan out; none for a candidate, which is not the file that is watched."""
    if answer["plan"]["changes"] and answer["watched"]:
        if answer["plan"]["guard"]["verdict"] == "held":
            say(common, _release(site, answer))
            return
        say(common, f"next: reconciler apply {site}")


def _release(site: Path, answer: dict[str, Any]) -> str:
    """How a held plan is let through."""
    return f"next: reconciler apply {site} --allow-guard {answer['plan']['id']}"


def _show(common: Common, document: Any, text: str) -> None:
    print_data(common, document, lambda: _painted(text) if coloured() else text)


def _painted(text: str) -> str:
    return re.sub(
        r"^  ([-+~^]) ",
        lambda match: f"  {click.style(match[1], fg=_COLOURS[match[1]])} ",
        text,
        flags=re.MULTILINE,
    )


def _refused(error: AnswerError) -> int:
    click.echo(error.details.get("text") or f"error: {error}", err=True)
    return EXIT_STALE if error.code == "plan_stale" else EXIT_ERROR

"""``reconciler history``."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import click

from reconciler.cli import ask, sitefile
from reconciler.cli.common import PATH, Common, Failure, print_data, say, table, takes_common

_COMMIT_DIGITS = 7


@click.command("history")
@click.argument("number", metavar="[GENERATION]", type=click.IntRange(1, 10**9), required=False)
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="At most so many.")
@click.option(
    "--out",
    type=PATH,
    metavar="FILE",
    help="Write the generation's site.yaml there, passwords and all, for its owner alone to read.",
)
@click.option("--force", is_flag=True, help="With --out: also in the place of a file that is there.")
@takes_common()
def command(common: Common, number: int | None, limit: int, out: Path | None, force: bool) -> None:
    """The generations, the newest first; or what is kept of one.

    Of the last 100 generations that were put in force the content is kept, sealed with the box's own key:
    they can be compared and gone back to. --out reads the state directory itself, which takes root.
    """
    if number is None and (out or force):
        raise click.UsageError("--out takes the number of a generation")
    if force and not out:
        raise click.UsageError("--force goes with --out")
    if number is not None and out is not None:
        _write(common, number, out, force=force)
        return
    if number is None:
        listed = ask.get(common, "/v1/history", limit=str(limit))
        print_data(common, listed, lambda: _table(listed))
        return
    one = ask.get(common, "/v1/history", number=str(number))
    print_data(common, one, lambda: _text(one))


def _write(common: Common, number: int, out: Path, *, force: bool) -> None:
    """Not asked of the daemon: no password leaves it."""
    from reconciler.loop.keeping.archive import NotKeptError, text_of

    try:
        text = text_of(common.state_dir, number)
    except NotKeptError as error:
        raise Failure(str(error)) from None
    if out.exists() and force:
        sitefile.replace(out, sitefile.read(out), text)
    else:
        sitefile.create(out, text)
    say(common, f"{out} has the content of generation {number}")


def _table(generations: list[Any]) -> str:
    head = ("GENERATION", "STATE", "APPLIED", "COMMIT", "AUTHOR", "CAME BY")
    return table(head, [_row(one) for one in generations])


def _row(one: Any) -> tuple[str, ...]:
    return (
        str(one["number"]),
        one["state"].replace("_", " "),
        _moment(one["applied"]),
        _commit(one),
        one["author"] or "-",
        _origin(one) + ("" if one["kept"] else " (content not kept)"),
    )


def _commit(one: Any) -> str:
    if not one["commit"]:
        return "-"
    return f"{one['commit'][:_COMMIT_DIGITS]}{'+' if one['dirty'] else ''}"


def _origin(one: Any) -> str:
    by = f" by {one['by']}" if one["by"] else ""
    if one["origin"] == "file":
        return f"apply{by}" if by else "the file"
    return f"{one['origin']} to {one['origin_generation']}{by}"


def _text(one: Any) -> str:
    from reconciler.site.escape import visible

    commit = f"{one['commit'] or '-'}{' (modified)' if one['dirty'] else ''}"
    pairs = [
        ("generation", f"{one['number']}, {one['state'].replace('_', ' ')}"),
        ("applied", _moment(one["applied"])),
        ("commit", commit),
        ("author", one["author"] or "-"),
        ("came by", _origin(one)),
        ("sha256", one["sha256"] or "-"),
    ]
    if one["sessions_ended"] is not None:
        pairs.append(("sessions", f"{one['sessions_ended']} ended by it"))
    pairs += [("failed", f"{failure['path']}: {failure['message']}") for failure in one["failures"]]
    lines = "".join(f"{name:<12}{visible(value)}\n" for name, value in pairs)
    return f"{lines}\n{one['text']}" if one["text"] else lines


def _moment(time: str | None) -> str:
    return datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M:%S") if time else "-"

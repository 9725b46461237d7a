"""``reconciler sessions``, ``sessions terminate`` and ``sessions roll``."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import click

from reconciler.cli import ask
from reconciler.cli.common import (
    EXIT_ERROR,
    Common,
    duration,
    print_data,
    say,
    session_id,
    table,
    takes_common,
)
from reconciler.cli.pace import Pace
from reconciler.control.client import AnswerError
from reconciler.site.values import rate_text


@click.group("sessions", invoke_without_command=True)
@click.option("--stale", is_flag=True, help="Only those that a re-dial would give something else.")
@takes_common()
def command(common: Common, stale: bool) -> None:
    """Live subscribers: user, address, MAC, id, uptime, traffic, generation."""
    context = click.get_current_context()
    context.obj = common
    if context.invoked_subcommand is None:
        found = [s for s in ask.get(common, "/v1/sessions") if s["stale"] or not stale]
        print_data(common, found, lambda: _text(found))


@command.command("terminate", short_help="End sessions, by user, id or address.")
@click.argument("users", metavar="[USER]...", nargs=-1)
@click.option("--id", "ids", type=session_id, multiple=True, help="By PPPoE session id: 19 or 0x13.")
@click.option("--address", "addresses", multiple=True, help="By the subscriber's address.")
@takes_common()
def terminate(
    common: Common, users: tuple[str, ...], ids: tuple[int, ...], addresses: tuple[str, ...]
) -> int:
    """End the sessions of users, or those with an id or address: Terminate-Request, then PADT."""
    if not users and not ids and not addresses:
        raise click.UsageError("name a user, an --id or an --address")
    try:
        answer = ask.post(
            common, "/v1/sessions/terminate", users=list(users), ids=list(ids), addresses=list(addresses)
        )
    except AnswerError as error:
        click.echo(f"error: {error}", err=True)
        return EXIT_ERROR
    print_data(common, answer["ended"], lambda: _text(answer["ended"]))
    say(common, f"ended: {len(answer['ended'])}")
    return 0


@command.command("roll", short_help="End stale sessions, a few a second.")
@click.option(
    "--rate", type=Pace(), metavar="N/s", default="2/s", show_default=True, help="So many a second."
)
@takes_common()
def roll(common: Common, rate: float) -> int:
    """End the sessions that a re-dial would give something else, a few a second, so that they come back on
    the present settings.

    Those that become stale meanwhile are left for the next time. Interrupted, it stops where it is.
    """
    stale = [s["address"] for s in ask.get(common, "/v1/sessions") if s["stale"] and s["address"]]
    ended = []
    try:
        for number, address in enumerate(stale):
            if number:
                time.sleep(1 / rate)
            with suppress(AnswerError):  # it has ended by itself
                ended += ask.post(common, "/v1/sessions/terminate", addresses=[address])["ended"]
    except KeyboardInterrupt:
        say(common, f"interrupted: {len(stale) - len(ended)} are still as they were")
    print_data(common, ended, lambda: _text(ended))
    say(common, f"ended: {len(ended)}")
    return 0


def _text(sessions: list[Any]) -> str:
    head = ("USER", "ADDRESS", "ID", "MAC", "INTERFACE", "STATE", "UP", "IN", "OUT", "LIMIT", "GEN")
    return table(head, [_row(session) for session in sessions])


def _row(session: Any) -> tuple[str, ...]:
    return (
        session["user"] or "-",
        session["address"] or "-",
        f"0x{session['id']:04x}",
        session["mac"],
        session["interface"],
        session["state"],
        duration(session["uptime_s"]),
        _octets(session["rx_bytes"]),
        _octets(session["tx_bytes"]),
        _limit(session["rate_limit"]),
        f"{session['generation']}{'*' if session['stale'] else ''}",
    )


def _limit(rates: dict[str, int | None]) -> str:
    """As towards and from the subscriber, like 50M/10M."""
    down, up = ("-" if rates[way] is None else rate_text(rates[way] or 0) for way in ("down", "up"))
    return "-" if (down, up) == ("-", "-") else f"{down}/{up}"


def _octets(count: float) -> str:
    for unit in ("", "k", "M", "G"):
        if count < 1000:
            return f"{count:.0f}{unit}" if unit == "" or count >= 10 else f"{count:.1f}{unit}"
        count /= 1000
    return f"{count:.1f}T"

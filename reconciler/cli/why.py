"""``reconciler why``."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from reconciler.cli import ask
from reconciler.cli.common import Common, print_data, table, takes_common


@click.command("why")
@click.argument("name", metavar="USER|MAC")
@takes_common(("text", "json"))
def command(common: Common, name: str) -> None:
    """Say why a subscriber is not online, and what to do.

    Tells the last attempts of a user, or of a client by its MAC address: when, from where, how each ended,
    and which error number Windows shows to such a subscriber. Also for names that nobody has: somebody may
    have tried with one.
    """
    answer = ask.get(common, "/v1/why", name=name)
    print_data(common, answer, lambda: _text(answer))


def _text(answer: Any) -> str:
    from reconciler.site.escape import visible

    lines = [answer["summary"]]
    if answer["windows"]:
        numbers = [f"{one['number']} ({one['text']})" for one in answer["windows"]]
        lines.append(f"Windows shows {', or '.join(numbers)}.")
    lines += [f"{'    ' if index else 'Do: '}{advice}." for index, advice in enumerate(answer["advice"])]
    text = "".join(f"{visible(line)}\n" for line in lines)
    return f"{text}\n{_table(answer['attempts'])}" if answer["attempts"] else text


def _table(attempts: list[Any]) -> str:
    """The line's name is a column where an attempt has one."""
    named = any(one["circuit_id"] or one["remote_id"] for one in attempts)
    head = ("WHEN", "WHAT HAPPENED", "WINDOWS", "USER", "MAC", "INTERFACE", "ID", "LINE")
    width = len(head) - (not named)
    return table(head[:width], [_row(one)[:width] for one in attempts])


def _row(one: Any) -> tuple[str, ...]:
    return (
        _when(one),
        f"{one['outcome']}: {one['explanation']}" if one["explanation"] else one["outcome"],
        "/".join(map(str, one["windows"])) or "-",
        one["user"] or "-",
        one["mac"],
        one["interface"],
        f"0x{one['id']:04x}",
        " ".join(filter(None, (one["circuit_id"], one["remote_id"]))) or "-",
    )


def _when(one: Any) -> str:
    begun, ended = one["time"], one["ended"]
    if ended:
        return f"{_moment(begun)} to {_moment(ended)}" if begun else f"until {_moment(ended)}"
    return f"since {_moment(begun)}" if one["outcome"] == "online" else _moment(begun)


def _moment(time: str) -> str:
    return datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M:%S")

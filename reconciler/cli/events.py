"""``reconciler events``."""

from __future__ import annotations

import json
from typing import Any

import click

from reconciler.cli import ask
from reconciler.cli.common import Common, takes_common


@click.command("events")
@click.option("-f", "--follow", is_flag=True, help="Go on with what happens from now on.")
@takes_common()
def command(common: Common, follow: bool) -> None:
    """What happened, in order: logins, refusals, ends of sessions, generations, drift."""
    if follow and common.output == "json":
        raise click.UsageError("a list that has no end is no JSON document: use -o ndjson")
    found = ask.lines(common, "/v1/events", **({"follow": "1"} if follow else {}))
    if common.output == "json":
        click.echo(json.dumps(list(found), indent=2))
        return
    for event in found:
        line = json.dumps(event, separators=(",", ":")) if common.output == "ndjson" else _text(event)
        click.echo(line)


def _text(event: Any) -> str:
    from reconciler.site.escape import visible

    words = [event["time"], event["type"]]
    if event["id"] is not None:
        words += [event["user"] or "-", f"0x{event['id']:04x}", event["mac"], event["interface"]]
    words.append(event["reason"])
    if "rx_bytes" in event:
        words.append(f"(received {event['rx_bytes']}, sent {event['tx_bytes']} octets)")
    if event["commit"]:
        words.append(f"({event['commit'][:7]})")
    return visible(" ".join(words))

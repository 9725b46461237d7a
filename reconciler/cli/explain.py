"""``reconciler explain``."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from reconciler.cli.common import Common, Failure, print_data, takes_common

if TYPE_CHECKING:
    from reconciler.site.manual import Entry

_WIDTH = 88


@click.command("explain")
@click.argument("path", required=False)
@takes_common()
def command(common: Common, path: str | None) -> None:
    """Say what a key of site.yaml is: type, default, and what a change of it does to live sessions.

    PATH is like `users.*.ip` or `lcp_echo.interval`; without it all paths are listed.
    """
    from reconciler.site import manual

    if path is None:
        print_data(common, list(manual.paths()), lambda: "".join(f"{one}\n" for one in manual.paths()))
        return
    found = manual.entry(path)
    if found is None:
        close = manual.closest(path)
        raise Failure(f"no such key: {path}" + (f". Did you mean {close}?" if close else ""))
    print_data(common, asdict(found), lambda: _text(found))


def _text(entry: Entry) -> str:
    facts = [("type", entry.type), ("default", entry.default)]
    facts += [("impact" if number == 0 else "", line) for number, line in enumerate(entry.impact)]
    facts += [("example" if number == 0 else "", line) for number, line in enumerate(entry.examples)]
    if entry.keys:
        facts.append(("keys", ", ".join(entry.keys)))
    described = click.wrap_text(entry.description, _WIDTH, "  ", "  ")
    return "\n".join([entry.path, described, "", *(f"  {name:<8} {what}" for name, what in facts), ""])

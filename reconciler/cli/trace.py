"""``reconciler trace``."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, nullcontext, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from reconciler.cli import ask
from reconciler.cli.common import Common, Failure, say, session_id, takes_common

if TYPE_CHECKING:
    from reconciler.linux.capture import Capture, Captured

STDOUT = Path("-")


@dataclass(frozen=True, slots=True)
class Known:
    """What the daemon knows: the interfaces it serves, names for stations, and the stations of users."""

    interfaces: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    macs: frozenset[str] = frozenset()


class MacAddress(click.ParamType[str]):
    """In any usual form."""

    name = "mac"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        from reconciler.loop.telling.why import as_mac

        return as_mac(value) or self.fail(f"{value!r} is no MAC address", param, ctx)


@click.command("trace")
@click.argument("interfaces", metavar="[INTERFACE]...", nargs=-1)
@click.option("--user", "users", multiple=True, help="Only this user's calls, known by their logins.")
@click.option("--mac", "macs", multiple=True, type=MacAddress(), help="Only this station's frames.")
@click.option("--session", "sessions", multiple=True, type=session_id, help="Only this session: 19 or 0x13.")
@click.option("-c", "--count", type=click.IntRange(1), help="Stop after so many frames.")
@click.option(
    "-w",
    "--write",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path, allow_dash=True),
    help="Also write the frames, as they are and with all data, to a pcap file; - is standard output. It"
    " holds the passwords of those who log in by PAP.",
)
@takes_common(("text", "ndjson"))
def command(
    common: Common,
    interfaces: tuple[str, ...],
    users: tuple[str, ...],
    macs: tuple[str, ...],
    sessions: tuple[int, ...],
    count: int | None,
    write: Path | None,
) -> None:
    """Show the PPPoE exchange on INTERFACEs as it happens, decoded, until Ctrl-C.

    Without an INTERFACE, on all that are served. Passwords are never shown, and packets of data only counted.
    --user, --mac and --session can be repeated; a frame is shown that fits any of them. Needs root; needs no
    daemon when an INTERFACE is named.
    """
    known = _known(common, interfaces, users)
    from reconciler.probe.pcap import Pcap
    from reconciler.probe.selection import Selection
    from reconciler.probe.trace import Trace

    with ExitStack() as stack:
        captures = [stack.enter_context(closing(_capture(name))) for name in interfaces or known.interfaces]
        pcap = Pcap(stack.enter_context(_created(write))) if write else None
        show = _silent if write == STDOUT else _shown(common, known.names, several=len(captures) > 1)
        trace = Trace(captures, Selection({*macs, *known.macs}, sessions, users), show, pcap, count)
        say(common, f"listening on {', '.join(one.interface for one in captures)}; Ctrl-C ends it")
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        with suppress(KeyboardInterrupt):
            trace.run()
    written = f"; {pcap.written} written to {write}" if pcap else ""
    say(common, f"frames shown: {trace.tally.shown}, data packets beside them: {trace.tally.data}{written}")


def _known(common: Common, interfaces: tuple[str, ...], users: tuple[str, ...]) -> Known:
    """Asks the daemon, which there may be none of when the interfaces are named."""
    try:
        ports = ask.get(common, "/v1/status")["interfaces"]
        names = {
            session["mac"]: session["user"] for session in ask.get(common, "/v1/sessions") if session["user"]
        }
        calls = [call for user in users for call in ask.get(common, "/v1/why", name=user)["attempts"]]
    except Failure as failure:
        if interfaces:
            return Known()
        raise Failure(
            f"{failure.format_message()}; or name the INTERFACE to listen on", failure.status
        ) from None
    served = tuple(port["interface"] for port in ports)
    if not served and not interfaces:
        raise Failure("no interface is served: name the INTERFACE to listen on, or see `reconciler status`")
    names.update({port["mac"]: "AC" for port in ports})
    return Known(served, names, frozenset(call["mac"] for call in calls))


def _capture(interface: str) -> Capture:
    from reconciler.linux.capture import Capture

    try:
        return Capture(interface)
    except PermissionError:
        raise Failure("listening needs root: try again with sudo") from None
    except OSError as error:
        raise Failure(f"cannot listen on {interface}: {error.strerror}") from None


def _created(path: Path) -> AbstractContextManager[BinaryIO]:
    """For the owner's eyes alone: there are passwords in it."""
    if path == STDOUT:
        return nullcontext(sys.stdout.buffer)
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb")
    except OSError as error:
        raise Failure(f"cannot write {path}: {error.strerror}") from None


def _shown(common: Common, names: Mapping[str, str], *, several: bool) -> Callable[[Captured], None]:
    from reconciler.probe.decode import decode
    from reconciler.probe.trace import clock
    from reconciler.site.escape import visible

    shown = {mac: visible(name) for mac, name in names.items()}

    def text(seen: Captured) -> str:
        port = f"{seen.interface}  " if several else ""
        vlan = f"vlan {seen.vlan}  " if seen.vlan else ""
        return f"{clock(seen.at)}  {port}{vlan}{decode(seen.frame, shown)}"

    line = _as_json if common.output == "ndjson" else text
    return lambda seen: click.echo(line(seen))


def _as_json(seen: Captured) -> str:
    from reconciler.plan.words import moment
    from reconciler.probe.decode import summary

    return json.dumps(
        {
            "time": moment(seen.at / 1e9),
            "interface": seen.interface,
            "vlan": seen.vlan,
            "source": seen.frame[6:12].hex(":"),
            "destination": seen.frame[:6].hex(":"),
            "session": int.from_bytes(seen.frame[16:18], "big") or None,
            "text": summary(seen.frame),
        },
        separators=(",", ":"),
    )


def _silent(_seen: Captured) -> None:
    """Standard output is for the frames themselves."""

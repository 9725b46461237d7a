"""``reconciler probe``."""

from __future__ import annotations

import ipaddress
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from reconciler.cli.common import EXIT_ERROR, Common, Failure, print_data, takes_common

if TYPE_CHECKING:
    from reconciler.probe.pinger import Report
    from reconciler.probe.trial import Trial

_LONGEST = 255
"""Octets of a name or a password in PAP (RFC 1334 §2.2.1)."""


class Address(click.ParamType[str]):
    """An IPv4 address."""

    name = "address"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        try:
            return str(ipaddress.IPv4Address(value))
        except ValueError:
            return self.fail(f"{value!r} is no IPv4 address", param, ctx)


@click.command("probe")
@click.option("--interface", metavar="NAME", help="Dial here.  [default: the only Ethernet interface]")
@click.option("--user", required=True, help="Dial in as this user.")
@click.option(
    "--password-file",
    metavar="FILE",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    help="The password, alone in a file; - is standard input.  [default: asks on a terminal, else reads"
    " standard input]",
)
@click.option("--auth", type=click.Choice(["chap", "pap"]), help="Log in by this alone.  [default: either]")
@click.option("--service", default="", metavar="NAME", help="Ask for this service.  [default: any]")
@click.option(
    "--timeout",
    type=click.FloatRange(0.1, 600),
    default=5.0,
    show_default=True,
    help="Seconds to wait in each phase.",
)
@click.option("--ping", "target", type=Address(), help="Once in, also ping this address.")
@takes_common(("text", "json"))
def command(
    common: Common,
    interface: str | None,
    user: str,
    password_file: Path | None,
    auth: Literal["chap", "pap"] | None,
    service: str,
    timeout: float,
    target: str | None,
) -> int:
    """Dial in as a subscriber would, say how it went in one line, and hang up.

    Exits with 0 when the call came up (and a ping was answered), else with 1, and says which phase failed and
    why. Makes no interface and no route. Needs root. Dial from another machine, or from another interface on
    the same switch: what an interface sends, a server on that very interface does not hear.
    """
    from reconciler.probe.outcome import METHODS, Login
    from reconciler.probe.trial import Trial

    login = Login(_fitting(user, "name"), _password(password_file), (auth,) if auth else METHODS, service)
    port = interface or _only_interface()
    try:
        with Trial(port, login, timeout) as trial:
            pings = trial.ping(target) if trial.dial() and target else None
            report = _report(port, user, trial, pings)
    except PermissionError:
        raise Failure("dialling needs root: try again with sudo") from None
    except OSError as error:
        raise Failure(f"cannot dial on {port}: {error.strerror}") from None
    print_data(common, report, lambda: f"{_line(report)}\n")
    return 0 if report["ok"] else EXIT_ERROR


def _password(file: Path | None) -> str:
    """One line, whose newline does not count."""
    if file is None and sys.stdin.isatty():
        return _fitting(click.prompt("Password", hide_input=True, err=True), "password")
    try:
        octets = sys.stdin.buffer.read() if file in (None, Path("-")) else file.read_bytes()
        text = octets.decode().removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise Failure(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise Failure("the password is not UTF-8 text") from None
    if "\n" in text:
        raise Failure("the password has more than one line: write it alone")
    return _fitting(text, "password")


def _fitting(text: str, what: str) -> str:
    if not text or len(text.encode()) > _LONGEST:
        raise Failure(f"the {what} is empty" if not text else f"the {what} is longer than {_LONGEST} octets")
    return text


def _only_interface() -> str:
    import socket

    from reconciler.linux import interface

    found = [interface.read(name) for _, name in socket.if_nameindex()]
    ethernet = [one.name for one in found if one.ethernet and one.up]
    if len(ethernet) != 1:
        raise Failure(f"which --interface? There are {', '.join(ethernet) or 'none that are up'}")
    return ethernet[0]


def _report(interface: str, user: str, trial: Trial, pings: Report | None) -> dict[str, Any]:
    from reconciler.loop.telling.explain import FAILED_IN

    up, ended = trial.up, trial.ended
    deaf = pings is not None and not pings["received"]
    return {
        "ok": ended is None and not deaf,
        "user": user,
        "interface": interface,
        "phase": str(ended.phase) if ended else "open",
        "reason": ended.reason if ended else "no ping was answered" if deaf else None,
        "windows": list(FAILED_IN[ended.phase]) if ended else [],
        "took_s": {str(phase): round(took, 6) for phase, took in trial.took.items()},
        "ac_name": up.ac_name if up else None,
        "ac_mac": up.ac_mac.hex(":") if up else None,
        "id": up.session if up else None,
        "address": up.address if up else None,
        "peer": up.peer if up else None,
        "dns": list(up.dns) if up else [],
        "mtu": up.mtu if up else None,
        "method": up.method if up else None,
        "ping": {key: value for key, value in pings.items() if key != "losses"} if pings else None,
    }


def _line(report: dict[str, Any]) -> str:
    """All that people want to know, in one line. What came from the network is escaped already."""
    from reconciler.site.escape import visible

    user, port = visible(report["user"]), visible(report["interface"])
    if report["address"] is None:
        shown = f"Windows shows {' or '.join(map(str, report['windows']))}"
        return f"{user} is not in: {report['phase']} failed on {port}: {report['reason']} ({shown})"
    total = 1000 * sum(report["took_s"].values())
    took = ", ".join(f"{phase} {1000 * seconds:.0f}" for phase, seconds in report["took_s"].items())
    said = (
        f"{user} is in on {port}: {report['address']} peer {report['peer']}, MTU {report['mtu']}, DNS"
        f" {' '.join(report['dns']) or 'none'}, by {report['method'] or 'no login'} from {report['ac_name']},"
        f" in {total:.0f} ms ({took})"
    )
    if ping := report["ping"]:
        average = f", {ping['rtt_avg']:.1f} ms" if ping["received"] else ""
        said += f"; {ping['received']} of {ping['sent']} pings to {ping['target']} answered{average}"
    return said if report["ok"] or ping else f"{said}; but then: {report['reason']}"

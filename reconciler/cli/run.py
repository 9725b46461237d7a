"""``reconciler run``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

from reconciler.cli import door
from reconciler.cli.common import PATH, Common, Failure, coloured, takes_common
from reconciler.cli.identities import check, identity_option
from reconciler.cli.pace import Pace

if TYPE_CHECKING:
    from reconciler.control.exporter import Address


@click.command("run")
@click.argument("site", type=PATH)
@click.option(
    "--datapath",
    type=click.Choice(["auto", "ebpf", "tun", "null"]),
    default="auto",
    show_default=True,
    help="How subscribers' packets travel; only for an engine that is started anew.",
)
@click.option(
    "--interval",
    type=click.FloatRange(0.1, 3600),
    default=5.0,
    show_default=True,
    help="Seconds between two looks at everything when nothing happens.",
)
@click.option("--poll", is_flag=True, help="Do not rely on the kernel to tell of changed files.")
@click.option(
    "--external-engine", is_flag=True, help="Do not start an engine: something else does, such as its unit."
)
@click.option("--once", is_flag=True, help="Start the engine, converge once, leave it serving.")
@click.option(
    "--on-exit",
    type=click.Choice(["keep", "drain"]),
    default="keep",
    show_default=True,
    help="What becomes of the sessions when this command is stopped.",
)
@click.option(
    "--drain-rate",
    type=Pace(),
    metavar="N/s",
    help="With --on-exit drain or --release: so many sessions a second.  [default: 50/s]",
)
@click.option(
    "--release", is_flag=True, help="When stopped, drain, and put back the kernel's settings as found."
)
@identity_option("A key for encrypted passwords in SITE, beside this box's own.")
@click.option(
    "--socket-mode",
    type=door.Mode(),
    metavar="MODE",
    help="Permissions of the control socket.  [default: 0600; with --socket-group 0660]",
)
@click.option("--socket-group", type=door.Group(), metavar="GROUP", help="Group of the control socket.")
@click.option(
    "--metrics-listen",
    type=door.Listen(),
    metavar="ADDRESS:PORT",
    help="Show the metrics there too: 127.0.0.1:9101 or [::1]:9101. Nobody is asked for a password.",
)
@takes_common()
def command(
    common: Common,
    site: Path,
    datapath: str,
    interval: float,
    poll: bool,
    external_engine: bool,
    once: bool,
    on_exit: Literal["keep", "drain"],
    drain_rate: float | None,
    release: bool,
    socket_mode: int | None,
    socket_group: int | None,
    metrics_listen: Address | None,
    identities: tuple[Path, ...],
) -> int:
    """Watch SITE and keep the box and the engine equal to it, until told to stop.

    Stays in the foreground and logs to standard error: text on a terminal, JSON lines otherwise. SIGTERM
    leaves the sessions up for the next run.
    """
    from reconciler import blame, daemon, log
    from reconciler.control.exporter import ListenError
    from reconciler.control.server import Access
    from reconciler.loop.keeping.lock import RuntimeDirError
    from reconciler.loop.keeping.store import StoreError
    from reconciler.loop.supervise import EngineStartError
    from reconciler.resources.engine import NoEngineError, RefusedError

    if once and (release or on_exit == "drain"):
        raise click.UsageError(
            "--once leaves the engine serving: it goes with neither --release nor --on-exit drain"
        )
    if identities:
        check(identities)
    blame.instead_of_tracebacks()
    log.configure(
        common.verbosity,
        None if common.output == "text" else "json",
        colour=coloured(sys.stderr),
    )
    options = daemon.Options(
        site=site,
        runtime_dir=common.runtime_dir.absolute(),
        state_dir=common.state_dir.absolute(),
        datapath=datapath,
        interval=interval,
        poll=poll,
        external_engine=external_engine,
        once=once,
        on_exit=on_exit,
        drain_rate=drain_rate,
        release=release,
        access=Access(socket_mode or (0o600 if socket_group is None else 0o660), socket_group),
        metrics=metrics_listen,
        age_identities=tuple(file.absolute() for file in identities),
    )
    try:
        return daemon.run(options)
    except (
        RuntimeDirError,
        StoreError,
        EngineStartError,
        NoEngineError,
        RefusedError,
        ListenError,
    ) as error:
        raise Failure(str(error)) from None

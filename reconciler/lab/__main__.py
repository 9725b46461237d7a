"""The sandbox's command: ``python -m reconciler.lab [--demo] [--subscribers N]``.

On a terminal it shows the sessions and the exchange as they happen and stays until Ctrl-C; without one,
or with ``--demo``, it plays the story and exits with 0, or with 1 when something was not as it should be.
Needs root and /dev/net/tun. Whatever it made is removed in the end, also when it is interrupted.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from pathlib import Path
from types import FrameType

from reconciler.lab import edits
from reconciler.lab.caller import CallerError
from reconciler.lab.instance import InstanceError
from reconciler.lab.sandbox import Sandbox
from reconciler.lab.show import FOR_REAL, Show
from reconciler.lab.stage import Stage
from reconciler.lab.story import PASSWORD, SPARE, Pace, Story
from reconciler.linux.errors import KernelError

_EXAMPLE = Path(__file__).parents[2] / "examples" / "site.yaml"
_USERS = ("theo", "pablo", "yunhan")
_MOST = 50


def main(arguments: list[str]) -> int:
    """Exit status: 0 all was as it should be, 1 it was not or could not be tried, 64 wrong usage, 130
    interrupted.
    """
    options = _parse(arguments)
    problem = _hindrance()
    if problem:
        sys.stderr.write(f"lab: {problem}\n")
        return 1
    users = _USERS + tuple(f"user{number}" for number in range(len(_USERS) + 1, options.subscribers + 1))
    text = _EXAMPLE.read_text()
    for user in users[len(_USERS) :]:
        text = edits.add_user(text, user, PASSWORD)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interrupt)
    live = sys.stdout.isatty() and not options.demo
    try:
        return _live(text, users, options.datapath) if live else _demo(text, users, options.datapath)
    except KeyboardInterrupt:
        return 0 if live else 130
    except (CallerError, InstanceError, KernelError) as error:
        sys.stderr.write(f"lab: {error}\n")
        return 1


def _live(text: str, users: tuple[str, ...], datapath: str) -> int:
    show = Show(_print)
    with Sandbox(text, users, datapath, show.frame) as sandbox:
        show.run(sandbox)
    return 0


def _demo(text: str, users: tuple[str, ...], datapath: str) -> int:
    wire: list[str] = []
    with Sandbox(text, (*users, SPARE), datapath, wire.append) as sandbox:
        stage = Stage(sandbox, wire, _print)
        right = Story(sandbox, stage, text, users, Pace()).play()
    failures = "".join(f"  {failure}\n" for failure in stage.failures)
    _print(
        f"\nEverything was as it should be.\n\n{FOR_REAL}" if right else f"\nNot as it should be:\n{failures}"
    )
    return 0 if right else 1


def _hindrance() -> str | None:
    if os.geteuid() != 0:
        return "needs root (it makes network namespaces): try again with sudo"
    if not Path("/dev/net/tun").exists():
        return "needs /dev/net/tun: `modprobe tun`, or allow the device to this container"
    if not _EXAMPLE.exists():
        return f"needs {_EXAMPLE}: run it from a checkout of the project"
    return None


def _parse(arguments: list[str]) -> argparse.Namespace:
    about = (__doc__ or "").split("\n\n")[1].replace("``", "`")
    parser = argparse.ArgumentParser(prog="reconciler lab", description=about)
    parser.add_argument("--demo", action="store_true", help="play the story by itself and exit")
    parser.add_argument(
        "--subscribers", type=int, default=len(_USERS), metavar="N", help="how many (default: 3)"
    )
    parser.add_argument(
        "--datapath", choices=("auto", "ebpf", "tun"), default="auto", help="as of `reconciler run`"
    )
    try:
        options = parser.parse_args(arguments)
    except SystemExit as usage:
        raise SystemExit(64 if usage.code else 0) from None
    if not len(_USERS) <= options.subscribers <= _MOST:
        sys.stderr.write(f"lab: --subscribers takes {len(_USERS)} to {_MOST}\n")
        raise SystemExit(64)
    return options


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    # Once is enough: what follows is the taking down, and that is not to be interrupted.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    raise KeyboardInterrupt


def _print(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

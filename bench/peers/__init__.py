"""Against what else Debian has for this: rp-pppoe's pppoe-server, the same subscribers in the same place.

Each server gets a fresh guest (``place``), in which first real pppds dial, then a crowd from outside
(``measure``). The guest has one slow processor, so what counts are ratios, and processor time: the machine
outside tells that, whatever else it does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Final

from bench.peers.measure import WINDOW, Found, measure
from bench.peers.servers import OTHERS, Ours, Server
from bench.report import Cell, Report, Table, shown
from bench.world import compiled

NEEDS: Final = ("/usr/sbin/pppoe-server", "/usr/sbin/pppd", "/usr/bin/linux.uml")
LARGE: Final = 10_000
"""Sessions in a crowd for a server that takes a millisecond for each; the others would take an hour."""

_ABOUT: Final = (
    "In a guest of user-mode Linux, whose kernel has PPP and one slow processor, Debian's pppd dials by"
    " CHAP into one server after the other: ours, its core compiled as in the Debian package, with the "
    "data path `ebpf`, and Debian's rp-pppoe, which runs a pppd for each session, and in user mode a pppoe "
    "beside it. (Debian builds it without kernel mode; for that it is given a pppd with the kernel's "
    "plugin.) A dial is from the start of the pppd until it says that it is up. Then a crowd dials in from "
    f"outside the guest, which costs the guest nothing, {WINDOW} at a time; as with pppd, a request "
    "without an answer is sent again after 3 s, in discovery after 5. The guest is held to one core of the "
    "machine, the crowd to the others. `processor` is what all of the guest took, by the clock of the "
    "machine outside. `processes` is the memory of the server's processes, what is shared divided; "
    "`in all` that of the guest, its kernel and the files in `/run` included."
)

_NOTE: Final = (
    "`better by`: how many times ours is faster, or smaller. Where a pppd has not started yet when the "
    "other side's Configure-Request comes, that is lost, and both ends wait 3 s. Taking a user out of "
    "chap-secrets ends no session: `-` is one that was still up after 5 s."
)

_WANDERING: Final = (
    "The guest's kernel and programs are processes that wake one another at each system call; where they may "
    "go from core to core that costs more than the call."
)


def run(*, quick: bool) -> Report:
    """Every server, one after the other."""
    missing = [program for program in NEEDS if not Path(program).exists()]
    if missing:
        raise SystemExit(f"bench: needs {', '.join(missing)}: ./dev bench installs them")
    dials, real, sizes = (1, 2, (10,)) if quick else (9, 20, (50, 200))
    with compiled() as code:
        ours = Ours(code)
        found = [measure(server, dials, real, sizes) for server in (ours, *OTHERS)]
        tables = [_side_by_side(found, dials, real), _large(ours, 500 if quick else LARGE)]
    return Report("peers", "Against rp-pppoe", _ABOUT, tables)


def _side_by_side(found: list[Found], dials: int, real: int) -> Table:
    names = [word for server in OTHERS for word in (server.name, "better by")]
    table = Table("Side by side", ("", Ours.name, *names), note=_NOTE)

    def row(what: str, of: Callable[[Found], float | None], *, more: bool = False) -> None:
        mine, *others = map(of, found)
        cells = [cell for other in others for cell in (other, _factor(mine, other, more=more))]
        table.rows.append((what, mine, *cells))

    row(f"a real pppd dials, ms (median of {dials})", lambda f: f.dial * 1e3)
    row(f"{real} real pppds at once, until the last is up, s", lambda f: f.together)
    row("PADI to IPCP without a client's time, ms", lambda f: f.alone * 1e3)
    for size in found[0].crowds:
        row(f"{size} dial: a second", partial(_rate, size), more=True)
        row(f"{size} dial: did not get in", partial(_outside, size))
        row(f"{size} dial: processor, ms each", partial(_processor, size))
    row("memory of processes, kB a session", lambda f: f.processes / 1024)
    row("memory in all, kB a session", lambda f: f.memory / 1024)
    row("user taken out until its pppd ends, ms", lambda f: f.revoked and f.revoked * 1e3)
    return table


def _rate(size: int, found: Found) -> float:
    return found.crowds[size].rush.rate


def _outside(size: int, found: Found) -> int:
    return size - found.crowds[size].rush.up


def _processor(size: int, found: Found) -> float:
    return found.crowds[size].cpu * 1e3


def _factor(ours: float | None, theirs: float | None, *, more: bool) -> Cell:
    """By how much ours is better, where ``more`` of it is, or less."""
    if not ours or not theirs:
        return None
    return f"{shown(float(ours / theirs if more else theirs / ours))}×"


def _large(server: Server, size: int) -> Table:
    columns = ("guest", "sessions", "a second", "per processor", "processor, ms each")
    memory = ("processes, kB", "in all, kB")
    table = Table(f"{server.name} alone, a larger crowd", columns + memory, note=_WANDERING)
    for held, guest in ((True, "on one core"), (False, "on any core")):
        found = measure(server, 1, 1, (size,), held=held)
        crowd = found.crowds[size]
        cells = (crowd.rush.rate, 1 / crowd.cpu, crowd.cpu * 1e3, found.processes / 1024, found.memory / 1024)
        table.rows.append((guest, crowd.rush.up, *cells))
    return table

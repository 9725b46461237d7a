"""What is measured of one server: first with real pppds, then with a crowd from outside the guest."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

from bench.peers.crowd import Rush
from bench.peers.place import Place, line
from bench.peers.servers import Server
from bench.subscribers import PASSWORD, user
from tests.root.guest.pppd import Dialled, Pppd

WINDOW: Final = 50
"""How many of the crowd dial at a time."""
_ALONE: Final = 5
_WITHIN: Final = 180.0
_CROWD: Final = 1000
"""Numbers from here on are the crowd's; those below are real pppds'."""


@dataclass(frozen=True, slots=True)
class Crowded:
    """A crowd that has dialled in, and the seconds of processor that all of the guest took for each."""

    rush: Rush
    cpu: float


@dataclass(frozen=True, slots=True)
class Found:
    """Seconds, octets per session, and crowds by their size."""

    dial: float
    together: float
    revoked: float | None
    alone: float
    crowds: dict[int, Crowded]
    processes: float
    memory: float


def measure(server: Server, dials: int, real: int, sizes: Sequence[int], *, held: bool = True) -> Found:
    """``dials`` of one pppd, ``real`` pppds at once, then crowds of these sizes; the guest ``held`` to one
    core, or not.
    """
    with Place(server, _CROWD + _ALONE + sum(sizes), held=held) as place:
        dial, together, revoked = _real(place, dials, real, server)
        place.quiet()
        processes, used = place.processes, place.used
        alone = place.crowd.rush(range(_CROWD, _CROWD + _ALONE), 1, _WITHIN)
        first, crowds = _CROWD + _ALONE, {}
        for size in sizes:
            crowds[size] = _crowd(place, range(first, first + size))
            first += size
        up = len(place.crowd.street.open)
        processes, used = place.processes - processes, place.used - used
    return Found(dial, together, revoked, median(alone.took), crowds, processes / up, used / up)


def _real(place: Place, dials: int, real: int, server: Server) -> tuple[float, float, float | None]:
    pppds = [place.subscriber(number) for number in range(real)]
    took = [_dial(pppds[0]) for _ in range(dials)]
    for number, pppd in enumerate(pppds):
        pppd.start(user(number), PASSWORD.decode(), "chap")
    together = max(_in(pppd.dialled()).took for pppd in pppds)
    revoked = json.loads(server.revoke(place.guest, 0, f"/run/ppp-{line(0)}.pid"))
    for pppd in pppds:
        pppd.give_up()
    return median(took), together, revoked


def _dial(pppd: Pppd) -> float:
    dialled = _in(pppd.dial(user(0), PASSWORD.decode()))
    pppd.hang_up()
    return dialled.took


def _in(dialled: Dialled) -> Dialled:
    if not dialled.up:
        raise RuntimeError(f"a pppd did not get in:\n{dialled.log}")
    return dialled


def _crowd(place: Place, numbers: range) -> Crowded:
    cpu = place.cpu
    rush = place.crowd.rush(numbers, WINDOW, _WITHIN)
    return Crowded(rush, (place.cpu - cpu) / max(rush.up, 1))

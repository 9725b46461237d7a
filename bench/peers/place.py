"""Where servers are compared: a guest whose kernel has PPP, with two cables that a server is given.

On one, ``vec0``, is the crowd, outside the guest: it costs the guest's only processor nothing. On the other
are real pppds, which share that processor with the server, as it must be for want of PPP outside.

The guest's kernel and each program in it are processes that wake one another all the time. Left to themselves
they wander between this machine's cores, which takes longer than what they do; so they are held to one, as
the one processor that they are, and the crowd to the others.

Neighbours: ``servers`` has what is started here, ``measure`` what is measured.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Self

from bench.peers.crowd import Crowd
from bench.peers.servers import INSIDE, Server
from reconciler.linux import links, netns
from tests.root.guest.pppd import Pppd
from tests.root.guest.vm import TRUNK, Guest

MEMORY: Final = 1536
_TAP, _SHOP, _STREET = "tap0", "shop", "street"
_MODULES: Final = "veth sch_ingress cls_bpf ppp_async ppp_synctty"
_PREPARE: Final = f"""\
set -e
modprobe -d /run/root -a {_MODULES}
mkdir -p /etc/ppp/plugins /dev/pts
mount -t devpts devpts /dev/pts
ln -s /usr/lib/pppd/*/rp-pppoe.so /etc/ppp/plugins/
ip link add {_SHOP} type veth peer name {_STREET}
for card in {TRUNK} {_SHOP} {_STREET}; do ip link set $card up; done
"""
_QUIET: Final = "for i in $(seq 100); do kill $(pidof pppd) 2>/dev/null || break; sleep 0.3; done"
_TICKS: Final = os.sysconf("SC_CLK_TCK")
_MEMINFO = re.compile(r"^(\w+): +(\d+) kB$", re.MULTILINE)


class Place:
    """A fresh guest for the time of a ``with`` block, with ``server`` serving so many ``users``; ``held`` to
    one core, or on any.
    """

    def __init__(self, server: Server, users: int, *, held: bool = True) -> None:
        self._server = server
        self._users = users
        self._held = held
        self._undo = ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as undo:
            name = f"rcb-{os.getpid()}-{os.urandom(2).hex()}"
            netns.create(name)
            undo.callback(netns.remove, name)
            with netns.inside(name):
                subprocess.run(["ip", "tuntap", "add", _TAP, "mode", "tap"], check=True)
                links.bring(_TAP, up=True)
            self.guest = self._boot(name, undo)
            self.run(_PREPARE)
            self._server.start(self.guest, self._users, (TRUNK, _SHOP))
            with netns.inside(name):
                self.crowd = undo.enter_context(Crowd(_TAP))
            self._undo = undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def _boot(self, namespace: str, undo: ExitStack) -> Guest:
        """A guest, which keeps the cores that this process has when it starts."""
        cores = os.sched_getaffinity(0)
        undo.callback(os.sched_setaffinity, 0, cores)
        held = {min(cores)} if self._held else cores
        os.sched_setaffinity(0, held)
        guest = undo.enter_context(Guest(namespace, _TAP, MEMORY))
        os.sched_setaffinity(0, cores - held or cores)
        return guest

    def run(self, script: str) -> str:
        """What a script in the guest prints."""
        done = self.guest.run(script)
        if done.status != 0:
            raise RuntimeError(f"in the guest: {done.output}")
        return done.output

    def subscriber(self, number: int) -> Pppd:
        """A real pppd."""
        return Pppd(self.guest, line(number), number, _STREET)

    def quiet(self) -> None:
        """End what is left of a server's pppds after those that dialled have gone."""
        self.run(_QUIET)

    @property
    def cpu(self) -> float:
        """Seconds of this machine's processors that the guest has used, kernel and all."""
        total = 0
        for process in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = process.read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has just ended
            if int(fields[3]) == self.guest.pid:
                total += sum(map(int, fields[11:15]))
        return total / _TICKS

    @property
    def used(self) -> int:
        """Octets of the guest's memory that are taken and could not be had back: its kernel's too."""
        has = {name: int(value) * 1024 for name, value in _MEMINFO.findall(self.run("cat /proc/meminfo"))}
        cached = has["Buffers"] + has["Cached"] + has["SReclaimable"] - has["Shmem"]
        return has["MemTotal"] - has["MemFree"] - cached

    @property
    def processes(self) -> int:
        """Octets of memory of the server's processes."""
        return int(json.loads(self.run(f"{INSIDE} memory {' '.join(self._server.processes)}")))


def line(number: int) -> str:
    """A real subscriber's name."""
    return f"line{number}"

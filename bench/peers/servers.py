"""The servers that are compared: how each is started in the guest, for the same users on the same cables.

Each is left as its users would have it. Neighbours: the measurements, which know no server by name.
"""

from __future__ import annotations

import os
import sys
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Final

from bench.subscribers import PASSWORD, user
from bench.world import ROOT
from tests.root.guest.vm import Guest

_PYTHON: Final = f"PYTHONPATH={os.pathsep.join(filter(None, sys.path))} {sys.executable}"
"""This Python, with its libraries, wherever those are."""
INSIDE: Final = f"cd {ROOT} && {_PYTHON} -m bench.peers.inside"
_DIRECTORY: Final = "/run/bench"
_LOG: Final = "/run/server.log"
_OPTIONS: Final = """\
require-chap
lcp-echo-interval 30
lcp-echo-failure 4
ms-dns 10.0.0.1
ms-dns 10.0.0.2
noccp
novj
noipdefault
nodefaultroute
mtu 1492
mru 1492
"""
_IN_KERNEL: Final = """\
# pppoe-server runs: pppd pty '/usr/sbin/pppoe -n -I INTERFACE -e NUMBER:MAC ...' OPTIONS
interface=$(expr "$2" : '.* -I \\([^ ]*\\)') session=$(expr "$2" : '.* -e \\([^ ]*\\)')
shift 2
exec /usr/sbin/pppd plugin rp-pppoe.so "nic-$interface" rp_pppoe_sess "$session" "$@"
"""


class Server(ABC):
    """A server; ``processes`` are the names of those that serve."""

    name: str
    processes: tuple[str, ...]
    revokes = False
    """Whether a user that is taken out loses the session."""

    @abstractmethod
    def start(self, guest: Guest, users: int, interfaces: tuple[str, ...]) -> None:
        """Start it, and return when it serves."""

    @abstractmethod
    def revoke(self, guest: Guest, number: int, file: str) -> str:
        """Take a user out, by the server's own means; prints what ``inside`` prints."""


class Ours(Server):
    """The engine of the ``reconciler`` in ``code``, with the data path that it would choose by itself."""

    name = "reconciler"
    processes = ("python", "python3", "python3.11")

    def __init__(self, code: Path) -> None:
        self._code = code

    def start(self, guest: Guest, users: int, interfaces: tuple[str, ...]) -> None:
        _must(
            guest,
            f"mkdir {_DIRECTORY}\ncd {self._code}\n"
            f"{_PYTHON} -m reconciler.engine --runtime-dir {_DIRECTORY} --datapath ebpf"
            f" >{_DIRECTORY}/out 2>{_LOG} &\n"
            + _until(f"grep -q ready {_DIRECTORY}/out")
            + f"{INSIDE} serve {_DIRECTORY} {users} {' '.join(interfaces)}",
        )

    def revoke(self, guest: Guest, number: int, file: str) -> str:
        return _must(guest, f"{INSIDE} revoke {_DIRECTORY} {number} {file}")


class RpPppoe(Server):
    """Debian's pppoe-server, with a pppd for each session. It is built without kernel mode, so for that it is
    given a pppd that takes the kernel's PPPoE.
    """

    processes = ("pppoe-server", "pppd", "pppoe")

    def __init__(self, *, kernel: bool) -> None:
        self.name = f"rp-pppoe, {'kernel' if kernel else 'user'} mode"
        self._kernel = kernel

    def start(self, guest: Guest, users: int, interfaces: tuple[str, ...]) -> None:
        options = guest.write("pppoe-server-options", _OPTIONS)
        lines = "".join(f'{user(number)} * "{PASSWORD.decode()}" *\n' for number in range(users))
        secrets = guest.write("secrets", lines)
        pppd = guest.program("pppd-in-kernel", _IN_KERNEL) if self._kernel else "/usr/sbin/pppd"
        ports = " ".join(f"-I {interface}" for interface in interfaces)
        _must(
            guest,
            f"(umask 077 && cat {secrets} >/etc/ppp/chap-secrets && cat {options} >/etc/ppp/server)\n"
            f"pppoe-server -F {ports} -C BENCH -L 10.0.0.1 -R 10.1.0.1 -N {users} -O /etc/ppp/server"
            f" -q {pppd} >{_LOG} 2>&1 &\n" + _until("grep -q ' 8863 ' /proc/net/packet"),
        )

    def revoke(self, guest: Guest, number: int, file: str) -> str:
        return _must(
            guest,
            f"sed -i /^{user(number)}/d /etc/ppp/chap-secrets\n"
            f"for i in $(seq 50); do [ -e {file} ] || break; sleep 0.1; done\n"
            f"[ -e {file} ] && echo null",
        )


OTHERS: Final = (RpPppoe(kernel=False), RpPppoe(kernel=True))


def _until(condition: str) -> str:
    return f"for i in $(seq 300); do {condition} && break; sleep 0.1; done\n{condition} || exit 1\n"


def _must(guest: Guest, script: str) -> str:
    done = guest.run(script)
    if done.status != 0:
        raise RuntimeError(f"in the guest: {done.output}\n{guest.run(f'cat {_LOG}').output}")
    return done.output

"""Subscribers in the guest: Debian's pppd with the kernel's PPPoE, each in a namespace and with a MAC of
its own.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from tests.root.guest.vm import TRUNK, Done, Guest

_REFUSE = {
    "pap": ("refuse-chap", "refuse-mschap", "refuse-mschap-v2", "refuse-eap"),
    "chap": ("refuse-pap", "refuse-mschap", "refuse-mschap-v2", "refuse-eap"),
    "mschap": ("refuse-pap", "refuse-chap", "refuse-mschap-v2", "refuse-eap"),
    "mschapv2": ("refuse-pap", "refuse-chap", "refuse-mschap", "refuse-eap"),
    "any": (),
}
_INET = re.compile(r"inet (\S+) peer (\S+)")
_TOOK = re.compile(r"^\d+$", re.MULTILINE)
_ANSWERED = re.compile(r"(\d+) received")
_TIMED = (
    'start=${EPOCHREALTIME/./}; pppd file "$0"; status=$?; '
    "echo $((${EPOCHREALTIME/./} - start)); exit $status"
)
"""For bash, whose clock takes no program: run pppd with a file of options, and print its microseconds."""

UNHURRIED = "lcp-restart 30"
"""An option: that it asks again is then no matter of a slow machine."""
AUTHENTICATION_FAILED = 19
"""pppd's exit status when it is not let in (pppd(8))."""


@dataclass(frozen=True)
class Dialled:
    """What came of a dial: pppd's exit status, how many seconds it took from pppd's start to its address,
    ``ip addr show ppp0`` and pppd's log.
    """

    status: int
    took: float
    shown: str
    log: str

    @property
    def up(self) -> bool:
        return self.status == 0

    @property
    def address(self) -> str:
        found = _INET.search(self.shown)
        return found[1] if found else ""


class Pppd:
    """One subscriber on the guest's interface ``trunk``. Everything of pppd's is left as Debian ships it, but
    for what names the line and the user.
    """

    def __init__(self, guest: Guest, name: str, number: int, trunk: str = TRUNK) -> None:
        self._guest = guest
        self._name = name
        self._dialling = 0
        self.mac = f"02:00:00:00:04:{number:02x}"
        port = f"mv{number}"
        made = guest.run(
            f"set -e\nip link set {trunk} up promisc on\nip netns add {name}\n"
            f"ip link add link {trunk} name {port} address {self.mac} type macvlan mode private\n"
            f"ip link set {port} netns {name} name eth0\n"
            # Or it would answer ARP on eth0 for the address of its ppp0, and get packets past the session.
            f"ip netns exec {name} sh -c 'echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore'\n"
            f"ip -n {name} link set lo up\nip -n {name} link set eth0 up\n"
        )
        assert made.status == 0, made.output

    def start(self, user: str, password: str, method: str, *more: str) -> None:
        """Start to dial, with ``more`` options; :meth:`dialled` tells what came of it."""
        options = [
            "plugin rp-pppoe.so",
            "nic-eth0",
            f'user "{user}"',
            f'password "{password}"',
            "noauth",
            "noipdefault",
            "defaultroute",
            "usepeerdns",
            "mtu 1492",
            "mru 1492",
            "ifname ppp0",
            f"linkname {self._name}",
            "debug",
            f"logfile {self._log}",
            "updetach",
            *_REFUSE[method],
            *more,
        ]
        file = self._guest.write(f"{self._name}.options", "\n".join(options) + "\n")
        self._dialling = self._guest.start(
            f": >{self._log}\n"
            f"ip netns exec {self._name} bash -c {shlex.quote(_TIMED)} {file}\nstatus=$?\n"
            f"ip -n {self._name} addr show ppp0 2>&1\necho ---\ncat {self._log}\nexit $status\n"
        )

    def dialled(self) -> Dialled:
        done = self._guest.finish(self._dialling)
        before, _, log = done.output.partition("---\n")
        took = _TOOK.search(before)
        return Dialled(done.status, int(took[0]) / 1e6 if took else 0.0, before, log)

    def dial(self, user: str, password: str, method: str = "chap", *more: str) -> Dialled:
        self.start(user, password, method, *more)
        return self.dialled()

    def run(self, *argv: str) -> Done:
        """Run a command in the subscriber's namespace."""
        return self._guest.run(f"ip netns exec {self._name} {shlex.join(argv)}")

    def pings(self, target: str, count: int = 5, *more: str) -> int:
        """How many of so many pings were answered; ``more`` are options of ping's."""
        shown = self.run("ping", "-c", str(count), "-i", "0.2", "-W", "30", *more, target).output
        found = _ANSWERED.search(shown)
        return int(found[1]) if found else 0

    def hang_up(self) -> str:
        """Tell pppd to end, and wait for it; its log."""
        self._guest.run(f"kill $(head -n 1 {self._pid})")
        return self.ended()

    def kill(self) -> None:
        """End pppd as a power cut does: nothing more is sent."""
        done = self._guest.run(f"kill -9 $(head -n 1 {self._pid}) && rm {self._pid}")
        assert done.status == 0, done.output

    def give_up(self) -> None:
        """Make sure that pppd is not running."""
        self._guest.run(f"[ ! -e {self._pid} ] || kill $(head -n 1 {self._pid})")
        self.ended()

    def ended(self) -> str:
        """Wait until pppd has ended, by whatever cause; its log."""
        done = self._guest.run(
            f"for i in $(seq 1200); do [ -e {self._pid} ] || break; sleep 0.05; done\n"
            f"cat {self._log} 2>/dev/null\n[ ! -e {self._pid} ]"
        )
        assert done.status == 0, f"pppd of {self._name} goes on:\n{done.output}"
        return done.output

    @property
    def _log(self) -> str:
        return f"/run/{self._name}.log"

    @property
    def _pid(self) -> str:
        return f"/run/ppp-{self._name}.pid"

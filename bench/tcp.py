"""TCP through a session, without a limit and with one: how fast, and how near to what was asked.

iperf3 between a subscriber and a station beyond the concentrator, which routes. The subscriber's end of the
session is carried by its kernel (``mirror``). Beside it the same machines by plain routing over a second
cable of the same MTU, with segments cut as on a wire, since a session's frames are.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Final

from bench.mirror import MTU, mirrored
from bench.report import Report, Table
from bench.world import SETTINGS, Cable, Engine, Load, entry
from reconciler.engine.access.effects import Key
from reconciler.linux import interface, links, netlink, netns, offload, sysctl
from tests.root.traffic import serving

RATES: Final = (20, 50, 100, 200, 500)
"""Mbit/s, of packets of IPv4."""
PATHS: Final = ("ebpf", "tun")
ROUNDS: Final = 3
POOL: Final = "10.1.0.0/16"
BEYOND: Final = "192.0.2.2"
PLAIN: Final = "10.2.0.2"
"""The subscriber on the second cable."""
ALIAS: Final = "192.0.2.3"
"""The station beyond, as whoever goes by the second cable calls it."""
OF_TCP: Final = 1440 / 1492
"""What of a packet of 1492 octets is TCP's payload, with time stamps."""
MEGA: Final = 1_000_000
CONGESTION: Final = Path("/proc/sys/net/ipv4/tcp_congestion_control")


def run(*, quick: bool) -> Report:
    """Both data paths, without a limit and with each."""
    seconds = 1 if quick else 2
    free = Table("TCP without a limit, Mbit/s", ("", "down", "of plain", "up", "of plain"))
    limited = Table(
        "TCP with a limit, Mbit/s",
        ("data path", "limit", "down", "of the limit", "up", "of the limit"),
    )
    for path in PATHS:
        with session(path) as line:
            _free(line, path, free, seconds)
            for limit in RATES[:: 2 if quick else 1]:
                line.limit(limit * MEGA)
                down, up = (line.rate(BEYOND, seconds, *way) / MEGA for way in (("-R",), ()))
                limited.rows.append((path, limit, down, down / limit, up, up / limit))
    about = (
        "iperf3, one connection, between a subscriber and a station beyond the concentrator, the first second"
        " left out. Rates are those of IPv4 packets (a TCP payload of 1,440 octets in 1,492). Plain routing"
        f" is over a second cable with an MTU of {MTU:,}, by devices that cut segments themselves, in turn"
        " with the session's. All three machines share the cores, so that the subscriber's and the station's"
        f" own cost is in each number. Congestion control is the machine's: {CONGESTION.read_text().strip()}."
    )
    return Report("tcp", "TCP, and rate limits", about, [free, limited])


class Line:
    """A subscriber's session, up, and how fast TCP is on it."""

    def __init__(self, cable: Cable, far: str, engine: Engine) -> None:
        self._cable = cable
        self._far = far
        self._engine = engine

    def limit(self, rate: int) -> None:
        """Let the subscriber have so many bits of IPv4 a second each way."""
        self._engine.client.users(1, [{**entry(0), "rate": {"down": rate, "up": rate}}], [])

    def rate(self, station: str, seconds: int, *options: str) -> float:
        """Bits of IPv4 a second that a connection to the station comes to; ``-R``: from it."""
        argv = ["iperf3", "-c", station, "-J", "-O", "1", "-t", str(seconds), *options]
        with serving(self._far, "-1"), netns.inside(self._cable.there):
            done = subprocess.run(argv, capture_output=True, text=True, check=True)
        return float(json.loads(done.stdout)["end"]["sum_received"]["bits_per_second"]) / OF_TCP


def _free(line: Line, path: str, table: Table, seconds: int) -> None:
    cases = [(station, way) for way in (("-R",), ()) for station in (ALIAS, BEYOND)]
    rounds = [[line.rate(station, seconds, *way) / MEGA for station, way in cases] for _ in range(ROUNDS)]
    full_down, down, full_up, up = (median(rates) for rates in zip(*rounds, strict=True))
    table.rows.append(("plain routing", full_down, 1.0, full_up, 1.0))
    table.rows.append((path, down, down / full_down, up, up / full_up))


@contextmanager
def session(path: str) -> Iterator[Line]:
    """One session over this data path."""
    with (
        tempfile.TemporaryDirectory(prefix="bench-") as directory,
        Cable() as cable,
        _beyond(cable) as far,
        Engine(cable, Path(directory), path) as engine,
        Load(cable) as load,
    ):
        engine.set_up(1)
        hello = engine.client.hello()
        assert hello["device"] is not None
        load.do("dial", first=0, count=1)
        (one,) = engine.client.observe()["sessions"]
        assert one["address"] is not None
        with netns.inside(cable.here):
            links.assign(hello["device"], SETTINGS["local_ip"], 32)
            netlink.add_route(POOL, hello["device"], hello["via"])
            ours = interface.read("eth0").mac
        key = Key("eth0", (), ours, one["id"])
        mac = bytes.fromhex(one["mac"].replace(":", ""))
        with mirrored(cable.there, mac, key, one["address"], BEYOND):
            yield Line(cable, far, engine)
        engine.client.shutdown()
        engine.wait()  # it takes the data path away


@contextmanager
def _beyond(cable: Cable) -> Iterator[str]:
    """A station behind the concentrator, which forwards, and a second cable to the subscriber."""
    name = f"{cable.here}-f"
    netns.create(name)
    try:
        with netns.inside(cable.here):
            links.create_veth("eth1", "eth0", name)
            links.create_veth("eth2", "eth2", cable.there)
            for device, address in (("eth1", "192.0.2.1"), ("eth2", "10.2.0.1")):
                _cut(device)
                links.assign(device, address, 24)
                links.bring(device, up=True)
            sysctl.write(sysctl.IP_FORWARD, 1)
        with netns.inside(cable.there):
            _cut("eth2")
            links.assign("eth2", PLAIN, 24)
            links.bring("eth2", up=True)
            netlink.add_route(f"{ALIAS}/32", "eth2", "10.2.0.1")
        with netns.inside(name):
            _cut("eth0")
            links.assign("eth0", BEYOND, 24)
            links.assign("eth0", ALIAS, 24)
            links.bring("eth0", up=True)
            links.default_route(gateway="192.0.2.1")
        yield name
    finally:
        netns.remove(name)


def _cut(device: str) -> None:
    """Have it send packets of a session's size, as a wire does."""
    off = ("tx-tcp", "tx-generic-segmentation", "tx-gso", "rx-gro")
    offload.switch(device, lambda feature: False if feature.startswith(off) else None)
    interface.set_mtu(device, MTU)

"""What the data paths cost: packets for each second of a processor, and sessions opened and closed.

A subscriber's namespace, ours, and one beyond it, joined by cables. Sessions are opened as the engine does
it. Then frames are sent as fast as one core can, and counted where they come out. Everything is told per
second of a processor, which pays for sending, for our part and for the kernel's, so that other work on the
machine does not count: compare with plain routing in the same run, not with other runs.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
import struct
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pyroute2 import IPRoute

from bench.blast import Blast
from bench.report import Report, Table
from reconciler.engine.access.effects import Key
from reconciler.engine.datapath.base import DataPath
from reconciler.engine.datapath.ebpf.path import EbpfDataPath
from reconciler.engine.datapath.fit import checksum
from reconciler.engine.datapath.tun import TunDataPath
from reconciler.linux import interface, links, netlink, netns, sysctl

POOL: Final = ipaddress.IPv4Network("10.1.0.0/16")
FIRST: Final = int(POOL.network_address) + 1
BEYOND: Final = "198.51.100.1"
CLIENT: Final = bytes.fromhex("02b000000001")
SIZE: Final = 1400
"""Octets of the packets that are sent."""
MTU: Final = 1492
TICKS: Final = os.sysconf("SC_CLK_TCK")
STATISTICS: Final = Path("/proc/sys/kernel/bpf_stats_enabled")


class World:
    """``sub`` — eth0 — ours — eth1 — ``far``; we are in ours."""

    def __init__(self) -> None:
        stem = f"rcb-{os.getpid()}-{os.urandom(2).hex()}"
        self.sub, self.ours, self.far = f"{stem}-s", stem, f"{stem}-f"

    @contextmanager
    def made(self) -> Iterator[None]:
        names = (self.sub, self.ours, self.far)
        for name in names:
            netns.create(name)
        try:
            with netns.inside(self.ours):
                links.bring("lo", up=True)
                for device, other in (("eth0", self.sub), ("eth1", self.far)):
                    links.create_veth(device, "eth0", other)
                    links.bring(device, up=True)
                    with netns.inside(other):
                        links.bring("eth0", up=True)
                links.assign("eth1", "192.0.2.1", 24)
                sysctl.write(sysctl.IP_FORWARD, 1)
                with IPRoute() as kernel:
                    (out,) = kernel.link_lookup(ifname="eth1")
                    (access,) = kernel.link_lookup(ifname="eth0")
                    far, client = bytes.hex(mac_in(self.far), ":"), CLIENT.hex(":")
                    kernel.neigh("add", dst="192.0.2.2", lladdr=far, ifindex=out, state="permanent")
                    kernel.route("add", dst=f"{BEYOND}/32", gateway="192.0.2.2")
                    links.assign("eth0", "10.2.0.1", 16)  # plain subscribers, to compare with
                    for number in range(64):
                        dst = f"10.2.1.{number + 1}"
                        kernel.neigh("add", dst=dst, lladdr=client, ifindex=access, state="permanent")
                yield
        finally:
            for name in names:
                netns.remove(name)


def mac_in(namespace: str) -> bytes:
    with netns.inside(namespace):
        return interface.read("eth0").mac


def address(number: int) -> bytes:
    return (FIRST + number).to_bytes(4, "big")


def packet(source: bytes, destination: bytes) -> bytes:
    """A UDP packet of ``SIZE`` octets."""
    udp = struct.pack("!HHHH", 4000, 4000, SIZE - 20, 0) + bytes(SIZE - 28)
    header = struct.pack("!BBHHHBBH", 0x45, 0, SIZE, 1, 0, 64, 17, 0) + source + destination
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + udp


def plain(to: bytes, inside: bytes) -> bytes:
    return to + CLIENT + b"\x08\0" + inside


def in_session(to: bytes, number: int, inside: bytes) -> bytes:
    head = struct.pack("!HBBHHH", 0x8864, 0x11, 0, number + 1, len(inside) + 2, 0x0021)
    return to + CLIENT + head + inside


def throughput(
    where: str, device: str, frames: Sequence[bytes], out: Callable[[], int], seconds: float
) -> float:
    """Packets that come out, for each second of a processor, while these frames are sent."""
    with netns.inside(where), Blast(device, frames) as blast:
        blast.send(0.2)
        before, began = out(), spent()
        blast.send(seconds)
        return (out() - before) / (spent() - began)


def spent() -> float:
    """Seconds of a processor that this process and its children have used."""
    used = time.process_time()
    for child in Path("/proc/self/task").glob("*/children"):
        for pid in child.read_text().split():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            used += (int(fields[11]) + int(fields[12])) / TICKS
    return used


def sent_by(namespace: str, device: str) -> Callable[[], int]:
    def read() -> int:
        with netns.inside(namespace), IPRoute() as kernel:
            (found,) = kernel.get_links(ifname=device)
            return int(found.get_attr("IFLA_STATS64")["tx_packets"])

    return read


class Bench:
    """One run, in our namespace of a world."""

    def __init__(self, world: World, sessions: int, seconds: float) -> None:
        self.world, self.sessions, self.seconds = world, sessions, seconds
        self.ours, self.outer = interface.read("eth0").mac, interface.read("eth1").mac
        self.plain = (1.0, 1.0)
        self.packets = Table(
            f"Packets of {SIZE} octets for each second of a processor",
            ("", "sessions", "up", "of plain", "down", "of plain", "program up ns", "program down ns"),
        )
        self.costs = Table(
            f"A session, of {sessions:,}",
            ("", "open us", "close us", "kernel octets", "read all counters ms", "take all over ms"),
        )

    def run(self) -> None:
        beyond = socket.inet_aton(BEYOND)
        hosts = [socket.inet_aton(f"10.2.1.{n + 1}") for n in range(64)]
        up = [plain(self.ours, packet(host, beyond)) for host in hosts]
        down = [plain(self.outer, packet(beyond, host)) for host in hosts]
        self.plain = self.rates(up, down)
        self.packets.rows.append(("plain routing", None, self.plain[0], 1.0, self.plain[1], 1.0, None, None))
        for make in (EbpfDataPath, TunDataPath):
            with tempfile.TemporaryDirectory() as directory:
                self.measure(make, Path(directory))

    def measure(self, make: Callable[[Path], DataPath], directory: Path) -> None:
        path = make(directory)
        here = interface.read("eth0")
        path.attach("eth0", here.ifindex, here.mac)
        assert path.device is not None
        links.assign(path.device, "10.0.0.1", 32)
        netlink.add_route(str(POOL), path.device, path.via)
        keys = [Key("eth0", (), CLIENT, number + 1) for number in range(self.sessions)]
        path.open(keys[0], address(0), MTU)
        path.flush()
        self.traffic(path, 1)
        path.close(keys[0])
        path.flush()
        empty = memory(path)
        opened = opening(path, keys)
        held = (memory(path) - empty) / len(keys)
        self.traffic(path, len(keys))
        began = spent()
        path.counters()
        read = spent() - began
        taken = None
        if isinstance(path, EbpfDataPath):
            began = spent()
            heir = make(directory)
            heir.attach("eth0", here.ifindex, here.mac)
            opening(heir, keys)
            taken = (spent() - began) * 1e3
        began = spent()
        for key in keys:
            path.close(key)
        path.flush()
        closed = (spent() - began) / len(keys)
        self.costs.rows.append((path.name, opened * 1e6, closed * 1e6, held or None, read * 1e3, taken))
        path.shutdown()

    def traffic(self, path: DataPath, count: int) -> None:
        beyond = socket.inet_aton(BEYOND)
        up = [in_session(self.ours, n, packet(address(n), beyond)) for n in range(count)]
        down = [plain(self.outer, packet(beyond, address(n))) for n in range(count)]
        rates = self.rates(up, down)
        with statistics():
            before = runs(path)
            self.rates(up, down)
            programs = [
                (now[0] - then[0]) / max(1, now[1] - then[1])
                for now, then in zip(runs(path), before, strict=True)
            ]
        shares = [rate / full for rate, full in zip(rates, self.plain, strict=True)]
        both: Sequence[float | None] = programs or (None, None)
        self.packets.rows.append((path.name, count, rates[0], shares[0], rates[1], shares[1], *both))

    def rates(self, up: Sequence[bytes], down: Sequence[bytes]) -> tuple[float, float]:
        world, seconds = self.world, self.seconds
        return (
            throughput(world.sub, "eth0", up, sent_by(world.ours, "eth1"), seconds),
            throughput(world.far, "eth0", down, sent_by(world.ours, "eth0"), seconds),
        )


def opening(path: DataPath, keys: Sequence[Key]) -> float:
    """Seconds that a session takes."""
    began = spent()
    for number, key in enumerate(keys):
        path.open(key, address(number), MTU)
    path.flush()
    return (spent() - began) / len(keys)


@contextmanager
def statistics() -> Iterator[None]:
    """Have the kernel measure eBPF programs meanwhile."""
    before = STATISTICS.read_text()
    STATISTICS.write_text("1")
    try:
        yield
    finally:
        STATISTICS.write_text(before)


def runs(path: DataPath) -> list[tuple[int, int]]:
    """Of each program: the nanoseconds that it has run, and how many times."""
    if not isinstance(path, EbpfDataPath):
        return []
    loaded = path._loaded  # noqa: SLF001 - the kernel's own numbers
    shown = [Path(f"/proc/self/fdinfo/{program}").read_text() for program in (loaded.xdp, loaded.tc)]
    fields = [dict(line.split(":", 1) for line in text.splitlines()) for text in shown]
    return [(int(each["run_time_ns"]), int(each["run_cnt"])) for each in fields]


def memory(path: DataPath) -> float:
    """Octets that the maps take, as the kernel counts them."""
    if not isinstance(path, EbpfDataPath):
        return 0.0
    maps = path._loaded.maps.values()  # noqa: SLF001
    shown = [Path(f"/proc/self/fdinfo/{held.fd}").read_text() for held in maps]
    return float(sum(int(found[1]) for text in shown if (found := re.search(r"memlock:\s+(\d+)", text))))


def run(*, quick: bool) -> Report:
    """Both data paths, with one session and with 10,000."""
    world = World()
    with world.made(), netns.inside(world.ours):
        bench = Bench(world, 1000 if quick else 10_000, 1.0 if quick else 3.0)
        bench.run()
    about = (
        "Frames sent as fast as one core can, and counted where they come out: as plain routing, and through "
        "sessions. The processor pays for sending, for our part and for the kernel's."
    )
    return Report("datapath", "Data paths", about, [bench.packets, bench.costs])

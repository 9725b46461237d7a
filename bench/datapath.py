"""What the data paths cost: packets for each second of a processor, and sessions opened and closed.

A subscriber's namespace, ours, and one beyond it, joined by cables. Sessions are opened as the engine does
it. Then frames are sent as fast as one core can, and counted where they come out: once as a network card
takes them in, which costs next to nothing, and once through a packet socket. Everything is told per second of
a processor, so that other work on the machine does not count: compare with plain routing to as many hosts in
the same run, not with other runs.
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
from statistics import median
from typing import Final, NamedTuple, TypeAlias

from pyroute2 import IPRoute

from bench.blast import Blast
from bench.card import Card
from bench.report import Report, Table
from reconciler.engine.access.effects import Key
from reconciler.engine.datapath.base import DataPath
from reconciler.engine.datapath.ebpf.path import EbpfDataPath
from reconciler.engine.datapath.fit import checksum
from reconciler.engine.datapath.tun import TunDataPath
from reconciler.linux import interface, links, netlink, netns, offload, sysctl

POOL: Final = ipaddress.IPv4Network("10.1.0.0/16")
FIRST: Final = int(POOL.network_address) + 1
BEYOND: Final = "198.51.100.1"
CLIENT: Final = bytes.fromhex("02b000000001")
HOSTS: Final = ipaddress.IPv4Network("10.2.0.0/16")
"""Where plain subscribers are, to compare with."""
LARGE, SMALL = 1400, 100
"""Octets of the packets that are sent."""
ROUNDS: Final = 5
MTU: Final = 1492
TICKS: Final = os.sysconf("SC_CLK_TCK")
STATISTICS: Final = Path("/proc/sys/kernel/bpf_stats_enabled")


class World:
    """``sub`` — eth0 — ours — eth1 — ``far``; we are in ours. Beside eth0 is eth2, for plain routing to so
    many ``hosts``.
    """

    def __init__(self, hosts: int) -> None:
        self.hosts = hosts
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
                for device, end, other in (
                    ("eth0", "eth0", self.sub),
                    ("eth1", "eth0", self.far),
                    ("eth2", "eth2", self.sub),
                ):
                    links.create_veth(device, end, other)
                    links.bring(device, up=True)
                    with netns.inside(other):
                        links.bring(end, up=True)
                    # It takes frames as a network card's driver does.
                    offload.switch(device, lambda feature: True if feature == "rx-gro" else None)
                links.assign("eth1", "192.0.2.1", 24)
                sysctl.write(sysctl.IP_FORWARD, 1)
                with IPRoute() as kernel:
                    (out,) = kernel.link_lookup(ifname="eth1")
                    (beside,) = kernel.link_lookup(ifname="eth2")
                    client = CLIENT.hex(":")
                    # Nobody has this address: beyond us a packet costs as little as can be.
                    kernel.neigh("add", dst="192.0.2.2", lladdr=client, ifindex=out, state="permanent")
                    kernel.route("add", dst=f"{BEYOND}/32", gateway="192.0.2.2")
                    links.assign("eth2", "10.2.0.1", 16)
                    for number in range(self.hosts):
                        dst = socket.inet_ntoa(host(number))
                        kernel.neigh("add", dst=dst, lladdr=client, ifindex=beside, state="permanent")
                yield
        finally:
            for name in names:
                netns.remove(name)


def address(number: int) -> bytes:
    return (FIRST + number).to_bytes(4, "big")


def host(number: int) -> bytes:
    """The address of a plain subscriber."""
    return (int(HOSTS.network_address) + 257 + number).to_bytes(4, "big")


def packet(source: bytes, destination: bytes, size: int) -> bytes:
    """A UDP packet of so many octets."""
    udp = struct.pack("!HHHH", 4000, 4000, size - 20, 0) + bytes(size - 28)
    header = struct.pack("!BBHHHBBH", 0x45, 0, size, 1, 0, 64, 17, 0) + source + destination
    return header[:10] + struct.pack("!H", checksum(header)) + header[12:] + udp


def plain(to: bytes, inside: bytes) -> bytes:
    return to + CLIENT + b"\x08\0" + inside


def in_session(to: bytes, number: int, inside: bytes) -> bytes:
    head = struct.pack("!HBBHHH", 0x8864, 0x11, 0, number + 1, len(inside) + 2, 0x0021)
    return to + CLIENT + head + inside


Source: TypeAlias = Card | Blast


class Case(NamedTuple):
    """What is sent: by which kind of source, how large, and from or to how many subscribers."""

    source: type[Source]
    octets: int
    subscribers: int


class Stream(NamedTuple):
    """Frames, the namespace and its interface on which they are sent, and ours on which they leave."""

    where: str
    device: str
    frames: Sequence[bytes]
    out: str


def throughput(source: Source, out: Callable[[], int], seconds: float) -> float:
    """Packets that come out, for each second of a processor, while this is sent."""
    with source:
        source.send(0.1)
        before, began = out(), spent()
        source.send(seconds)
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
        self.ours, self.outer, self.beside = (interface.read(name).mac for name in ("eth0", "eth1", "eth2"))
        columns = ("", "octets", "subscribers", "up", "of plain", "down", "of plain")
        self.as_a_card = Table(
            "Packets for each second of a processor, taken in as by a network card",
            (*columns, "program up ns", "program down ns"),
        )
        self.by_a_socket = Table("The same, sent through a packet socket", columns)
        self.costs = Table(
            f"A session, of {sessions:,}",
            ("", "open us", "close us", "maps MiB", "read all counters ms", "take all over ms"),
        )

    def run(self) -> None:
        sources: tuple[type[Source], ...] = (Card, Blast)
        for make, used in ((EbpfDataPath, sources), (TunDataPath, sources[1:])):
            with tempfile.TemporaryDirectory() as directory:
                self.measure(make, Path(directory), used)

    def cases(self, source: type[Source]) -> Iterator[Case]:
        for octets, subscribers in ((LARGE, 1), (LARGE, self.sessions), (SMALL, self.sessions)):
            yield Case(source, octets, subscribers)

    def measure(
        self, make: Callable[[Path], DataPath], directory: Path, sources: Sequence[type[Source]]
    ) -> None:
        path = make(directory)
        here = interface.read("eth0")
        path.attach("eth0", here.ifindex, here.mac)
        assert path.device is not None
        links.assign(path.device, "10.0.0.1", 32)
        netlink.add_route(str(POOL), path.device, path.via)
        keys = [Key("eth0", (), CLIENT, number + 1) for number in range(self.sessions)]
        opened = opening(path, keys)
        held = memory(path)
        for source in sources:
            for case in self.cases(source):
                self.traffic(path, case)
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
        self.costs.rows.append((path.name, opened * 1e6, closed * 1e6, held, read * 1e3, taken))
        path.shutdown()

    def traffic(self, path: DataPath, case: Case) -> None:
        ours = self.through(case)
        (full_up, up), (full_down, down) = (
            self.side_by_side(case, *streams) for streams in zip(self.plain(case), ours, strict=True)
        )
        what = (case.octets, case.subscribers)
        full = ("plain routing", *what, full_up, 1.0, full_down, 1.0)
        row = (path.name, *what, up, up / full_up, down, down / full_down)
        if case.source is Blast:
            self.by_a_socket.rows.extend((full, row))
            return
        with statistics():
            before = runs(path)
            for one in ours:
                self.rate(case, one)
            programs = [
                (now[0] - then[0]) / max(1, now[1] - then[1])
                for now, then in zip(runs(path), before, strict=True)
            ]
        self.as_a_card.rows.extend(((*full, None, None), (*row, *programs)))

    def plain(self, case: Case) -> tuple[Stream, Stream]:
        """Up and down, without sessions."""
        beyond, size = socket.inet_aton(BEYOND), case.octets
        hosts = [host(number) for number in range(case.subscribers)]
        up = [plain(self.beside, packet(one, beyond, size)) for one in hosts]
        down = [plain(self.outer, packet(beyond, one, size)) for one in hosts]
        return Stream(self.world.sub, "eth2", up, "eth1"), Stream(self.world.far, "eth0", down, "eth2")

    def through(self, case: Case) -> tuple[Stream, Stream]:
        """Up and down, through sessions."""
        beyond, size = socket.inet_aton(BEYOND), case.octets
        numbers = range(case.subscribers)
        up = [in_session(self.ours, n, packet(address(n), beyond, size)) for n in numbers]
        down = [plain(self.outer, packet(beyond, address(n), size)) for n in numbers]
        return Stream(self.world.sub, "eth0", up, "eth1"), Stream(self.world.far, "eth0", down, "eth0")

    def side_by_side(self, case: Case, *streams: Stream) -> list[float]:
        """The rate of each, measured in turn so that what else the machine does falls on all."""
        rounds = [[self.rate(case, stream) for stream in streams] for _ in range(ROUNDS)]
        return [median(rates) for rates in zip(*rounds, strict=True)]

    def rate(self, case: Case, stream: Stream) -> float:
        """Packets for each second of a processor."""
        with netns.inside(stream.where):
            out = sent_by(self.world.ours, stream.out)
            return throughput(case.source(stream.device, stream.frames), out, self.seconds)


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


def memory(path: DataPath) -> float | None:
    """MiB that the maps take, as the kernel counts them."""
    if not isinstance(path, EbpfDataPath):
        return None
    maps = path._loaded.maps.values()  # noqa: SLF001
    shown = [Path(f"/proc/self/fdinfo/{held.fd}").read_text() for held in maps]
    octets = sum(int(found[1]) for text in shown if (found := re.search(r"memlock:\s+(\d+)", text)))
    return octets / (1 << 20)


def run(*, quick: bool) -> Report:
    """Both data paths, with one session and with 10,000."""
    sessions = 1000 if quick else 10_000
    world = World(sessions)
    with world.made(), netns.inside(world.ours):
        bench = Bench(world, sessions, 0.3 if quick else 1.0)
        bench.run()
    about = (
        "UDP packets sent as fast as one core can, from or to each subscriber in turn, and counted where they"
        " come out: as plain routing to as many hosts, and through sessions, in turn; medians. In the first"
        " table they come in as from a network card, and the processor pays for our part and the kernel's"
        " alone; in the second also for a sender with a packet socket, whose frames have no room before them,"
        " so that the kernel copies them once more."
    )
    return Report("datapath", "Data paths", about, [bench.as_a_card, bench.by_a_socket, bench.costs])

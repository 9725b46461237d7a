"""The ``ebpf`` data path's engine side: what the engine asks for becomes entries of maps, at once.

Programs, maps and devices outlive the engine, under names in a bpffs. The next one of the same runtime
directory takes them over and says again what it wants; what it does not ask for ends with ``prune``.
"""

from __future__ import annotations

import logging
import select
from contextlib import ExitStack, closing, suppress
from operator import add
from typing import TYPE_CHECKING

from reconciler.engine.access.effects import Key
from reconciler.engine.datapath.base import VIA, Counters, PathError
from reconciler.engine.datapath.ebpf import attachments, kernel, pair
from reconciler.engine.datapath.ebpf.layout import ENTRY, Device, Dropped, Wire
from reconciler.engine.datapath.ebpf.pins import Pins, sweep
from reconciler.engine.datapath.ebpf.sessions import Sessions
from reconciler.engine.datapath.ebpf.shared import FullError
from reconciler.engine.datapath.ebpf.strays import Strays
from reconciler.engine.wire.drop import Drop
from reconciler.linux.bpf import Map, shape_of
from reconciler.linux.rtnl import LINKS_CHANGED, Rtnl

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from reconciler.engine.datapath.ebpf.pair import Pair

_ONLY = ENTRY.pack(0)
_DROPS = {
    Dropped.TRUNCATED: Drop.TRUNCATED_DATA,
    Dropped.NOT_IPV4: Drop.DATA_PROTOCOL,
    Dropped.SPOOFED: Drop.SPOOFED,
    Dropped.UNKNOWN_SESSION: Drop.STRAY,
    Dropped.NOT_PPPOE: Drop.NOT_PPPOE,
    Dropped.NO_SESSION: Drop.NO_SESSION,
    Dropped.TOO_BIG: Drop.TOO_BIG,
    Dropped.UNSEGMENTED: Drop.UNSEGMENTED,
}

log = logging.getLogger("reconciler.engine")


class EbpfDataPath:
    """All sessions on one pair of devices. Raises ``PathError`` where the kernel cannot, or must not."""

    name = "ebpf"
    device: str | None
    via: str | None = VIA

    def __init__(self, runtime_dir: Path) -> None:
        self._runtime_dir = runtime_dir
        self._ports: dict[str, tuple[int, bytes]] = {}
        self._doubted: set[Wire] = set()
        """What an engine before this one had open, and this one has not asked for."""
        self._access_only = False
        self._ended: dict[Key, Counters] = {}
        self._pins = Pins(runtime_dir)
        self._held = ExitStack()
        """What this process holds open; the kernel goes on without it."""
        try:
            self._begin()
        except (OSError, PathError) as error:
            self._held.close()
            remove(runtime_dir)
            raise PathError(str(error)) from error

    def _begin(self) -> None:
        self._rtnl = self._held.enter_context(closing(Rtnl()))
        sweep(self._pins.directory)
        found = _left_behind(self._rtnl, self._pins, self._runtime_dir)
        if found is None:
            remove(self._runtime_dir)
        self._pins.make()
        self._loaded = self._held.enter_context(closing(kernel.load(self._pins)))
        self._sessions = Sessions(self._loaded.maps)
        self._doubted = set(self._sessions.open_now)
        self._held.callback(self._sessions.let_go)
        self._use(found or pair.make(self._rtnl, self._runtime_dir))
        self._watch = self._held.enter_context(select.epoll())
        self._changes = self._held.enter_context(closing(Rtnl(LINKS_CHANGED)))
        self._watch.register(self._changes, select.EPOLLIN)
        self._strays = self._held.enter_context(closing(Strays(self._loaded.socket, self._watch)))

    def _use(self, devices: Pair) -> None:
        self._pair, self.device = devices, devices.near
        self._loaded.maps["device"].put(_ONLY, Device(devices.far_index, devices.mac).pack())
        attachments.on_far_end(self._pins, self._loaded.tc, devices.far_index, self._rtnl)

    def attach(self, interface: str, index: int, mac: bytes) -> None:
        native = self._pair.takes_native
        try:
            self._sessions.serve(index, access_only=self._access_only)
            attachments.on_access_interface(self._pins, self._loaded.xdp, interface, index, native=native)
        except FullError:
            served = len(self._sessions.ports)
            raise PathError(f"no room for {interface}: {served:,} interfaces are served") from None
        except PathError:
            self._sessions.leave(index)
            raise
        self._strays.serve(interface)
        self._ports[interface] = (index, mac)

    def detach(self, interface: str) -> None:
        port = self._ports.pop(interface, None)
        if port is not None:
            self._strays.leave(interface)
            self._forsake(port[0])

    def restrict(self, access_only: bool) -> None:
        self._access_only = access_only
        for index, _ in self._ports.values():
            self._sessions.serve(index, access_only=access_only)

    def accept(self, size: int) -> None:
        """The near end takes no larger frames than it sends."""
        self._pair.widen(size)

    def open(self, key: Key, address: bytes, mtu: int) -> None:
        port = self._ports.get(key.interface)
        if port is None:
            return
        wire = Wire(port[0], key.mac, key.id)
        self._doubted.discard(wire)
        self._pair.fit(address, mtu)
        try:
            self._sessions.open(wire, address, port[1], mtu)
        except FullError:
            log.error("no room for the packets of one more session (%#06x on %s)", key.id, key.interface)
            self._pair.forget(address)

    def close(self, key: Key) -> None:
        port = self._ports.get(key.interface)
        carried = self._close(Wire(port[0], key.mac, key.id)) if port is not None else None
        if carried is not None:
            self._ended[key] = carried

    def prune(self) -> None:
        served = {index for index, _ in self._ports.values()}
        for index in {*self._sessions.ports, *self._pins.ports()} - served:
            self._forsake(index)
        for wire in tuple(self._doubted):
            self._close(wire)

    def flush(self) -> Mapping[Key, Counters]:
        ended, self._ended = self._ended, {}
        return ended

    def counters(self) -> Mapping[Key, Counters]:
        names = {index: interface for interface, (index, _) in self._ports.items()}
        return {
            Key(names[wire.ifindex], (), wire.mac, wire.id): self._sessions.carried(wire)
            for wire in self._sessions.open_now
            if wire.ifindex in names
        }

    def traffic(self) -> Mapping[str, Counters]:
        sums = {
            interface: self._sessions.carried_before(index) for interface, (index, _) in self._ports.items()
        }
        for key, carried in self.counters().items():
            sums[key.interface] = Counters(*map(add, sums[key.interface], carried))
        return sums

    def drops(self) -> Mapping[Drop, int]:
        return {_DROPS[reason]: count for reason, count in self._sessions.dropped() if count}

    def fileno(self) -> int | None:
        return self._watch.fileno()

    def poll(self) -> list[tuple[str, bytes]]:
        """See whether the devices are as they should be; gives packets whose sessions do not exist."""
        if any(ready == self._changes.fileno() for ready, _ in self._watch.poll(0)):
            changed = self._changes.changed()
            if changed is None or self._pair.index in changed:
                self._mend()
        return self._strays.frames()

    def shutdown(self) -> None:
        self._held.close()
        remove(self._runtime_dir)

    def _mend(self) -> None:
        """Somebody has changed a device. One that was taken away comes back under its name; its addresses and
        routes are the reconciler's to put back.
        """
        if self._pair.is_there():
            self._pair.renew()
            return
        log.warning("the device %s was taken away, and is made again", self._pair.near)
        before = self._pair
        before.delete()  # it may only have another name
        try:
            self._use(pair.make(self._rtnl, self._runtime_dir, before.near))
            self._pair.resemble(before)
        except (OSError, PathError) as error:
            log.error("subscribers' packets have no device: %s", error)

    def _close(self, wire: Wire) -> Counters | None:
        self._doubted.discard(wire)
        was = self._sessions.close(wire)
        if was is None:
            return None
        self._pair.forget(was.address)
        return was.carried

    def _forsake(self, index: int) -> None:
        for wire in [wire for wire in self._sessions.open_now if wire.ifindex == index]:
            self._close(wire)
        self._sessions.leave(index)
        attachments.off_access_interface(self._pins, index)


def remove(runtime_dir: Path) -> None:
    """Take away whatever an engine of this runtime directory has left in the kernel."""
    names = Pins(runtime_dir)
    with suppress(OSError):
        attachments.off_everything(names)
        names.clear()
    with suppress(OSError), closing(Rtnl()) as rtnl:
        left = pair.find(rtnl, runtime_dir)
        if left is not None:
            left.delete()


def _left_behind(rtnl: Rtnl, names: Pins, runtime_dir: Path) -> Pair | None:
    """The pair that an earlier engine's programs work on, if they still do."""
    found = pair.find(rtnl, runtime_dir)
    held = names.get("device") if names.directory.exists() else None
    if found is None or held is None:
        return None
    device = Map(held, shape_of(held))
    recorded = device.get(_ONLY)
    device.close()
    return found if recorded == Device(found.far_index, found.mac).pack() else None

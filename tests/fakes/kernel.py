"""A kernel of dictionaries: sysctl values, one device's addresses and routes, and faults by script."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Sequence

from reconciler.linux.errors import KernelError, refusal
from reconciler.linux.interface import Interface
from reconciler.linux.nftables import Object
from reconciler.linux.sysctl import IP_FORWARD, Key, interface_key


class FakeKernel:
    """``faults`` maps an operation's name (``write``, ``add_route``, ...) to how many of its next calls fail.

    Like the real one, it overwrites every interface's ``forwarding`` when ``ip_forward`` is written.
    """

    def __init__(self, interfaces: Iterable[str] = ("eth1",), device: str | None = None) -> None:
        self.device = device
        self.addresses: set[str] = set()
        self.routes: set[str] = set()
        self.values: dict[Key, int] = {IP_FORWARD: 0}
        self.faults: dict[str, int] = {}
        self.log: list[str] = []
        self.interfaces: dict[str, Interface] = {}
        self.tables: dict[str, list[Object]] = {}
        self.tables_trouble = ""
        for interface in ("all", *interfaces, *([device] if device else ())):
            self.plug_in(interface)
        del self.interfaces["all"]

    def interface(self, name: str) -> Interface | None:
        return self.interfaces.get(name)

    def ethernet(self) -> list[str]:
        return [one.name for one in self.interfaces.values() if one.ethernet]

    def plug_in(self, interface: str, ifindex: int = 2) -> None:
        self.interfaces[interface] = Interface(
            interface, ifindex, b"\2\0\0\0\xff\1", 1500, up=True, ethernet=True
        )
        self.values[interface_key(interface, "proxy_arp")] = 0
        self.values[interface_key(interface, "rp_filter")] = 0
        self.values[interface_key(interface, "forwarding")] = self.values[IP_FORWARD]

    def our_addresses(self, device: str) -> list[str]:
        self._on(device)
        return sorted(self.addresses)

    def add_address(self, address: str, device: str) -> None:
        self._do("add_address", address)
        self._on(device)
        self.addresses.add(address)

    def remove_address(self, address: str, device: str) -> None:
        self._do("remove_address", address)
        self._on(device)
        self.addresses.discard(address)

    def our_routes(self, device: str) -> list[str]:
        self._on(device)
        return sorted(self.routes)

    def add_route(self, network: str, device: str, via: str | None) -> None:  # noqa: ARG002 - as the real one
        self._do("add_route", network)
        self._on(device)
        self.routes.add(network)

    def remove_route(self, network: str, device: str) -> None:
        self._do("remove_route", network)
        self._on(device)
        self.routes.discard(network)

    def read(self, key: Key) -> int:
        if key not in self.values:
            raise refusal(f"read {key}", errno.ENODEV)
        return self.values[key]

    def write(self, key: Key, value: int) -> None:
        self._do("write", f"{key}={value}")
        self.read(key)
        self.values[key] = value
        if key == IP_FORWARD:
            for other in self.values:
                if other.endswith("/forwarding"):
                    self.values[other] = value

    def table(self, name: str) -> list[Object] | None:
        return None if self.tables_trouble else self.tables.get(name)

    def put_table(self, name: str, objects: Sequence[Object]) -> None:
        self._do("put_table", name)
        if self.tables_trouble:
            raise KernelError(errno.ENOPKG, self.tables_trouble)
        self.tables[name] = list(objects)

    def remove_table(self, name: str) -> None:
        self._do("remove_table", name)
        del self.tables[name]

    def no_tables(self) -> str:
        return self.tables_trouble

    def set_up(self, name: str) -> None:
        self._do("set_up", name)
        self.interfaces[name] = self.interfaces[name]._replace(up=True, enabled=True)

    def set_mtu(self, name: str, mtu: int) -> None:
        self._do("set_mtu", f"{name}={mtu}")
        self.interfaces[name] = self.interfaces[name]._replace(mtu=mtu)

    def _on(self, device: str) -> None:
        if device != self.device:
            raise refusal(f"look at {device}", errno.ENODEV)

    def _do(self, operation: str, what: str) -> None:
        if self.faults.get(operation, 0):
            self.faults[operation] -= 1
            raise refusal(f"{operation} {what}", errno.EPERM)
        self.log.append(f"{operation} {what}")


class FakeMemory(dict[str, int]):
    """What the store remembers of the kernel's values, and single facts, without a disk."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: dict[str, str] = {}

    def fact(self, name: str) -> str | None:
        return self.facts.get(name)

    def set_fact(self, name: str, value: str) -> None:
        self.facts[name] = value

    def remembered(self) -> dict[str, int]:
        return dict(self)

    def remember(self, path: str, value: int) -> None:
        self.setdefault(path, value)

    def forget(self, path: str) -> None:
        self.pop(path, None)

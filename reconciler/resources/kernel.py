"""The kernel as resources see it: a few questions and orders, which the real one and a test's answer alike.

``LinuxKernel`` passes them to the rooms that know how. It decides nothing. The netlink library, which takes
half a second to import, is loaded when first asked.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from typing import Protocol

from reconciler.linux import interface, nftables, sysctl
from reconciler.linux.errors import KernelError, refusal
from reconciler.linux.interface import Interface
from reconciler.linux.nftables import Object
from reconciler.linux.sysctl import Key


class Kernel(Protocol):
    """Raises ``KernelError`` (an ``OSError`` with one plain line) when the kernel says no."""

    def our_addresses(self, device: str) -> Iterable[str]:
        """IPv4 addresses that we put on ``device``."""

    def add_address(self, address: str, device: str) -> None: ...

    def remove_address(self, address: str, device: str) -> None: ...

    def our_routes(self, device: str) -> Iterable[str]:
        """Networks (``10.0.0.0/24``) that we route to ``device``."""

    def add_route(self, network: str, device: str, via: str | None) -> None: ...

    def remove_route(self, network: str, device: str) -> None: ...

    def table(self, name: str) -> Sequence[Object] | None:
        """What a table of nftables holds; None if there is none, or none can be seen."""

    def put_table(self, name: str, objects: Sequence[Object]) -> None:
        """Put a table in place of whatever has its name, in one step."""

    def remove_table(self, name: str) -> None: ...

    def no_tables(self) -> str:
        """Why there can be no table here, in one line; empty when there can."""

    def interface(self, name: str) -> Interface | None:
        """The interface of that name, None if there is none."""

    def ethernet(self) -> Iterable[str]:
        """The names of the Ethernet interfaces that there are."""

    def set_up(self, name: str) -> None: ...

    def set_mtu(self, name: str, mtu: int) -> None: ...

    def read(self, key: Key) -> int: ...

    def write(self, key: Key, value: int) -> None: ...


class LinuxKernel:
    """The machine's kernel, in the network namespace that we run in.

    Kernels before 5.18 do not keep our mark on an address; there, every IPv4 address of the device, which is
    ours, counts as ours.
    """

    def __init__(self) -> None:
        self._marks_are_kept = True
        self._tables: dict[str, tuple[bytes, list[Object] | None]] = {}
        """Tables as last listed, and the generation of the rules then: asking nft takes its time."""

    def our_addresses(self, device: str) -> list[str]:
        from reconciler.linux import netlink

        return [
            found.address
            for found in netlink.addresses(device)
            if found.ours or (not self._marks_are_kept and ipaddress.ip_address(found.address).version == 4)
        ]

    def add_address(self, address: str, device: str) -> None:
        from reconciler.linux import netlink

        try:
            self._marks_are_kept = netlink.add_address(address, 32, device)
        except KernelError as error:
            if error.errno != errno.EEXIST:
                raise
            self._marks_are_kept = False

    def remove_address(self, address: str, device: str) -> None:
        from reconciler.linux import netlink

        try:
            netlink.remove_address(address, 32, device)
        except KernelError as error:
            if error.errno != errno.EADDRNOTAVAIL:
                raise

    def our_routes(self, device: str) -> list[str]:
        from reconciler.linux import netlink

        return [route.destination for route in netlink.routes(device)]

    def add_route(self, network: str, device: str, via: str | None) -> None:
        from reconciler.linux import netlink

        netlink.add_route(network, device, via)

    def remove_route(self, network: str, device: str) -> None:
        from reconciler.linux import netlink

        try:
            netlink.remove_route(network, device)
        except KernelError as error:
            if error.errno != errno.ESRCH:
                raise

    def table(self, name: str) -> list[Object] | None:
        if self.no_tables():
            return None
        generation = nftables.generation()
        known = self._tables.get(name)
        if known is None or known[0] != generation:
            known = self._tables[name] = generation, nftables.read(name)
        return known[1]

    def put_table(self, name: str, objects: Sequence[Object]) -> None:
        nftables.put(name, objects)

    def remove_table(self, name: str) -> None:
        nftables.remove(name)

    def no_tables(self) -> str:
        try:
            nftables.program()
            nftables.generation()
        except KernelError as error:
            return str(error)
        return ""

    def interface(self, name: str) -> Interface | None:
        try:
            return interface.read(name)
        except OSError:
            return None

    def ethernet(self) -> list[str]:
        found = (self.interface(name) for _, name in socket.if_nameindex())
        return [one.name for one in found if one and one.ethernet]

    def set_up(self, name: str) -> None:
        try:
            interface.set_up(name)
        except OSError as error:
            raise refusal(f"bring {name} up", error.errno or errno.EIO) from error

    def set_mtu(self, name: str, mtu: int) -> None:
        try:
            interface.set_mtu(name, mtu)
        except OSError as error:
            raise refusal(f"set the MTU of {name} to {mtu}", error.errno or errno.EIO) from error

    def read(self, key: Key) -> int:
        return sysctl.read(key)

    def write(self, key: Key, value: int) -> None:
        sysctl.write(key, value)

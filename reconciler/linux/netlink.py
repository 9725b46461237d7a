"""Links, addresses and routes of the calling thread's network namespace, by rtnetlink.

Small typed functions, each on a socket of its own (about 1.5 ms a call): for the few objects that a box
has, never for one per session. They decide nothing. They block, and must not be called in a thread that
runs an event loop: call them through ``asyncio.to_thread``.

What we make carries our mark (:data:`MARK`), as the route's protocol and the address's ``IFA_PROTO``:
only what carries it is ever listed as ours, and only that may be removed. Kernels before 5.18 have no
``IFA_PROTO``; :func:`add_address` tells whether the mark was kept.
"""

from __future__ import annotations

import errno
import ipaddress
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from reconciler.linux.errors import KernelError, refusal

MARK = 214
"""Protocol number of our routes (``ip route show proto 214``) and addresses; free in
``/etc/iproute2/rt_protos``.
"""

_TABLE_MAIN = 254
_TYPE_UNICAST = 1
SCOPE_LINK = 253
_ANY_SCOPE = 255
_ONLINK = 4
_AFTER_OTHERS = 1
_IFF_UP = 0x1


@dataclass(frozen=True, slots=True)
class Link:
    """A network interface. ``up`` is what the administrator wants, ``carrier`` whether there is a line
    behind it.
    """

    name: str
    index: int
    mac: str
    mtu: int
    up: bool
    carrier: bool


@dataclass(frozen=True, slots=True)
class Address:
    """An address on a device, with its prefix length in bits. ``ours``: it carries :data:`MARK`."""

    address: str
    prefix: int
    device: str
    ours: bool


@dataclass(frozen=True, slots=True)
class Route:
    """A route of ours: ``destination`` (``10.0.0.0/24``) is reached by ``device``."""

    destination: str
    device: str


@contextmanager
def request(doing: str) -> Iterator[Any]:
    """An rtnetlink socket for one operation, whose failures become a :class:`KernelError` that names it."""
    try:
        with IPRoute() as kernel:
            yield kernel
    except KernelError as error:
        raise KernelError(error.errno or errno.EIO, f"cannot {doing}: {error}") from error
    except NetlinkError as error:
        raise refusal(doing, error.code) from error
    except OSError as error:
        raise refusal(doing, error.errno or errno.EIO) from error


def index_of(kernel: Any, device: str) -> int:
    """The index of an interface, by the socket of a :func:`request`. Raises ``ENODEV``."""
    for index, name in _names(kernel).items():
        if name == device:
            return index
    raise KernelError(errno.ENODEV, f"there is no interface {device}")


def links() -> list[Link]:
    """Every interface, in the order of their indexes."""
    with request("list the network interfaces") as kernel:
        return sorted((_link(message) for message in kernel.get_links()), key=lambda link: link.index)


def addresses(device: str | None = None) -> list[Address]:
    """Every IPv4 and IPv6 address, or those of one device (``ENODEV`` when there is none of that name)."""
    with request(f"list the addresses of {device}" if device else "list the addresses") as kernel:
        names = _names(kernel)
        wanted = {index_of(kernel, device)} if device else set(names)
        found = [message for message in kernel.get_addr() if message["index"] in wanted]
    return [
        Address(
            address=message.get("IFA_LOCAL") or message.get("IFA_ADDRESS"),
            prefix=message["prefixlen"],
            device=names[message["index"]],
            ours=message.get("IFA_PROTO") == MARK,
        )
        for message in found
    ]


def add_address(address: str, prefix: int, device: str) -> bool:
    """Put an address, marked as ours, on a device. True if the kernel kept the mark (5.18 and later).

    Raises ``EEXIST`` when the device has it already, ``ENODEV`` when there is no such device.
    """
    with request(f"add address {address}/{prefix} to {device}") as kernel:
        index = index_of(kernel, device)
        kernel.addr("add", index=index, address=address, prefixlen=prefix, proto=MARK)
    return any(found.ours and found.address == address for found in addresses(device))


def remove_address(address: str, prefix: int, device: str) -> None:
    """Take an address off a device. Raises ``EADDRNOTAVAIL`` when it is not there."""
    with request(f"remove address {address}/{prefix} from {device}") as kernel:
        index = index_of(kernel, device)
        kernel.addr("delete", index=index, address=address, prefixlen=prefix)


def routes(device: str | None = None) -> list[Route]:
    """Our routes in the main table (of both families), all or those to one device. Nobody else's are ever
    listed.
    """
    found: list[Route] = []
    with request("list the routes") as kernel:
        names = _names(kernel)
        for family in (socket.AF_INET, socket.AF_INET6):
            messages = kernel.get_routes(family=family, proto=MARK)
            found += [_route(message, names) for message in messages if _is_ours(message)]
    return [route for route in found if device in (None, route.device)]


def add_route(destination: str, device: str, via: str | None = None) -> None:
    """Route a network (``10.0.0.0/24``) to a device, marked as ours; ``via`` a neighbour there, if it has
    more than one. Then more specific wishes about one address in it, of metric 0, go first.

    Raises ``EEXIST`` when the main table has that destination already, ``ENETDOWN`` when the device is down.
    """
    with request(f"add route {destination} to {device}") as kernel:
        way: dict[str, Any] = {"scope": SCOPE_LINK}
        if via is not None:
            way = {"gateway": via, "flags": _ONLINK, "priority": _AFTER_OTHERS}
        kernel.route("add", **_route_arguments(kernel, destination, device), **way)


def remove_route(destination: str, device: str) -> None:
    """Remove a route of ours; one of another's making stays. Raises ``ESRCH`` when we have none there."""
    with request(f"remove route {destination} from {device}") as kernel:
        kernel.route("delete", **_route_arguments(kernel, destination, device), scope=_ANY_SCOPE)


def _names(kernel: Any) -> dict[int, str]:
    return {message["index"]: message.get("IFLA_IFNAME") for message in kernel.get_links()}


def _link(message: Any) -> Link:
    return Link(
        name=message.get("IFLA_IFNAME"),
        index=message["index"],
        mac=message.get("IFLA_ADDRESS") or "",
        mtu=message.get("IFLA_MTU"),
        up=bool(message["flags"] & _IFF_UP),
        carrier=bool(message.get("IFLA_CARRIER")),
    )


def _is_ours(message: Any) -> bool:
    return bool(message["proto"] == MARK and message.get("RTA_TABLE", message["table"]) == _TABLE_MAIN)


def _route(message: Any, names: dict[int, str]) -> Route:
    default = "::" if message["family"] == socket.AF_INET6 else "0.0.0.0"  # noqa: S104 - the default route
    destination = message.get("RTA_DST") or default
    return Route(f"{destination}/{message['dst_len']}", names.get(message.get("RTA_OIF"), ""))


def _route_arguments(kernel: Any, destination: str, device: str) -> dict[str, Any]:
    network = ipaddress.ip_network(destination)
    return {
        "family": socket.AF_INET if network.version == 4 else socket.AF_INET6,
        "dst": str(network),
        "oif": index_of(kernel, device),
        "table": _TABLE_MAIN,
        "proto": MARK,
        "type": _TYPE_UNICAST,
    }

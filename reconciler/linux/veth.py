"""A veth pair, its neighbour, routes through it, and a program on it: what the ``ebpf`` data path sets up.

Standard library alone: the engine imports this. Every function raises ``KernelError`` with one plain line.
It must not know what passes through the pair.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from struct import Struct
from typing import TYPE_CHECKING, NamedTuple

from reconciler.linux.errors import KernelError
from reconciler.linux.rtnl import CREATE, EXCLUSIVE, REPLACE, attributes, parse

if TYPE_CHECKING:
    from reconciler.linux.rtnl import Attributes, Rtnl

_NEWLINK, _DELLINK, _GETLINK, _SETLINK = 16, 17, 18, 19
_NEWROUTE, _DELROUTE, _GETROUTE = 24, 25, 26
_NEWNEIGH, _NEWQDISC, _NEWTFILTER = 28, 36, 44

_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK = 1, 3, 4, 5
_IFLA_LINKINFO, _IFLA_IFALIAS, _IFLA_AF_SPEC, _IFLA_GSO_MAX_SEGS = 18, 20, 26, 40
_MOST_SEGMENTS = 65535
_INFO_KIND, _INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_INET6_ADDR_GEN_MODE, _NO_LINK_LOCAL = 8, b"\1"
_IFF_UP = 1
_NDA_DST, _NDA_LLADDR, _PERMANENT = 1, 2, 0x80
_RTA_DST, _RTA_OIF, _RTA_GATEWAY, _RTA_METRICS, _RTAX_MTU = 1, 4, 5, 8, 2
_MAIN, _UNIVERSE, _UNICAST, _ONLINK = 254, 0, 1, 4
_TCA_KIND, _TCA_OPTIONS = 1, 2
_TCA_BPF_FD, _TCA_BPF_NAME, _TCA_BPF_FLAGS, _DIRECT_ACTION = 6, 7, 8, 1
_CLSACT, _CLSACT_HANDLE, _CLSACT_INGRESS = 0xFFFFFFF1, 0xFFFF0000, 0xFFFFFFF2
_EVERY_PROTOCOL = 0x0300  # ETH_P_ALL in network order

_link = Struct("=BxHiII")
_neighbour = Struct("=B3xiHBB")
_route = Struct("=8BI")
_tc = Struct("=B3xiIII")


class End(NamedTuple):
    """One end of a pair: its name, its index, and the index of the other."""

    name: str
    ifindex: int
    other: int


def create(rtnl: Rtnl, name: str, mac: bytes, other: str, other_mtu: int) -> None:
    """Make a pair, both ends down, ``mac`` on ``name``. Raises ``EEXIST``, ``EOPNOTSUPP`` without veth."""
    peer = _link.pack(0, 0, 0, 0, 0) + attributes({_IFLA_IFNAME: other, _IFLA_MTU: other_mtu})
    kind: Attributes = {_INFO_KIND: "veth", _INFO_DATA: {_VETH_INFO_PEER: peer}}
    body = attributes({_IFLA_IFNAME: name, _IFLA_ADDRESS: mac, _IFLA_LINKINFO: kind})
    rtnl.do(f"make the device {name}", _NEWLINK, CREATE | EXCLUSIVE, _link.pack(0, 0, 0, 0, 0) + body)


def bring_up(rtnl: Rtnl, index: int, alias: str) -> None:
    """Set an end up, under an alias by which it is found again, without IPv6 addresses of its own making."""
    named = attributes({_IFLA_IFALIAS: alias})
    rtnl.do("name a device", _SETLINK, 0, _link.pack(0, 0, index, 0, 0) + named)
    quiet = attributes({_IFLA_AF_SPEC: {socket.AF_INET6: {_INET6_ADDR_GEN_MODE: _NO_LINK_LOCAL}}})
    with suppress(KernelError):  # a kernel without IPv6 has none to keep off
        rtnl.do("keep IPv6 off a device", _SETLINK, 0, _link.pack(0, 0, index, 0, 0) + quiet)
    rtnl.do("set a device up", _SETLINK, 0, _link.pack(0, 0, index, _IFF_UP, _IFF_UP))


def give_many(rtnl: Rtnl, index: int) -> None:
    """Have the kernel give a device as many segments at once as it can, as a new device has it."""
    body = attributes({_IFLA_GSO_MAX_SEGS: _MOST_SEGMENTS})
    rtnl.do("give a device many segments", _SETLINK, 0, _link.pack(0, 0, index, 0, 0) + body)


def ends(rtnl: Rtnl, alias: str) -> list[End]:
    """The devices of this alias."""
    found = []
    for message in rtnl.dump("list the network interfaces", _GETLINK, _link.pack(0, 0, 0, 0, 0)):
        index = _link.unpack_from(message.body)[2]
        said = parse(message.body[_link.size :])
        if said.get(_IFLA_IFALIAS, b"").rstrip(b"\0") == alias.encode():
            other = int.from_bytes(said.get(_IFLA_LINK, b""), "little")
            found.append(End(said[_IFLA_IFNAME].rstrip(b"\0").decode(), index, other))
    return found


def delete(rtnl: Rtnl, index: int) -> None:
    """Take a pair away, by either end."""
    rtnl.do("remove a device", _DELLINK, 0, _link.pack(0, 0, index, 0, 0))


def set_neighbour(rtnl: Rtnl, index: int, address: bytes, mac: bytes) -> None:
    """Have an address answer at ``mac`` for ever, unasked."""
    body = _neighbour.pack(socket.AF_INET, index, _PERMANENT, 0, 0)
    body += attributes({_NDA_DST: address, _NDA_LLADDR: mac})
    rtnl.do("set a neighbour", _NEWNEIGH, CREATE | REPLACE, body)


def set_route(rtnl: Rtnl, address: bytes, via: bytes, index: int, mtu: int, protocol: int) -> None:
    """Route one address through a neighbour of a device, with packets of at most ``mtu`` octets."""
    body = _route_to(address, via, index, protocol) + attributes({_RTA_METRICS: {_RTAX_MTU: mtu}})
    rtnl.do("route to a session", _NEWROUTE, CREATE | REPLACE, body)


def remove_route(rtnl: Rtnl, address: bytes, via: bytes, index: int, protocol: int) -> None:
    """Take that route away. Raises ``ESRCH`` if there is none."""
    rtnl.do("remove the route to a session", _DELROUTE, 0, _route_to(address, via, index, protocol))


def routed(rtnl: Rtnl, index: int, protocol: int) -> dict[bytes, int]:
    """The addresses that have such a route, each with its largest packet."""
    found = {}
    for message in rtnl.dump("list the routes", _GETROUTE, _route.pack(socket.AF_INET, *bytes(8))):
        said = parse(message.body[_route.size :])
        if message.body[5] != protocol or int.from_bytes(said.get(_RTA_OIF, b""), "little") != index:
            continue
        metrics = parse(said.get(_RTA_METRICS, b""))
        found[said[_RTA_DST]] = int.from_bytes(metrics.get(_RTAX_MTU, b""), "little")
    return found


def classify(rtnl: Rtnl, index: int, program: int, name: str) -> None:
    """Run a program on what comes in on a device, by a clsact queueing discipline; again: run this one."""
    queue = _tc.pack(0, index, _CLSACT_HANDLE, _CLSACT, 0) + attributes({_TCA_KIND: "clsact"})
    rtnl.do("make a clsact", _NEWQDISC, CREATE | REPLACE, queue)
    options: Attributes = {_TCA_BPF_FD: program, _TCA_BPF_NAME: name, _TCA_BPF_FLAGS: _DIRECT_ACTION}
    place = _tc.pack(0, index, 1, _CLSACT_INGRESS, 1 << 16 | _EVERY_PROTOCOL)
    body = place + attributes({_TCA_KIND: "bpf", _TCA_OPTIONS: options})
    rtnl.do("run a program on a device", _NEWTFILTER, CREATE | REPLACE, body)


def _route_to(address: bytes, via: bytes, index: int, protocol: int) -> bytes:
    head = _route.pack(socket.AF_INET, 32, 0, 0, _MAIN, protocol, _UNIVERSE, _UNICAST, _ONLINK)
    return head + attributes({_RTA_DST: address, _RTA_OIF: index, _RTA_GATEWAY: via})

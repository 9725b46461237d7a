"""Virtual wiring: bridges, veth pairs and their settings, in the calling thread's network namespace.

Small functions over rtnetlink and ethtool; they decide nothing and remember nothing. What is already
wired is read with ``netlink``.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import socket
import struct

from reconciler.linux import netns
from reconciler.linux.errors import refusal
from reconciler.linux.netlink import SCOPE_LINK, index_of, request

_SIOCETHTOOL = 0x8946
_ETHTOOL_STXCSUM = 0x17


def create_bridge(name: str) -> None:
    """Make a bridge, up, without ports."""
    with request(f"make the bridge {name}") as kernel:
        kernel.link("add", ifname=name, kind="bridge")
        kernel.link("set", ifname=name, state="up")


def create_veth(name: str, peer: str, peer_namespace: str) -> None:
    """Make a pair: ``name`` here, ``peer`` in another namespace; both down."""
    there = os.open(netns.DIRECTORY / peer_namespace, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with request(f"make the pair {name} and {peer}") as kernel:
            kernel.link("add", ifname=name, kind="veth", peer={"ifname": peer, "net_ns_fd": there})
    finally:
        os.close(there)


def delete(name: str) -> None:
    """Delete an interface (and a veth's other end)."""
    with request(f"delete the interface {name}") as kernel:
        kernel.link("delete", ifname=name)


def bring(name: str, *, up: bool) -> None:
    """Bring an interface up or down."""
    with request(f"bring {name} {'up' if up else 'down'}") as kernel:
        kernel.link("set", ifname=name, state="up" if up else "down")


def join(port: str, bridge: str) -> None:
    """Make an interface a port of a bridge."""
    with request(f"join {port} to {bridge}") as kernel:
        kernel.link("set", ifname=port, master=index_of(kernel, bridge))


def set_mac(name: str, mac: str) -> None:
    """Give an interface a MAC address."""
    with request(f"give {name} the address {mac}") as kernel:
        kernel.link("set", ifname=name, address=mac)


def assign(name: str, address: str, prefix: int, peer: str | None = None) -> None:
    """Put an address on an interface, or on a point-to-point one together with its peer's.

    Without our mark: it belongs to the wiring, not to what runs on it.
    """
    with request(f"give {name} the address {address}/{prefix}") as kernel:
        index = index_of(kernel, name)
        kernel.addr("add", index=index, local=address, address=peer or address, prefixlen=prefix)


def default_route(*, gateway: str | None = None, device: str | None = None) -> None:
    """Send everything else by a gateway, or straight into a point-to-point device."""
    with request(f"route everything by {gateway or device}") as kernel:
        if gateway is not None:
            kernel.route("add", dst="default", gateway=gateway)
        elif device is not None:
            index = index_of(kernel, device)
            kernel.route("add", family=socket.AF_INET, dst="default", oif=index, scope=SCOPE_LINK)


def disable_checksum_offload(name: str) -> None:
    """Have the kernel fill in checksums before it hands frames to an interface (``ethtool -K name tx off``).

    A veth leaves them out otherwise, and whoever reads frames from a packet socket passes on bad checksums.
    """
    value = ctypes.create_string_buffer(struct.pack("=II", _ETHTOOL_STXCSUM, 0))
    query = struct.pack("16sP", name.encode(), ctypes.addressof(value))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        try:
            fcntl.ioctl(any_socket, _SIOCETHTOOL, query)
        except OSError as error:
            raise refusal(f"turn off checksum offload of {name}", error.errno or errno.EIO) from error

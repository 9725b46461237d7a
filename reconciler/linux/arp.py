"""Is an IPv4 address already used by another host on this interface's link? An address probe by RFC 5227
§2.1.1.

Sends a few ARP probes (sender address 0.0.0.0, so that no cache learns from them) and listens for anybody
who claims or probes the same address. It changes nothing and keeps nothing; a router that does proxy ARP
for the address answers too, which is as much a conflict as a host.
"""

from __future__ import annotations

import errno
import ipaddress
import select
import socket
import struct
import time

from reconciler.linux.errors import refusal

PROBES = 3
"""How many probes are sent (PROBE_NUM in RFC 5227 §1.1), evenly spaced over the waiting time."""

_ETH_P_ARP = 0x0806
_BROADCAST = b"\xff" * 6
_ARP = struct.Struct("!HHBBH6s4s6s4s")
_ETHERNET_HEADER = 14


def holder(interface: str, address: str, wait: float = 0.9) -> str | None:
    """The MAC address of another host that uses ``address``, or None if nobody answered in ``wait``
    seconds.

    Blocks for ``wait`` when the address is free. Raises :class:`KernelError` when the interface is
    missing or down, or packet sockets are not permitted.
    """
    target = ipaddress.IPv4Address(address).packed
    try:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as wire:
            wire.bind((interface, _ETH_P_ARP))
            mac: bytes = wire.getsockname()[4]
            for _ in range(PROBES):
                wire.send(_probe(mac, target))
                claimed_by = _listen(wire, mac, target, time.monotonic() + wait / PROBES)
                if claimed_by is not None:
                    return claimed_by.hex(":")
    except OSError as error:
        raise refusal(f"probe for {address} on {interface}", error.errno or errno.EIO) from error
    return None


def _probe(mac: bytes, target: bytes) -> bytes:
    request = _ARP.pack(1, 0x0800, 6, 4, 1, mac, bytes(4), bytes(6), target)
    return (_BROADCAST + mac + struct.pack("!H", _ETH_P_ARP) + request).ljust(60, b"\0")


def _listen(wire: socket.socket, mac: bytes, target: bytes, until: float) -> bytes | None:
    while (left := until - time.monotonic()) > 0:
        if not select.select([wire], [], [], left)[0]:
            return None
        claimed_by = claimant(wire.recv(2048), target)
        if claimed_by not in (None, mac):
            return claimed_by
    return None


def claimant(frame: bytes, target: bytes) -> bytes | None:
    """The MAC that claims ``target`` by this ARP frame, or that is probing for it at the same time; else
    None.
    """
    if len(frame) < _ETHERNET_HEADER + _ARP.size:
        return None
    hardware, protocol, hlen, plen, _, sender, sender_ip, _, target_ip = _ARP.unpack_from(
        frame, _ETHERNET_HEADER
    )
    if (hardware, protocol, hlen, plen) != (1, 0x0800, 6, 4):
        return None
    probing = sender_ip == bytes(4) and target_ip == target
    return bytes(sender) if sender_ip == target or probing else None

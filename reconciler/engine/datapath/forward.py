"""Packets between PPPoE sessions and one TUN device: the worker's hot path.

Upstream, a session frame loses its headers if its session is open and the packet's source is the session's
address; downstream, a packet gains the headers of the session that has its destination. Everything else is
dropped and counted.
"""

from __future__ import annotations

import os
from contextlib import suppress
from struct import Struct
from time import monotonic

from reconciler.engine.access.rate import Allowance
from reconciler.engine.datapath import fit, segments
from reconciler.engine.datapath.records import Tally
from reconciler.engine.wire.pppoe import ETHERTYPE_SESSION
from reconciler.linux.packet import PPP_DATA, open_packet_socket

BURST = 64
"""Packets moved for one source before the others get their turn."""

REFUSALS = 100
"""ICMP errors a second, at most (RFC 1812 §4.3.2.8)."""

_HEADERS = 22  # Ethernet 14, PPPoE 6, PPP protocol 2
_MINIMUM = _HEADERS + 20
_SNAP = 2048
_LARGEST_PACKET = 65535
_PPPOE_SESSION_IPV4 = (b"\x11\x00", b"\x00\x21")
_downstream = Struct("!6s6sHHHHH")
_u16 = Struct("!H").unpack_from


class Path:
    """An open session's way, and what it has carried. ``wanted``: the present engine has asked for it."""

    __slots__ = (
        "address",
        "ifindex",
        "mac",
        "mtu",
        "rx_bytes",
        "rx_packets",
        "session_id",
        "tx_bytes",
        "tx_packets",
        "wanted",
    )

    def __init__(self, ifindex: int, mac: bytes, session_id: int, address: bytes, mtu: int) -> None:
        self.ifindex = ifindex
        self.mac = mac
        self.session_id = session_id
        self.address = address
        self.mtu = mtu
        self.wanted = True
        self.rx_bytes = self.tx_bytes = self.rx_packets = self.tx_packets = 0

    def tally(self) -> Tally:
        """What it has carried."""
        carried = (self.rx_bytes, self.tx_bytes, self.rx_packets, self.tx_packets)
        return Tally(self.ifindex, self.mac, self.session_id, *carried)

    def absorb(self, other: Path) -> None:
        """Count what another path has carried."""
        self.rx_bytes += other.rx_bytes
        self.tx_bytes += other.tx_bytes
        self.rx_packets += other.rx_packets
        self.tx_packets += other.tx_packets


class Port:
    """An access interface: its socket for data frames, our address on it, and its paths by MAC and session
    id. ``past`` has what its closed paths have carried. ``wanted``: the present engine has asked for it.
    """

    __slots__ = ("ifindex", "mac", "past", "paths", "socket", "wanted")

    def __init__(self, interface: str, ifindex: int, mac: bytes) -> None:
        self.ifindex = ifindex
        self.mac = mac
        self.wanted = True
        self.socket = open_packet_socket(interface, ETHERTYPE_SESSION, PPP_DATA)
        self.paths: dict[bytes, Path] = {}
        self.past = Path(ifindex, bytes(6), 0, b"", 0)


class Forwarder:
    """Moves packets between ``tun``, a TUN device's descriptor, and the ports."""

    def __init__(self, tun: int) -> None:
        self.tun = tun
        self.ports: dict[int, Port] = {}
        self._by_address: dict[bytes, tuple[Port, Path]] = {}
        self._refusals = Allowance(REFUSALS, REFUSALS)

    def attach(self, interface: str, ifindex: int, mac: bytes) -> Port:
        """Open a port. Raises ``OSError``."""
        self.detach(ifindex)
        port = self.ports[ifindex] = Port(interface, ifindex, mac)
        return port

    def detach(self, ifindex: int) -> None:
        """Close a port and its paths, if it is there."""
        port = self.ports.pop(ifindex, None)
        if port is not None:
            port.socket.close()
            for path in port.paths.values():
                self._by_address.pop(path.address, None)

    def open(self, path: Path) -> None:
        """Let a session's packets through, if its port is there. One that is open goes on counting."""
        port = self.ports.get(path.ifindex)
        if port is None:
            return
        session = _session(path.mac, path.session_id)
        before = port.paths.get(session)
        if before is not None and before.address == path.address:
            before.mtu, before.wanted = path.mtu, True
            return
        self.close(path.ifindex, path.mac, path.session_id)
        port.paths[session] = path
        self._by_address[path.address] = (port, path)

    def close(self, ifindex: int, mac: bytes, session_id: int) -> Tally | None:
        """Stop a session's packets, if it is there; gives what it has carried."""
        port = self.ports.get(ifindex)
        path = port.paths.pop(_session(mac, session_id), None) if port is not None else None
        if port is None or path is None:
            return None
        port.past.absorb(path)
        if self._by_address.get(path.address, (None, None))[1] is path:
            del self._by_address[path.address]
        return path.tally()

    def doubt(self) -> None:
        """Another engine has come: nothing is wanted until it asks for it."""
        for port in self.ports.values():
            port.wanted = False
            for path in port.paths.values():
                path.wanted = False

    def unwanted(self) -> tuple[list[int], list[Path]]:
        """The ports, by interface index, and the paths that the present engine has not asked for."""
        ports = [port.ifindex for port in self.ports.values() if not port.wanted]
        paths = [path for port in self.ports.values() for path in port.paths.values() if not path.wanted]
        return ports, paths

    def tallies(self) -> list[Tally]:
        """What every open path has carried, and the closed ones of each port together."""
        return [path.tally() for port in self.ports.values() for path in (port.past, *port.paths.values())]

    def upstream(self, port: Port) -> None:
        """Move what has arrived on a port to the TUN device."""
        receive, paths = port.socket.recv, port.paths
        for _ in range(BURST):
            try:
                frame = receive(_SNAP)
            except OSError:  # nothing left, or the interface is down
                return
            path = paths.get(frame[6:12] + frame[16:18])
            packet = decapsulate(frame, path.address) if path is not None and frame[:6] == port.mac else None
            if packet is None or path is None:
                continue
            path.rx_packets += 1
            path.rx_bytes += len(packet)
            self._deliver(packet if packet[9] != segments.TCP else segments.clamped(packet, path.mtu))

    def downstream(self) -> None:
        """Move what the kernel has routed to the TUN device to the subscribers."""
        by_address = self._by_address
        for _ in range(BURST):
            try:
                packet = os.read(self.tun, _LARGEST_PACKET)
            except OSError:
                return
            port, path = by_address.get(packet[16:20], (None, None))
            if port is None or path is None or packet[0] >> 4 != 4:
                continue
            if packet[9] == segments.TCP:
                packet = segments.clamped(packet, path.mtu)
            if len(packet) <= path.mtu:
                _send(port, path, packet)
            elif fit.may_be_cut(packet):
                for piece in fit.fragments(packet, path.mtu):
                    _send(port, path, piece)
            else:
                self._refuse(path, packet)

    def _refuse(self, path: Path, packet: bytes) -> None:
        """Tell the sender how large a packet may be: in the subscriber's name, since the kernel takes no
        packet from outside that has its own address as the source.
        """
        refusal = fit.refusal(packet, path.mtu, path.address)
        if refusal is not None and self._refusals.take(monotonic()):
            self._deliver(refusal)

    def _deliver(self, packet: bytes) -> None:
        with suppress(OSError):  # the device is down or full: the packet is lost, as on any network
            os.write(self.tun, packet)


def _send(port: Port, path: Path, packet: bytes) -> None:
    size = len(packet)
    header = _downstream.pack(
        path.mac, port.mac, ETHERTYPE_SESSION, 0x1100, path.session_id, size + 2, 0x0021
    )
    try:
        port.socket.send((header + packet).ljust(60, b"\0"))
    except OSError:  # the interface is down or full
        return
    path.tx_packets += 1
    path.tx_bytes += size


def decapsulate(frame: bytes, address: bytes) -> bytes | None:
    """The IPv4 packet in a session frame, without padding; None unless it is whole and comes from
    ``address``.
    """
    if len(frame) < _MINIMUM or (frame[14:16], frame[20:22]) != _PPPOE_SESSION_IPV4:
        return None
    end = 20 + _u16(frame, 18)[0]
    total = _u16(frame, _HEADERS + 2)[0]
    if end > len(frame) or not 20 <= total <= end - _HEADERS:
        return None
    if frame[_HEADERS] >> 4 != 4 or frame[_HEADERS + 12 : _HEADERS + 16] != address:
        return None
    return frame[_HEADERS : _HEADERS + total]


def _session(mac: bytes, session_id: int) -> bytes:
    return mac + session_id.to_bytes(2, "big")

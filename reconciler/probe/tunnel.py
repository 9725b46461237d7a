"""The subscriber's ``ppp0``: a TUN device whose packets travel in PPPoE session frames.

Moves bare IPv4 packets. It belongs to one session of one call and is gone with it.
"""

from __future__ import annotations

import os
import socket

from reconciler.linux import interface, links
from reconciler.linux.packet import PPP_DATA, open_packet_socket
from reconciler.linux.tun import open_tun
from reconciler.probe.carrier import Carrier
from reconciler.probe.codec import SESSION
from reconciler.probe.outcome import Up

DEVICE = "ppp0"
_BATCH = 64


class Tunnel:
    """Makes the device with the call's address, MTU and default route, then carries packets both ways."""

    def __init__(self, port: str, mac: bytes, up: Up) -> None:
        self._carrier = Carrier(mac, up)
        self._wire = open_packet_socket(port, SESSION, PPP_DATA)
        try:
            self._device, _ = open_tun(DEVICE)
        except OSError:
            self._wire.close()
            raise
        try:
            interface.set_mtu(DEVICE, up.mtu)
            links.assign(DEVICE, up.address, 32, peer=up.peer)
            links.bring(DEVICE, up=True)
            links.default_route(device=DEVICE)
        except OSError:
            self.close()
            raise

    @property
    def device(self) -> int:
        """Readable when the host has packets for the wire: then :meth:`pump_out`."""
        return self._device

    @property
    def wire(self) -> socket.socket:
        """Readable when the wire has packets for the host: then :meth:`pump_in`."""
        return self._wire

    def pump_out(self) -> None:
        for _ in range(_BATCH):
            try:
                packet = os.read(self._device, 65535)
            except BlockingIOError:
                return
            if packet[0] >> 4 == 4:
                self._transmit(packet)

    def pump_in(self) -> None:
        for _ in range(_BATCH):
            try:
                frame = self._wire.recv(65535)
            except BlockingIOError:
                return
            packet = self._carrier.packet(frame)
            if packet:
                os.write(self._device, packet)

    def close(self) -> None:
        os.close(self._device)
        self._wire.close()

    def _transmit(self, packet: bytes) -> None:
        try:
            self._wire.send(self._carrier.frame(packet))
        except (BlockingIOError, OSError):
            return  # the line is full or down: the packet is lost, as on any line

"""Clients as they are met in the field: the reference subscriber with each family's habits.

Each is told by what public captures, logs and bug reports show of it. A persona says how it dials and how it
leaves; the tests say what must come of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.peer import WINDOWS_LCP, Quirks, Subscriber

PFC, ACFC, ASYNC_MAP, MRRU = (7, b""), (8, b""), (2, bytes(4)), 17
MPLSCP, OSICP, CDPCP, ACSCP = 0x8281, 0x8023, 0x8207, 0x8235
MAX_PAYLOAD_1500 = (0x0120, b"\x05\xdc")
VENDOR, RELAY = 0x0105, 0x0110
TRAP = b"\x01\x01\x00\x04trap\x01\x03\x00\x02no"
"""Octets behind a frame's end that read like tags."""


@dataclass(frozen=True, slots=True)
class Persona:
    """``leaves``: by Terminate-Request and PADT, by PADT alone, or without a word. ``wire`` is for
    ``Subscriber``.
    """

    quirks: Quirks = field(default_factory=Quirks)
    leaves: Literal["politely", "by PADT", "without a word"] = "politely"
    wire: Mapping[str, Any] = field(default_factory=dict)

    def subscriber(self, mac: bytes, user: bytes = b"theo") -> Subscriber:
        return Subscriber(mac, user, quirks=self.quirks, **self.wire)

    def leave(self, client: Subscriber, now: float) -> list[bytes]:
        """The frames of a goodbye, if there is one."""
        return [] if self.leaves == "without a word" else client.hangup(now, polite=self.leaves == "politely")


PERSONAS = {
    "windows": Persona(
        Quirks(
            mru=1480,
            lcp_extra=WINDOWS_LCP,
            wins=True,
            ccp=True,
            ipv6cp=True,
            identification=True,
            first_identifier=0,
        ),
        leaves="by PADT",
    ),
    "linux pppd": Persona(
        Quirks(vj=True, ccp=True, ipv6cp=True, echo_at_open=True, lcp_extra=(ASYNC_MAP, PFC)),
        wire={"deaf_for": 0.02},
    ),
    "pppd with a Host-Uniq of the provider": Persona(
        Quirks(echo_at_open=True), wire={"host_uniq": b"\0subscriber\0" + bytes(range(32))}
    ),
    "pppd that dies": Persona(Quirks(vj=True, echo_at_open=True), leaves="without a word"),
    "macos": Persona(Quirks(lcp_extra=(ASYNC_MAP,), ipv6cp=True, protocols=(ACSCP,))),
    "routeros": Persona(Quirks(mru=1480, lcp_extra=((MRRU, b"\x06\x40"),), first_identifier=1)),
    "fritzbox": Persona(
        Quirks(mru=1492, ipv6cp=True), wire={"extra_tags": (MAX_PAYLOAD_1500,), "host_uniq": b"\x12\x34"}
    ),
    "pfsense": Persona(
        Quirks(lcp_first=(PFC, ACFC), methods=("chap",)), wire={"extra_tags": (MAX_PAYLOAD_1500,)}
    ),
    "cisco ios": Persona(
        Quirks(mru=None, nak_mru=1500, protocols=(CDPCP, MPLSCP, OSICP), dns=False), wire={"names_ac": True}
    ),
    "huawei vrp": Persona(Quirks(mru=1500, nak_mru=1500, protocols=(MPLSCP, OSICP)), wire={"names_ac": True}),
    "playstation": Persona(Quirks(first_identifier=0), leaves="by PADT", wire={"padis": 3}),
    "soho with mru 1480": Persona(Quirks(mru=1480, dns=True)),
    "soho without mru": Persona(Quirks(mru=None, methods=("pap",))),
    "archer with endless ccp": Persona(Quirks(endless_ccp=True)),
    "ipv6cp that is closed again": Persona(Quirks(ipv6cp=True, ipv6cp_terminates=True)),
    "garbage behind every frame": Persona(wire={"padding": TRAP}),
    "several PADIs at once": Persona(wire={"padis": 4}),
    "no Host-Uniq": Persona(wire={"host_uniq": None}),
    "behind a line card": Persona(
        wire={
            "extra_tags": (
                (VENDOR, b"\0\0\x0d\xe9\x01\x0deth 1/2/3:100"),
                (VENDOR, b"\0\0\x0d\xe9\x02\x05line7"),
                (VENDOR, b"\0\0\x0d\xe9\x81\x04\0\0\x27\x10"),
                (RELAY, b"\0\1relay"),
            )
        }
    ),
    "no PADT": Persona(Quirks(), wire={"sends_padt": False}),
    "power cut": Persona(leaves="without a word"),
    "remembers an address of its own": Persona(Quirks(address=b"\xc0\xa8\x01\x02")),
    "slow to listen": Persona(wire={"deaf_for": 0.3}),
    "loses our first request": Persona(Quirks(ignore_requests=1)),
    "forgets the Service-Name at first": Persona(wire={"forgets_service": True}),
}

"""The one shape in which a site's desired, observed and last applied state are compared, and its vocabulary.

A state maps paths to JSON-like values. A thing that exists without settings has the value ``{}``; a thing
that does not exist has no path; ``None`` is never the value of a path. The paths:

================================  =====================================================================
``users.<name>``                  ``{"password": fingerprint, "ip": str or None, "enabled": bool,
                                  "sessions": int, "rate_limit": str or None}``
``interface.<name>``              ``{}`` while the interface is served
``ac_name`` ``local_ip``          text
``service_names``                 list of text
``access_only``                   truth value
``pool_start`` ``pool_size``      text, number of addresses
``dns_servers`` ``wins_servers``  list of addresses as text
``auth``                          list of method names, in the order offered
``mtu``                           octets
``lcp_echo.interval``             seconds; 0 is off
``lcp_echo.failures``             number of unanswered requests
``session_timeout``               seconds; 0 is none
``idle_timeout``                  seconds; 0 is none
``limits.<name>``                 numbers; 0 is no limit
``guard.<name>``                  text: a number, or a percentage with ``%``
``second_login``                  ``replace`` or ``refuse``
``forwarding.ip_forward``         truth value
``forwarding.proxy_arp.<name>``   truth value of one interface
``forwarding.rp_filter.<name>``   ``off``, ``strict`` or ``loose``, of one interface
``nat.masquerade.<name>``         list of networks that leave by the interface under its address
``clamp_mss``                     octets of the largest TCP segment
``self_heal.<class>``             ``on``, ``report`` or ``off``
``kernel.up.<device>``            truth value: whether the data path's device is up
``kernel.mtu.<device>``           octets that it takes at least
``kernel.address.<ip>``           ``{}`` while the address is on the data path's device
``kernel.route.<cidr>``           ``{}`` while the route leads to the data path's device
``kernel.nft.<kind>.<table>``     ``{}`` while a table of ours is there that should not, or has foreign rules
================================  =====================================================================

A state holds only what is the site's: an observed one leaves out what the site neither declares nor has
changed, so that whatever it holds beyond the desired one is there to be removed.

This module must not know where a state comes from, nor what a difference means.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Value = str | int | bool | list[str] | Mapping[str, str | int | bool | None]
State = Mapping[str, Value]

_FAMILIES = (
    "users",
    "interface",
    "forwarding.proxy_arp",
    "forwarding.rp_filter",
    "nat.masquerade",
    "kernel.up",
    "kernel.mtu",
    "kernel.address",
    "kernel.route",
    "kernel.nft.nat",
    "kernel.nft.mss",
)


class SessionRef(NamedTuple):
    """A live session, as much of it as a plan needs to name it.

    ``since`` is Unix time and ``uptime`` a duration, both in seconds; ``id`` the PPPoE session id;
    ``generation`` the one that was in force when the session was set up. A session that has not logged in
    yet has no user, and one without IPCP no address.
    """

    user: str | None
    id: int
    interface: str
    mac: str
    address: str | None
    since: float
    uptime: float
    generation: int

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells it from every other live session: interface, client MAC, session id (RFC 2516 §4)."""
        return self.interface, self.mac, self.id


def split(path: str) -> tuple[str, str | None]:
    """The subject of a path and, for the families, the name within it: ``users.j.doe`` -> ``("users",
    "j.doe")``.
    """
    for family in _FAMILIES:
        if path.startswith(family + "."):
            return family, path[len(family) + 1 :]
    return path, None

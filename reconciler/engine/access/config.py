"""What the concentrator is set to: settings for new sessions, and the users who may open them.

Frozen values; a change makes a new one. Neighbours: ``concentrator`` holds the current one,
``commands`` builds it from messages. It must not know sessions.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from reconciler.engine.access.limits import USUAL, Limits

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.engine.access.secret import Secret
    from reconciler.engine.messages import AuthMethod, Settings


class Pool(NamedTuple):
    """``size`` consecutive IPv4 addresses from ``start`` (as an integer), leased to users without a fixed
    address.
    """

    name: str
    start: int
    size: int

    def __contains__(self, address: object) -> bool:
        return isinstance(address, int) and self.start <= address < self.start + self.size


@dataclass(frozen=True, slots=True)
class Config:
    """What holds for every new session. Addresses are packed network order; ``mtu`` in octets; intervals in
    seconds.

    ``service_names`` empty means that any service name is accepted (RFC 2516 §9 recommends so).
    """

    ac_name: bytes = b"reconciler"
    access_only: bool = False
    service_names: tuple[bytes, ...] = ()
    local_ip: bytes = b"\0\0\0\0"
    pools: tuple[Pool, ...] = ()
    dns: tuple[bytes, ...] = ()
    wins: tuple[bytes, ...] = ()
    auth: tuple[AuthMethod, ...] = ("mschapv2", "chap", "pap")
    rechallenge: int = 0
    mtu: int = 1492
    echo_interval: int = 30
    echo_failures: int = 3
    session_timeout: int = 0
    idle_timeout: int = 0
    second_login: Literal["replace", "refuse"] = "replace"
    limits: Limits = USUAL
    lasting: tuple[object, ...] = field(init=False, repr=False, compare=False)
    """What a session keeps until it ends. One object for all of them: they are many, and compared often."""

    def __post_init__(self) -> None:
        network = (self.local_ip, self.dns, self.wins, self.mtu)
        link = (self.auth, self.rechallenge, self.echo_interval, self.echo_failures)
        ends = (self.session_timeout, self.idle_timeout)
        object.__setattr__(self, "lasting", (*network, *link, *ends))

    def merged(self, settings: Settings) -> Config:
        """This configuration with the given settings in place of its own.

        Raises ``ValueError`` for an address that is none, or a key that is not a setting.
        """
        return replace(self, **dict(_fields(settings)))

    def settings(self) -> Settings:
        """The same as a message: the inverse of ``merged``."""
        return {
            "ac_name": self.ac_name.decode(),
            "access_only": self.access_only,
            "service_names": [name.decode() for name in self.service_names],
            "local_ip": text(self.local_ip),
            "pools": [
                {"name": p.name, "start": str(ipaddress.IPv4Address(p.start)), "size": p.size}
                for p in self.pools
            ],
            "dns_servers": [text(address) for address in self.dns],
            "wins_servers": [text(address) for address in self.wins],
            "auth": list(self.auth),
            "rechallenge": self.rechallenge,
            "mtu": self.mtu,
            "echo_interval": self.echo_interval,
            "echo_failures": self.echo_failures,
            "session_timeout": self.session_timeout,
            "idle_timeout": self.idle_timeout,
            "second_login": self.second_login,
            "limits": {
                "padi_per_mac": self.limits.padi_per_mac,
                "padi_total": self.limits.padi_total,
                "half_open": self.limits.half_open,
                "failed_logins": self.limits.failed_logins,
                "lockout": self.limits.lockout,
            },
        }


class Rate(NamedTuple):
    """How fast packets may go to (``down``) and from a subscriber, in bits a second; 0: as they can."""

    down: int = 0
    up: int = 0


UNLIMITED: Final = Rate()


@dataclass(frozen=True, slots=True)
class User:
    """A subscriber who may log in. ``address`` is a fixed one; ``sessions`` is how many may be up at once (1
    or more).

    ``drains``: when it is not ``enabled``, its live sessions go on until they end by themselves.
    ``fingerprint`` says which version of the credentials this is; the engine only keeps it and compares it.
    ``renews``: when they change, its live sessions end.
    """

    name: bytes
    secret: Secret
    address: bytes | None = None
    enabled: bool = True
    sessions: int = 1
    fingerprint: str = ""
    drains: bool = False
    renews: bool = False
    rate: Rate = UNLIMITED

    def __repr__(self) -> str:
        return f"User({self.name!r})"


class Terms(NamedTuple):
    """What a session was, or would now be, set up with: it is stale when the two differ."""

    config: tuple[object, ...]
    fingerprint: str
    address: bytes | None


def terms(config: Config, user: User) -> Terms:
    """The terms on which ``user`` would be served now."""
    return Terms(config.lasting, user.fingerprint, user.address)


def packed(address: str) -> bytes:
    """An IPv4 address in network order. Raises ``ValueError``."""
    return ipaddress.IPv4Address(address).packed


def text(address: bytes) -> str:
    """A packed IPv4 address as dotted text."""
    return "{}.{}.{}.{}".format(*address)


def _fields(settings: Settings) -> Iterable[tuple[str, Any]]:
    for key, value in settings.items():
        match key:
            case "ac_name":
                yield "ac_name", str(value).encode()
            case "service_names":
                yield "service_names", tuple(name.encode() for name in settings["service_names"])
            case "local_ip":
                yield "local_ip", packed(settings["local_ip"])
            case "pools":
                pools = settings["pools"]
                yield (
                    "pools",
                    tuple(Pool(p["name"], int(ipaddress.IPv4Address(p["start"])), p["size"]) for p in pools),
                )
            case "dns_servers":
                yield "dns", tuple(packed(address) for address in settings["dns_servers"])
            case "wins_servers":
                yield "wins", tuple(packed(address) for address in settings["wins_servers"])
            case "auth":
                yield "auth", tuple(settings["auth"])
            case "limits":
                yield "limits", Limits(**settings["limits"])
            case "rechallenge" | "mtu" | "echo_interval" | "echo_failures":
                yield key, value
            case "session_timeout" | "idle_timeout" | "second_login" | "access_only":
                yield key, value
            case _:
                raise ValueError(f"unknown setting {key!r}")

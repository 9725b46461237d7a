"""What the engine shows of itself: sessions, users, interfaces and events as messages.

Neighbours: ``observing`` shows many at once, ``service`` events. It must not change anything, and never
shows a password.
"""

from __future__ import annotations

from time import monotonic, time
from typing import TYPE_CHECKING

from reconciler.engine.access.config import text
from reconciler.engine.wire.ethernet import format_mac

if TYPE_CHECKING:
    from reconciler.engine.access.config import User
    from reconciler.engine.access.effects import Event, Key
    from reconciler.engine.access.session import Session
    from reconciler.engine.datapath.base import Counters
    from reconciler.engine.messages import (
        EventView,
        Gone,
        InterfaceCounts,
        ListenerView,
        SessionKey,
        SessionView,
        UserView,
    )
    from reconciler.linux.interface import Interface

SET = 1.0
"""Seconds by which the clock is off, between one engine and the next, when somebody has set it."""

_EPOCH = time() - monotonic()
"""Unix time at monotonic zero, read once: a session's start must look the same each time it is told."""


def agree(earlier: object) -> float:
    """Tell moments as the engine before this one did, by whose reading Unix time at monotonic zero was
    ``earlier`` (anything else than a number: there was none), unless the clock was set since. Gives the
    reading that holds from now on.
    """
    global _EPOCH
    if isinstance(earlier, float) and abs(earlier - _EPOCH) < SET:
        _EPOCH = earlier
    return _EPOCH


def unix_time(moment: float) -> float:
    """A monotonic moment, in seconds, as Unix time: the same each time it is asked for."""
    return _EPOCH + moment


def interface_counts(up: bool, sessions: int, carried: Counters) -> InterfaceCounts:
    """An interface's part of the counts."""
    return {
        "up": up,
        "sessions": sessions,
        "rx_bytes": carried.rx_bytes,
        "tx_bytes": carried.tx_bytes,
        "rx_packets": carried.rx_packets,
        "tx_packets": carried.tx_packets,
    }


def session_view(session: Session, counters: Counters, stale: bool, now: float) -> SessionView:
    """One session; ``now`` is monotonic seconds."""
    user, address = session.user, session.address
    view: SessionView = {
        "user": None if user is None else decode(user.name),
        "address": None if address is None else text(address.to_bytes(4, "big")),
        "peer": None if address is None else text(session.config.local_ip),
        "mac": format_mac(session.key.mac),
        "id": session.key.id,
        "interface": session.key.interface,
        "circuit_id": shown(session.line.circuit_id),
        "remote_id": shown(session.line.remote_id),
        "state": session.state,
        "since": unix_time(session.started),
        "uptime": now - session.started,
        "generation": session.generation,
        "stale": stale,
        "rx_bytes": counters.rx_bytes,
        "tx_bytes": counters.tx_bytes,
        "rx_packets": counters.rx_packets,
        "tx_packets": counters.tx_packets,
        "rate": {"down": session.rate.down, "up": session.rate.up},
    }
    if session.why_ending is not None:
        view["ending"] = session.why_ending
    return view


def user_view(user: User) -> UserView:
    """A user, but for the password."""
    return {
        "address": None if user.address is None else text(user.address),
        "enabled": user.enabled,
        "sessions": user.sessions,
        "fingerprint": user.fingerprint,
        "rate": {"down": user.rate.down, "up": user.rate.up},
    }


def listener_view(interface: Interface) -> ListenerView:
    """An interface being served."""
    return {
        "interface": interface.name,
        "ifindex": interface.ifindex,
        "mac": format_mac(interface.mac),
        "mtu": interface.mtu,
        "up": interface.up,
    }


def event_view(event: Event, carried: Counters | None = None) -> EventView:
    """An event that happened just now; of a session's end, with what the session has ``carried``."""
    view: EventView = {
        "time": time(),
        "type": event.type,
        "user": None if event.user is None else decode(event.user),
        "mac": format_mac(event.key.mac),
        "id": event.key.id,
        "interface": event.key.interface,
        "circuit_id": shown(event.line.circuit_id),
        "remote_id": shown(event.line.remote_id),
        "reason": event.reason,
        "generation": event.generation,
    }
    if carried is not None and event.type == "session_closed":
        view["rx_bytes"], view["tx_bytes"] = carried.rx_bytes, carried.tx_bytes
        view["rx_packets"], view["tx_packets"] = carried.rx_packets, carried.tx_packets
    return view


def key_view(key: Key) -> SessionKey:
    """A session's identity."""
    return {"interface": key.interface, "mac": format_mac(key.mac), "id": key.id}


def gone_view(key: Key, reason: str | None) -> Gone:
    """A session that is over."""
    return {"interface": key.interface, "mac": format_mac(key.mac), "id": key.id, "reason": reason}


def decode(name: bytes) -> str:
    """A user name as text. Octets that are not UTF-8, which only a refused login can have, become escapes."""
    return name.decode(errors="backslashreplace")


def shown(octets: bytes) -> str | None:
    """Octets from the wire as printable text; None for none. What is not printable becomes an escape."""
    text = octets.decode(errors="backslashreplace")
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text) or None

"""What the engine shows of itself: sessions, users, interfaces and events as messages.

Neighbours: ``commands`` and ``service``. It must not change anything, and never shows a password.
"""

from __future__ import annotations

from collections import Counter
from time import monotonic, time
from typing import TYPE_CHECKING, get_args

from reconciler.engine.access.config import text
from reconciler.engine.datapath.base import Counters
from reconciler.engine.messages import SessionState
from reconciler.engine.wire.ethernet import format_mac

if TYPE_CHECKING:
    from reconciler.engine.access.config import User
    from reconciler.engine.access.effects import Event, Key
    from reconciler.engine.access.session import Session
    from reconciler.engine.host import Host
    from reconciler.engine.messages import (
        Counts,
        EventView,
        InterfaceCounts,
        ListenerView,
        Observation,
        SessionKey,
        SessionView,
        UserView,
    )
    from reconciler.linux.interface import Interface

_NOTHING = Counters()

_EPOCH = time() - monotonic()
"""Unix time at monotonic zero, read once: a session's start must look the same each time it is told."""


def observation(host: Host) -> Observation:
    """Everything the engine is set to and everything it is doing."""
    concentrator = host.concentrator
    return {
        "generation": concentrator.generation,
        "settings": concentrator.config.settings(),
        "users": {decode(user.name): user_view(user) for user in concentrator.users},
        "listeners": {name: listener_view(port.interface) for name, port in host.ports.items()},
        "sessions": sessions(host),
        "drops": {str(reason): count for reason, count in host.drops.items()},
    }


def sessions(host: Host) -> list[SessionView]:
    """The live sessions."""
    counters = host.datapath.counters()
    now = monotonic()
    return [
        session_view(session, counters.get(session.key, _NOTHING), host.concentrator.stale(session), now)
        for session in host.concentrator
    ]


def counts(host: Host) -> Counts:
    """How many sessions there are, and what happened since the start; of nobody in particular."""
    states, live = dict.fromkeys(get_args(SessionState), 0), Counter[str]()
    stale = 0
    for session in host.concentrator:
        states[session.state] += 1
        if session.ending is None:
            live[session.key.interface] += 1
            stale += host.concentrator.stale(session)
    traffic = host.datapath.traffic()
    return {
        "sessions": states,
        "stale": stale,
        "drops": {str(reason): count for reason, count in host.drops.items()},
        "logins": host.counts.login_views(),
        "closed": dict(host.counts.closed),
        "failed": dict(host.counts.failed),
        "setup": host.counts.setup.view(),
        "interfaces": {
            name: interface_counts(port.interface.up, live[name], traffic.get(name, _NOTHING))
            for name, port in host.ports.items()
        },
    }


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
    return {
        "user": None if user is None else decode(user.name),
        "address": None if address is None else text(address.to_bytes(4, "big")),
        "peer": None if address is None else text(session.config.local_ip),
        "mac": format_mac(session.key.mac),
        "id": session.key.id,
        "interface": session.key.interface,
        "circuit_id": shown(session.line.circuit_id),
        "remote_id": shown(session.line.remote_id),
        "state": session.state,
        "since": _EPOCH + session.started,
        "uptime": now - session.started,
        "generation": session.generation,
        "stale": stale,
        "rx_bytes": counters.rx_bytes,
        "tx_bytes": counters.tx_bytes,
        "rx_packets": counters.rx_packets,
        "tx_packets": counters.tx_packets,
    }


def user_view(user: User) -> UserView:
    """A user, but for the password."""
    return {
        "address": None if user.address is None else text(user.address),
        "enabled": user.enabled,
        "sessions": user.sessions,
        "fingerprint": user.fingerprint,
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


def event_view(event: Event) -> EventView:
    """An event that happened just now."""
    return {
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


def key_view(key: Key) -> SessionKey:
    """A session's identity."""
    return {"interface": key.interface, "mac": format_mac(key.mac), "id": key.id}


def decode(name: bytes) -> str:
    """A user name as text. Octets that are not UTF-8, which only a refused login can have, become escapes."""
    return name.decode(errors="backslashreplace")


def shown(octets: bytes) -> str | None:
    """Octets from the wire as printable text; None for none. What is not printable becomes an escape."""
    text = octets.decode(errors="backslashreplace")
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text) or None

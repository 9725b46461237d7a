"""What a fake engine knows, and what its subscribers do: they dial, are heard of, and hang up.

Neighbour: ``fakes.engine`` says what requests do to it. It must not know the command protocol.
"""

from __future__ import annotations

import ipaddress
import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from reconciler.engine.messages import (
    EventType,
    EventView,
    Rate,
    Secret,
    SessionKey,
    SessionView,
    Settings,
    UserEntry,
)

T0 = 1_760_000_000.0
UNLIMITED: Rate = {"down": 0, "up": 0}

DEFAULTS: Settings = {
    "ac_name": "reconciler",
    "access_only": False,
    "service_names": [],
    "local_ip": "0.0.0.0",
    "pools": [],
    "dns_servers": [],
    "wins_servers": [],
    "auth": ["chap", "pap"],
    "mtu": 1492,
    "echo_interval": 30,
    "echo_failures": 3,
    "session_timeout": 0,
    "idle_timeout": 0,
    "second_login": "replace",
    "limits": {"padi_per_mac": 10, "padi_total": 2000, "half_open": 4000, "failed_logins": 5, "lockout": 60},
}


def password(text: str) -> Secret:
    """A user's secret as the reconciler sends it, when it is a password."""
    return {"kind": "password", "text": text}


class State:
    """``interfaces`` maps the names of interfaces that exist to "is up". ``polite``: ended sessions stay, in
    state ``terminate``, until :meth:`hang_up_ended`; otherwise they are gone at once. ``followers`` take
    events.
    """

    def __init__(self, interfaces: Iterable[str]) -> None:
        self.interfaces = dict.fromkeys(interfaces, True)
        self.listeners: list[str] = []
        self.users: dict[str, UserEntry] = {}
        self.sessions: list[SessionView] = []
        self.settings = DEFAULTS.copy()
        self.generation = 0
        self.drops: dict[str, int] = {}
        self.draining: float | None = None
        self.journal_trouble = ""
        self.polite = False
        self.told: Counter[tuple[EventType, str]] = Counter()
        self.followers: list[Callable[[dict[str, Any]], None]] = []
        self._over: dict[tuple[str, str, int], str] = {}
        self._ids = itertools.count(1)
        self._lock = threading.RLock()

    def live(self) -> list[SessionView]:
        return [session for session in self.sessions if session["state"] != "terminate"]

    def dial(self, user: str, interface: str = "eth1", mac: str | None = None) -> SessionView:
        """A subscriber logs in and gets the first free address."""
        with self._lock:
            number = next(self._ids)
            session: SessionView = {
                "user": user,
                "address": self.users[user]["address"] or self._free(),
                "peer": self.settings["local_ip"],
                "mac": mac or f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}",
                "id": number,
                "interface": interface,
                "circuit_id": None,
                "remote_id": None,
                "state": "opened",
                "since": T0 + number,
                "uptime": 60.0,
                "generation": self.generation,
                "stale": False,
                "rx_bytes": 0,
                "tx_bytes": 0,
                "rx_packets": 0,
                "tx_packets": 0,
                "rate": {"down": 50_000_000, "up": 0},
            }
            self.sessions.append(session)
            self.tell("session_opened", session, "login")
            return session

    def hang_up(self, session: SessionView, reason: str = "the peer ended it (PADT)") -> None:
        """A subscriber leaves by itself."""
        with self._lock:
            self.sessions.remove(session)
            self.tell("session_closed", session, reason)

    def hang_up_ended(self, reason: str = "terminated") -> None:
        """Sessions that are being terminated are over now."""
        with self._lock:
            for session in [s for s in self.sessions if s["state"] == "terminate"]:
                self.hang_up(session, reason)

    def tell(self, kind: EventType, session: SessionView, reason: str) -> None:
        self.told[kind, reason] += 1
        if kind == "session_closed":
            self._over[key_of(session)] = reason
        event: EventView = {
            "time": T0,
            "type": kind,
            "user": session["user"],
            "mac": session["mac"],
            "id": session["id"],
            "interface": session["interface"],
            "circuit_id": session["circuit_id"],
            "remote_id": session["remote_id"],
            "reason": reason,
            "generation": session["generation"],
        }
        for hears in self.followers:
            hears({"event": event})

    def _end(self, sessions: Sequence[SessionView], reason: str) -> list[SessionKey]:
        for session in sessions:
            session["state"], session["ending"] = "terminate", reason
        if not self.polite:
            self.hang_up_ended(reason)
        return [{"interface": s["interface"], "mac": s["mac"], "id": s["id"]} for s in sessions]

    def _free(self) -> str:
        taken = {session["address"] for session in self.sessions}
        pool = self.settings["pools"][0]
        first = ipaddress.IPv4Address(pool["start"])
        return next(str(first + n) for n in range(pool["size"]) if str(first + n) not in taken)


def key_of(session: SessionView) -> tuple[str, str, int]:
    return session["interface"], session["mac"], session["id"]

"""An engine without a network: the real command protocol on a real unix socket, state in memory.

Tests script the rest: which interfaces exist, who dials in, which request fails. Runs in the test's process
(:class:`FakeEngine`) or as a program (``python -m tests.fakes.engine --runtime-dir DIR --datapath null``).
Neighbours: ``fakes.state`` is what it knows, ``fakes.served`` its socket.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, get_args

from reconciler.engine.messages import (
    PROTOCOL,
    SOCKET_NAME,
    Counts,
    EventType,
    Gone,
    ListenerView,
    Mark,
    Overview,
    Part,
    SessionKey,
    SessionState,
    SessionView,
    Settings,
    UserEntry,
    UserView,
)
from tests.fakes.served import RefusalError, Server, Wire
from tests.fakes.state import T0, UNLIMITED, State, key_of, password

_LOOK = 0.05
"""Seconds between two looks at whether to end: a signal that another thread is given wakes nobody."""

__all__ = ["FakeEngine", "RefusalError", "password"]


class FakeEngine(State):
    """What requests do. ``faults`` maps a request's name to errors that its next calls meet, in order."""

    def __init__(
        self, runtime_dir: Path, interfaces: Iterable[str] = ("eth1",), device: str | None = None
    ) -> None:
        super().__init__(interfaces)
        self.path = runtime_dir / SOCKET_NAME
        self.device = device
        self.pid = os.getpid()
        self.protocol = PROTOCOL
        self.name = os.urandom(4).hex()
        self.ifindex = 2
        self.faults: dict[str, list[RefusalError]] = {}
        self.requests: list[dict[str, Any]] = []
        self.stopped = threading.Event()
        self._shown: dict[
            int, tuple[dict[str, UserView | None], dict[tuple[str, str, int], SessionView]]
        ] = {}
        self._server: Server | None = None

    def start(self) -> FakeEngine:
        self.path.unlink(missing_ok=True)
        self._server = Server(self.path, self)
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Dies at once, as by SIGKILL: the socket's file stays."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            for wire in list(self._server.wires):
                wire.hang_up()
            self._server = None

    def answer(self, request: dict[str, Any], wire: Wire) -> object:
        with self._lock:
            self.requests.append(request)
            if faults := self.faults.get(request["do"]):
                raise faults.pop(0)
            if request["do"] == "follow":
                self.followers.append(wire.send)
                return {}
            do = getattr(self, f"do_{request['do']}", None)
            if do is None:
                raise RefusalError("unknown_request", f"unknown request {request['do']}")
            if "generation" in request:
                self.generation = request["generation"]
            answer = do(
                **{key: value for key, value in request.items() if key not in {"id", "do", "generation"}}
            )
            return list(answer) if isinstance(answer, Iterator) else answer

    def do_hello(self) -> object:
        return {
            "protocol": self.protocol,
            "version": "0",
            "pid": self.pid,
            "datapath": "tun" if self.device else "null",
            "device": self.device,
            "via": None,
            "choice": "as asked for",
        }

    def do_observe(
        self,
        since: Mark | None,
        traffic: bool,  # noqa: ARG002 - sessions carry nothing here
    ) -> Iterator[Part | Overview]:
        users: dict[str, UserView | None] = {
            name: {
                "address": user["address"],
                "enabled": user["enabled"],
                "sessions": user["sessions"],
                "fingerprint": user["fingerprint"],
                "rate": user.get("rate", UNLIMITED),
            }
            for name, user in self.users.items()
        }
        sessions = {key_of(session): session.copy() for session in self.sessions}
        known = self._shown.get(since["users"]) if since and since["engine"] == self.name else None
        old_users, old_sessions = known or ({}, {})
        moment = len(self._shown)
        self._shown[moment] = users, sessions
        gone: list[Gone] = [
            {"interface": key[0], "mac": key[1], "id": key[2], "reason": self._over.get(key)}
            for key in old_sessions.keys() - sessions.keys()
        ]
        yield {
            "users": {
                name: users.get(name)
                for name in users.keys() | old_users.keys()
                if users.get(name) != old_users.get(name)
            },
            "sessions": [],
            "gone": [],
        }
        changed = [session for key, session in sessions.items() if session != old_sessions.get(key)]
        yield {"users": {}, "sessions": changed, "gone": gone}
        yield {
            "generation": self.generation,
            "settings": self.settings,
            "listeners": {name: self._listener(name) for name in self.listeners if name in self.interfaces},
            "drops": self.drops,
            "draining": self.draining,
            "journal_trouble": self.journal_trouble,
            "mark": {"engine": self.name, "users": moment, "sessions": moment},
            "whole": known is None,
            "time": T0 + 1000,
        }

    def do_counts(self) -> Counts:
        live = self.live()
        states = [session["state"] for session in self.sessions]
        return {
            "sessions": {state: states.count(state) for state in get_args(SessionState)},
            "stale": sum(session["stale"] for session in live),
            "drops": self.drops,
            "logins": [
                {
                    "method": "chap",
                    "result": "accepted" if kind == "session_opened" else "refused",
                    "reason": "" if kind == "session_opened" else reason,
                    "count": count,
                }
                for (kind, reason), count in self.told.items()
                if kind in ("session_opened", "login_refused")
            ],
            "closed": self._reasons("session_closed"),
            "failed": self._reasons("dial_failed"),
            "setup": {
                "bounds": [0.1, 1.0],
                "counts": [sum(self._reasons("session_opened").values()), 0, 0],
                "sum": 0.0,
            },
            "interfaces": {
                name: {
                    "up": self.interfaces[name],
                    "sessions": sum(session["interface"] == name for session in live),
                    "rx_bytes": 1000,
                    "tx_bytes": 2000,
                    "rx_packets": 10,
                    "tx_packets": 20,
                }
                for name in self.listeners
                if name in self.interfaces
            },
        }

    def do_configure(self, settings: Settings) -> object:
        self.settings = {**self.settings, **settings}
        return {}

    def do_users(self, put: list[UserEntry], remove: list[dict[str, str]]) -> object:
        ended: list[SessionKey] = []
        for removal in remove:
            self.users.pop(removal["name"], None)
            if removal["sessions"] == "terminate":
                ended += self._end([s for s in self.live() if s["user"] == removal["name"]], "user removed")
        for user in put:
            before = self.users.get(user["name"])
            self.users[user["name"]] = user
            mine = sorted((s for s in self.live() if s["user"] == user["name"]), key=lambda s: s["since"])
            keep = len(mine)
            disabled = not user["enabled"] and (before is None or before["enabled"])
            if (disabled and user.get("on_disable") != "drain") or (
                before is not None and _renewed(before, user)
            ):
                keep = 0
            elif before is not None and user["sessions"] < before["sessions"]:
                keep = user["sessions"]
            ended += self._end(mine[: len(mine) - keep] if len(mine) > keep else [], "user changed")
        return {"ended": ended}

    def do_listen(self, interface: str) -> ListenerView:
        if interface not in self.interfaces:
            raise RefusalError("no_interface", f"there is no interface {interface}")
        if interface not in self.listeners:
            self.listeners.append(interface)
        return self._listener(interface)

    def do_unlisten(self, interface: str) -> object:
        self.listeners.remove(interface)
        return {
            "ended": self._end([s for s in self.live() if s["interface"] == interface], "interface removed")
        }

    def do_terminate(self, sessions: list[SessionKey], reason: str) -> object:
        wanted = [(key["interface"], key["mac"], key["id"]) for key in sessions]
        return {"ended": self._end([s for s in self.live() if key_of(s) in wanted], reason)}

    def do_drain(self, rate: float | None) -> object:
        self.draining = rate
        if rate is not None:
            self._end(self.live(), "drained")
        return {}

    def do_shutdown(self) -> object:
        self._end(self.live(), "shutdown")
        self.sessions = []
        self.stopped.set()
        return {}

    def _reasons(self, wanted: EventType) -> dict[str, int]:
        return {reason: count for (kind, reason), count in self.told.items() if kind == wanted}

    def _listener(self, name: str) -> ListenerView:
        return {
            "interface": name,
            "ifindex": self.ifindex,
            "mac": "02:00:00:00:ff:01",
            "mtu": 1500,
            "up": self.interfaces[name],
        }


def _renewed(before: UserEntry, user: UserEntry) -> bool:
    changed = before["fingerprint"] != user["fingerprint"]
    return changed and user.get("on_password_change") == "terminate"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runtime-dir", type=Path, required=True)
    parser.add_argument("--datapath", default="null")
    parser.add_argument("--interfaces", default="eth1")
    parser.add_argument("--die", help="fail at once with this message")
    parser.add_argument("--protocol", type=int, default=PROTOCOL)
    parser.add_argument("--check", action="store_true", help="fail, or not, and do nothing else")
    options = parser.parse_args()
    if options.die:
        sys.exit(options.die)
    if options.check:
        return
    engine = FakeEngine(options.runtime_dir, options.interfaces.split(","))
    engine.protocol = options.protocol
    engine.start()
    signal.signal(signal.SIGTERM, lambda *_: engine.stopped.set())
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while not engine.stopped.wait(_LOOK):
        pass


if __name__ == "__main__":
    main()

"""The reconciler's end of the engine's command socket: every request of ``engine.requests``, typed.

Thread-safe: requests take turns on one connection, which is made when first needed and made again after a
failure. It decides nothing and remembers nothing of what it said. It must not know YAML, plans or the
kernel, and reaches the engine only through the message types.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

from reconciler.engine.messages import (
    PROTOCOL,
    SOCKET_NAME,
    Counts,
    EventView,
    Hello,
    ListenerView,
    Observation,
    Overview,
    Part,
    RemovedUser,
    SessionKey,
    SessionView,
    Settings,
    UserEntry,
)

ANSWER_TIMEOUT = 15.0
"""Seconds to wait for an answer; the engine answers in milliseconds, 100,000 users in about one second."""

SHUTDOWN_TIMEOUT = 45.0
"""Seconds to wait for ``shutdown``, which ends every session politely first."""


class NoEngineError(Exception):
    """The engine does not answer: not started, dead, or hung. One line, fit for an operator."""


class RefusedError(Exception):
    """The engine understood and said no. ``code`` is one of the protocol's error codes; one line."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ProtocolError(RefusedError):
    """The running engine speaks another protocol: ``hello`` is what it said. It was asked nothing else."""

    def __init__(self, hello: Hello) -> None:
        self.hello = hello
        self.older = hello["protocol"] < PROTOCOL
        who = f"the running engine (pid {hello['pid']}, version {hello['version']})"
        what = f"speaks protocol {hello['protocol']}, this program {PROTOCOL}"
        advice = (
            "`reconciler run` of this version replaces it and drops nobody"
            if self.older
            else f"start `reconciler run` of version {hello['version']}; nobody was dropped"
        )
        super().__init__("failed", f"{who} {what}: {advice}")


class EngineClient:
    """Speaks to the engine whose socket is in ``runtime_dir``; waits ``patience`` seconds for an answer.

    Every method raises :class:`NoEngineError` when there is no answer and :class:`RefusedError` when the
    answer is an error.
    """

    def __init__(self, runtime_dir: Path, patience: float = ANSWER_TIMEOUT) -> None:
        self._path = runtime_dir / SOCKET_NAME
        self._patience = patience
        self._turn = threading.Lock()
        self._wire: _Connection | None = None

    def hello(self) -> Hello:
        """Raises :class:`ProtocolError` when the engine is older or newer than this program."""
        answer = cast("Hello", self._call("hello"))
        if answer["protocol"] != PROTOCOL:
            raise ProtocolError(answer)
        return answer

    def observe(self, since: Observation | None = None, *, traffic: bool = True) -> Observation:
        """Everything, or, sooner told, what was observed ``since`` brought up to date: of a session that has
        not changed, all but its ``uptime`` and what it has carried. Without ``traffic`` nothing of the
        latter.
        """
        parts: list[Part] = []
        mark = None if since is None else since["mark"]
        overview = cast("Overview", self._call("observe", take=parts.append, since=mark, traffic=traffic))
        return complete(overview, parts, since)

    def counts(self) -> Counts:
        return cast("Counts", self._call("counts"))

    def configure(self, generation: int, settings: Settings) -> None:
        self._call("configure", generation=generation, settings=settings)

    def users(
        self, generation: int, put: Sequence[UserEntry], remove: Sequence[RemovedUser]
    ) -> list[SessionKey]:
        return self._ended("users", generation=generation, put=list(put), remove=list(remove))

    def listen(self, generation: int, interface: str) -> ListenerView:
        return cast("ListenerView", self._call("listen", generation=generation, interface=interface))

    def unlisten(self, generation: int, interface: str) -> list[SessionKey]:
        return self._ended("unlisten", generation=generation, interface=interface)

    def terminate(self, sessions: Sequence[SessionKey], reason: str) -> list[SessionKey]:
        return self._ended("terminate", sessions=list(sessions), reason=reason)

    def drain(self, rate: float | None) -> None:
        self._call("drain", rate=rate)

    def shutdown(self) -> None:
        """Ends every session, then the engine."""
        self._call("shutdown", timeout=SHUTDOWN_TIMEOUT)

    def close(self) -> None:
        with self._turn:
            self._hang_up()

    def _ended(self, do: str, **arguments: Any) -> list[SessionKey]:
        return cast("list[SessionKey]", self._call(do, **arguments)["ended"])

    def _call(
        self,
        do: str,
        timeout: float | None = None,
        take: Callable[[Any], object] = lambda _part: None,
        **arguments: Any,
    ) -> Any:
        with self._turn:
            try:
                self._wire = self._wire or _Connection(self._path)
                answer = self._wire.ask(do, arguments, timeout or self._patience, take)
            except (OSError, ValueError) as error:
                # After a failure the next answer on this connection could be to this request: never reuse it.
                self._hang_up()
                raise NoEngineError(f"the engine does not answer on {self._path}: {_plain(error)}") from None
        if "error" in answer:
            raise RefusedError(answer["error"]["code"], answer["error"]["message"])
        return answer["ok"]

    def _hang_up(self) -> None:
        if self._wire:
            self._wire.close()
        self._wire = None


def complete(overview: Overview, parts: Iterable[Part], since: Observation | None) -> Observation:
    """An observation from its pieces. What has not changed is ``since``'s own, not a copy of it."""
    known = None if overview["whole"] else since
    users = known["users"] if known else {}
    sessions = known["sessions"] if known else []
    changed_users = {name: user for part in parts for name, user in part["users"].items()}
    changed = {_key(one): one for part in parts for one in part["sessions"]}
    ends = [end for part in parts for end in part["gone"]]
    gone = {_key(end) for end in ends}
    if changed_users:
        after = {**users, **changed_users}
        users = {name: user for name, user in after.items() if user is not None}
    if changed or gone:
        stay = (one for one in sessions if (key := _key(one)) not in changed and key not in gone)
        sessions = [*stay, *changed.values()]
    return {**overview, "users": users, "sessions": sessions, "gone": ends}


def _key(session: SessionView | SessionKey) -> tuple[str, str, int]:
    return session["interface"], session["mac"], session["id"]


class EventStream:
    """The engine's events, on a connection of their own. Iterate; ``close()`` from any thread ends it."""

    def __init__(self, runtime_dir: Path) -> None:
        try:
            self._wire = _Connection(runtime_dir / SOCKET_NAME)
            self._wire.ask("follow", {}, ANSWER_TIMEOUT, lambda _part: None)
        except (OSError, ValueError) as error:
            raise NoEngineError(f"the engine's events cannot be followed: {_plain(error)}") from None

    def __iter__(self) -> Iterator[EventView]:
        """Ends when the engine does, or when closed."""
        try:
            self._wire.wait_for_ever()
            while True:
                event = self._wire.read().get("event")
                if event is not None:
                    yield event
        except (OSError, ValueError):
            return

    def close(self) -> None:
        self._wire.close()


class _Connection:
    """One connection: JSON lines out and in. After an OSError or a ValueError it is of no more use."""

    def __init__(self, path: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._socket.settimeout(ANSWER_TIMEOUT)
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise
        self._lines = self._socket.makefile("rb")
        self._last = 0

    def ask(
        self, do: str, arguments: dict[str, Any], timeout: float, take: Callable[[Any], object]
    ) -> dict[str, Any]:
        """The answer's last line; ``take`` gets the parts before it. ``timeout`` is for each line."""
        self._last += 1
        self._socket.settimeout(timeout)
        request = {"id": self._last, "do": do, **arguments}
        self._socket.sendall(json.dumps(request, separators=(",", ":")).encode() + b"\n")
        while True:
            answer = self.read()
            if answer.get("id") == self._last:
                if "part" not in answer:
                    return answer
                take(answer["part"])

    def read(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError("it closed the connection")
        message = json.loads(line)
        if not isinstance(message, dict):
            raise ValueError("it sent something else than a message")
        return message

    def wait_for_ever(self) -> None:
        self._socket.settimeout(None)

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        with suppress(OSError):
            self._lines.close()
        self._socket.close()


def _plain(error: OSError | ValueError) -> str:
    if isinstance(error, FileNotFoundError):
        return "it is not running"
    if isinstance(error, ConnectionRefusedError):
        return "it is no longer running"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, OSError):
        return str(error.strerror or error)
    return "it sent something that is not a message"

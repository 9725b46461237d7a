"""Listens to the engine: its events go into the log of events, and wake the loop; so does its end.

A thread of its own, that connects again after each engine's end. It must not know what follows from an
event: a login or an end may matter to a route, which a pass will see, and need not see at once.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path

from reconciler.engine.messages import EventView
from reconciler.loop.telling.events import Event, Events
from reconciler.loop.waking.wake import Wake
from reconciler.resources.engine import EventStream, NoEngineError
from reconciler.site.escape import visible

_RETRY = 0.25
_SENTENCE = {
    "session_opened": "opened",
    "session_closed": "closed",
    "login_refused": "login refused",
    "dial_failed": "dial failed",
}

log = logging.getLogger("reconciler.sessions")


class Follower:
    """Follows the engine of ``runtime_dir`` until closed."""

    def __init__(self, runtime_dir: Path, events: Events, wake: Wake) -> None:
        self._runtime_dir = runtime_dir
        self._events = events
        self._wake = wake
        self._closing = threading.Event()
        self._stream: EventStream | None = None
        self._lock = threading.Lock()
        self.following = threading.Event()
        """Set while events arrive."""
        self._thread = threading.Thread(target=self._run, name="engine-events", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        with self._lock:
            if self._stream:
                self._stream.close()
        self._thread.join()

    def _run(self) -> None:
        while not self._closing.is_set():
            stream = self._connect()
            if stream is not None:
                self.following.set()
                for event in stream:
                    self._take(event)
                self.following.clear()
                stream.close()
                self._wake.hint()
            self._closing.wait(_RETRY)

    def _connect(self) -> EventStream | None:
        try:
            stream = EventStream(self._runtime_dir)
        except NoEngineError:
            return None
        with self._lock:
            self._stream = stream
        if self._closing.is_set():
            stream.close()
        return stream

    def _take(self, view: EventView) -> None:
        event: Event = {**view}
        self._events.add(event)
        self._wake.hint_lazily()
        name = visible(view["user"] or "without a login")
        log.info(
            "session 0x%04x %s on %s (%s): %s: %s",
            view["id"],
            name,
            view["interface"],
            view["mac"],
            _SENTENCE[view["type"]],
            view["reason"],
            extra={"session": view["id"], "user": view["user"], "event": view["type"]},
        )

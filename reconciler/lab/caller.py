"""A subscriber process and the means to drive it: orders out, answers and events in.

The process is ``reconciler.probe.subscriber`` in a network namespace. A thread reads what it says;
everything else is plain blocking calls with a time limit. It knows nothing of the concentrator that is
being called.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import sys
import threading
from typing import Any

from reconciler.linux import netns

Event = dict[str, Any]

_ANSWER_WITHIN = 30.0


class CallerError(Exception):
    """The subscriber refused an order, or is gone; one line."""


class Caller:
    """One subscriber. Start it in a thread that outlives it: it ends when that thread does."""

    def __init__(self, name: str, namespace: str, port: str = "eth0") -> None:
        self.name = name
        self.namespace = namespace
        self.events: list[Event] = []
        """Everything that has happened, in order."""
        self._answers: dict[int, Event] = {}
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self._over = False
        argv = [sys.executable, "-m", "reconciler.probe.subscriber", port]
        with netns.inside(namespace):
            self._process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def order(self, do: str, wait: float = _ANSWER_WITHIN, **arguments: Any) -> Any:
        """Give an order and return its answer. Raises :class:`CallerError`."""
        number = next(self._numbers)
        line = json.dumps({"id": number, "do": do, **arguments}).encode() + b"\n"
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except OSError as error:
            raise CallerError(f"subscriber {self.name} is gone") from error
        with self._changed:
            if not self._changed.wait_for(lambda: number in self._answers or self._over, wait):
                raise CallerError(f"subscriber {self.name} did not answer {do!r} in {wait:g} s")
            answer = self._answers.pop(number, {"error": f"subscriber {self.name} is gone"})
        if "error" in answer:
            raise CallerError(str(answer["error"]))
        return answer["ok"]

    def wait_event(self, *names: str, since: int = 0, wait: float) -> Event | None:
        """The first event of those names at or after position ``since``, waiting ``wait`` seconds for it;
        or None.
        """

        def find() -> Event | None:
            return next((event for event in self.events[since:] if event["event"] in names), None)

        with self._changed:
            self._changed.wait_for(lambda: find() is not None or self._over, wait)
            return find()

    def dial(self, user: str, password: str, *, wait: float = 60.0, **options: Any) -> Event:
        """Dial and wait for how it goes: an ``up`` or ``failed`` event. Raises :class:`CallerError` for
        neither.
        """
        since = len(self.events)
        self.order("dial", user=user, password=password, **options)
        event = self.wait_event("up", "failed", since=since, wait=wait)
        if event is None:
            fate = "is gone" if self._over else f"got nowhere in {wait:g} s"
            raise CallerError(f"subscriber {self.name} {fate}")
        return event

    def kill(self) -> None:
        """End it without a goodbye, as a power cut does."""
        self._process.kill()
        self._process.wait()

    def close(self, wait: float = 15.0) -> None:
        """Have it hang up and end; kill it when it does not within ``wait`` seconds."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()  # to the process, the end of its input is the order to leave
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._reader.join()
        process.stdout.close()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            message = json.loads(line)
            with self._changed:
                if "event" in message:
                    self.events.append(message)
                else:
                    self._answers[message["id"]] = message
                self._changed.notify_all()
        with self._changed:
            self._over = True
            self._changed.notify_all()

"""A subscriber as a process: ``python -m reconciler.probe.subscriber eth0`` dials in and brings up a
``ppp0``.

Runs in the network namespace it is started in. Takes commands and gives answers and events as JSON, one
object a line, on stdin and stdout; a password arrives there and nowhere else. It hangs up and ends when
stdin closes, on SIGTERM, and when its parent ends.

Commands, each with an ``id`` that its answer repeats (``{"id", "ok"}`` or ``{"id", "error"}``): ``dial``
{user, password, methods?, service?, redial?: seconds}, ``hangup``, ``status``, ``ping`` {target,
interval}, ``report``, ``ping_stop`` (answered with the account once nothing is waited for), ``quit``.
Events: ``up``, ``failed`` (it never came up), ``down`` (it was up).
"""

from __future__ import annotations

import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from typing import Any

from reconciler.linux.errors import KernelError
from reconciler.linux.process import die_with_parent
from reconciler.probe.console import Console
from reconciler.probe.line import Line
from reconciler.probe.outcome import METHODS, Login
from reconciler.probe.pinger import Pinger, Report

Command = dict[str, Any]


class CommandError(Exception):
    """A command that makes no sense now; its text is the answer."""


class Subscriber:
    """Joins a console, a line and pings in one loop. ``clock`` gives Unix time and never jumps."""

    def __init__(self, port: str, console: Console, clock: Callable[[], float]) -> None:
        self._console = console
        self._clock = clock
        self._selector = selectors.DefaultSelector()
        self._line = Line(port, self._selector, self._tell)
        self._pinger: Pinger | None = None
        self._asked_to_stop: Command | None = None
        self._leaving = False
        self._commands: dict[str, Callable[[Command], object]] = {
            "dial": self._dial,
            "hangup": self._hang_up,
            "status": lambda _: self._line.status(),
            "ping": self._ping,
            "report": lambda _: self._report(),
            "ping_stop": self._stop_pinging,
            "quit": lambda _: self.leave(),
        }
        self._selector.register(console, selectors.EVENT_READ, lambda _: self._obey())

    def run(self) -> None:
        """Serve until told to leave and the call has ended."""
        wake = _wake_on_sigterm()
        self._selector.register(wake, selectors.EVENT_READ, lambda _: self._wake(wake))
        while not self._leaving or self._line.busy:
            due = min(self._line.deadline(), self._pinger.deadline() if self._pinger else float("inf"))
            timeout = None if due == float("inf") else max(0.0, due - self._clock())
            for key, _ in self._selector.select(timeout):
                if self._selector.get_map().get(key.fd) is key:  # an earlier one may have ended this one
                    key.data(self._clock())
            self._line.tick(self._clock())
            self._tick_pings()

    def leave(self) -> dict[str, object]:
        """Hang up and end."""
        self._leaving = True
        self._line.hang_up(self._clock())
        return {}

    def _wake(self, wake: socket.socket) -> None:
        wake.recv(64)
        self.leave()

    def _obey(self) -> None:
        for command in self._console.commands():
            work = self._commands.get(str(command.get("do")))
            if work is None:
                self._console.refuse(command, f"there is no command {command.get('do')}")
                continue
            try:
                answer = work(command)
            except (CommandError, KernelError) as error:
                self._console.refuse(command, str(error))
            except KeyError as missing:
                self._console.refuse(command, f"{missing} is missing")
            except (TypeError, ValueError):
                self._console.refuse(command, "a value is not of the right kind")
            else:
                if answer is not None:
                    self._console.answer(command, answer)
        if self._console.closed:
            self._selector.unregister(self._console)
            self.leave()

    def _dial(self, command: Command) -> object:
        if self._line.busy:
            raise CommandError("a call is under way")
        methods = tuple(command.get("methods", METHODS))
        login = Login(command["user"], command["password"], methods, command.get("service", ""))
        self._line.dial(login, command.get("redial"), self._clock())
        return {}

    def _hang_up(self, _: Command) -> object:
        self._line.hang_up(self._clock())
        return {}

    def _ping(self, command: Command) -> object:
        if self._pinger is not None:
            raise CommandError("it is pinging already")
        self._pinger = Pinger(command["target"], float(command["interval"]), self._clock())
        self._selector.register(self._pinger, selectors.EVENT_READ, self._pinger.receive)
        return {}

    def _report(self) -> Report:
        if self._pinger is None:
            raise CommandError("it is not pinging")
        return self._pinger.ledger.report()

    def _stop_pinging(self, command: Command) -> None:
        if self._pinger is None:
            raise CommandError("it is not pinging")
        self._pinger.stopping = True
        self._asked_to_stop = command

    def _tick_pings(self) -> None:
        if self._pinger is None:
            return
        self._pinger.tick(self._clock())
        if self._asked_to_stop is not None and self._pinger.done():
            self._console.answer(self._asked_to_stop, self._pinger.ledger.report())
            self._selector.unregister(self._pinger)
            self._pinger.close()
            self._pinger = self._asked_to_stop = None

    def _tell(self, event: str, facts: dict[str, object]) -> None:
        self._console.event(event, self._clock(), **facts)


def _wake_on_sigterm() -> socket.socket:
    reads, writes = socket.socketpair()
    for end in (reads, writes):
        end.setblocking(False)
    signal.set_wakeup_fd(writes.detach())
    signal.signal(signal.SIGTERM, lambda *_: None)
    return reads


def main(arguments: list[str]) -> int:
    """Exit status 0 after an orderly end, 1 when the port cannot be used."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m reconciler.probe.subscriber INTERFACE\n")
        return 64
    die_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the parent's to act upon
    offset = time.time() - time.monotonic()
    console = Console(sys.stdin.fileno(), sys.stdout.fileno())
    try:
        Subscriber(arguments[0], console, lambda: offset + time.monotonic()).run()
    except OSError as error:
        sys.stderr.write(f"subscriber on {arguments[0]}: {error.strerror or error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""The sandbox on a terminal: subscribers dial in and redial, and whatever happens is shown as it happens.

Frames, subscribers' ups and downs, and what the reconciler logs, in one stream; and what a person may try.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from reconciler.lab.caller import Caller, CallerError, Event
from reconciler.lab.sandbox import Sandbox
from reconciler.lab.story import PASSWORD
from reconciler.lab.topology import FAR_ADDRESS

_REDIAL = 5.0
_PING_EVERY = 1.0
_LOOK_EVERY = 0.2


class Show:
    """``write`` takes text for the terminal."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._pinging: set[Caller] = set()

    def frame(self, line: str) -> None:
        """Show a frame of the exchange; keepalives are left out, they would be all there is to see."""
        if " Echo-Re" not in line:
            self._write(f"{line}\n")

    def run(self, sandbox: Sandbox) -> None:
        """Show what happens until interrupted."""
        runtime_dir = sandbox.instance.runtime_dir
        welcome = _WELCOME.format(
            site=sandbox.instance.site,
            reconciler=f"RECONCILER_RUNTIME_DIR={runtime_dir} {sys.executable} -m reconciler",
            real=FOR_REAL,
            namespace=sandbox.topology.namespace(next(iter(sandbox.callers))),
        )
        self._write(welcome)
        log = new_lines(sandbox.instance.log)
        next(log)  # how it started is of no interest
        for user, caller in sandbox.callers.items():
            caller.order("dial", user=user, password=PASSWORD, redial=_REDIAL)
        news = {caller: new_events(caller) for caller in sandbox.callers.values()}
        while True:
            told = [f"reconciler: {line}" for line in next(log)]
            happened = {caller: events for caller, source in news.items() if (events := next(source))}
            for caller, events in happened.items():
                told += [f"{caller.name} {describe(event)}" for event in events]
                self._ping(caller)
            for line in told:
                self._write(f"** {line}\n")
            if happened:
                self._write(_table(sandbox))
            time.sleep(_LOOK_EVERY)

    def _ping(self, caller: Caller) -> None:
        if caller not in self._pinging:
            self._pinging.add(caller)
            caller.order("ping", target=FAR_ADDRESS, interval=_PING_EVERY)


def new_events(caller: Caller) -> Iterator[list[Event]]:
    """What has happened to a subscriber since the last look, at every look."""
    seen = 0
    while True:
        events = caller.events[seen:]
        seen += len(events)
        yield events


def describe(event: Event) -> str:
    if event["event"] == "up":
        return f"is up: {event['address']} peer {event['peer']}, DNS {' '.join(event['dns'])}"
    what = "is down" if event["event"] == "down" else f"did not get in ({event['phase']})"
    return f"{what}: {event['reason']}"


def new_lines(path: Path) -> Iterator[list[str]]:
    """What has been added to the reconciler's log since the last look, at every look."""
    with path.open() as log:
        while True:
            yield [_message(line) for line in log.readlines()]


def _message(line: str) -> str:
    try:
        return str(json.loads(line)["message"])
    except (ValueError, KeyError, TypeError):
        return line.rstrip()


def _table(sandbox: Sandbox) -> str:
    rows = [f"   {'user':<10} {'address':<15} {'id':<7} {'dns':<24} pings to {FAR_ADDRESS}"]
    for name, caller in sandbox.callers.items():
        up, pings = caller.order("status")["up"], _pings(caller)
        line = f"{up['address']:<15} 0x{up['id']:04x}  {' '.join(up['dns']):<24}" if up else f"{'-':<48}"
        rows.append(f"   {name:<10} {line} {pings}")
    return "\n".join([*rows, ""])


def _pings(caller: Caller) -> str:
    try:
        report = caller.order("report")
    except CallerError:  # it has not begun
        return "-"
    return f"{report['sent']} sent, {report['lost']} lost"


_WELCOME = """\
A sandbox of network namespaces: a switch with a router to 8.8.8.8, the concentrator and its subscribers.

   edit   {site}
          Save it, and exactly the subscribers whom the edit names are touched.
   plan   {reconciler} apply {site} --dry-run
   look   {reconciler} sessions
          nsenter --net=/run/netns/{namespace} ip addr show ppp0
   stop   Ctrl-C

{real}
"""

FOR_REAL = f"""\
On a real interface: copy examples/site.yaml, set its `interface`, addresses and users, then, as root:
   {sys.executable} -m reconciler run THE-COPY
"""

"""Subscribers of the lab who ping the far end without pause: what they notice of what is done meanwhile."""

from __future__ import annotations

import time
from collections.abc import Mapping

from reconciler.lab.caller import Caller
from reconciler.lab.topology import FAR_ADDRESS
from tests.patience import PATIENCE

INTERVAL = 0.05
"""Seconds between two pings."""
MORE = 10


def start(*callers: Caller) -> None:
    for caller in callers:
        caller.order("ping", target=FAR_ADDRESS, interval=INTERVAL)


def lost(callers: Mapping[str, Caller]) -> dict[str, int]:
    """Let everybody send some more pings and stop; who went without how many answers since they began."""
    begun, end = _sent(callers), time.monotonic() + PATIENCE
    while any(sent < begun[user] + MORE for user, sent in _sent(callers).items()):
        assert time.monotonic() < end, f"they do not ping: {begun}, {_sent(callers)}"
        time.sleep(INTERVAL)
    reports = {user: caller.order("ping_stop") for user, caller in callers.items()}
    return {user: report["sent"] - report["received"] for user, report in reports.items()}


def _sent(callers: Mapping[str, Caller]) -> dict[str, int]:
    return {user: caller.order("report")["sent"] for user, caller in callers.items()}

"""What has to be done inside the guest in Python: ``python -m bench.peers.inside ORDER ...``; prints JSON.

``serve DIRECTORY USERS INTERFACE ...``: have the engine of that directory serve so many users by CHAP.
``revoke DIRECTORY NUMBER FILE``: take a user out; how many seconds until ``FILE``, its pppd's, is gone.
``memory NAME ...``: octets that all processes of these names have; shared ones are divided among those who
share them.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep
from typing import Any, Final

from bench.subscribers import user
from bench.world import BATCH, SETTINGS, entry
from reconciler.resources.engine import EngineClient

_PATIENCE: Final = 10.0


def serve(directory: str, users: str, *interfaces: str) -> None:
    client = EngineClient(Path(directory))
    client.configure(1, {**SETTINGS, "auth": ["chap"]})
    entries = [entry(number) for number in range(int(users))]
    for start in range(0, len(entries), BATCH):
        client.users(1, entries[start : start + BATCH], [])
    for interface in interfaces:
        client.listen(1, interface)


def revoke(directory: str, number: str, file: str) -> float | None:
    client = EngineClient(Path(directory))
    client.hello()
    began = monotonic()
    client.users(2, [], [{"name": user(int(number)), "sessions": "terminate"}])
    while Path(file).exists():
        if monotonic() > began + _PATIENCE:
            return None
        sleep(0.001)
    return monotonic() - began


def memory(*names: str) -> int:
    total = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "comm").read_text().strip() in names and int(process.name) != os.getpid():
                total += _proportional((process / "smaps_rollup").read_text())
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has just ended
    return total


def _proportional(text: str) -> int:
    return next(int(line.split()[1]) * 1024 for line in text.splitlines() if line.startswith("Pss:"))


ORDERS: Final[dict[str, Callable[..., Any]]] = {"serve": serve, "revoke": revoke, "memory": memory}

if __name__ == "__main__":
    order, *arguments = sys.argv[1:]
    sys.stdout.write(json.dumps(ORDERS[order](*arguments)) + "\n")

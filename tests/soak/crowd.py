"""Who lives on the street: so many subscribers, every tenth of them with a second line."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from tests.peer import Quirks, Subscriber
from tests.soak.pings import Pings
from tests.soak.street import Client
from tests.soak.wiring import FAR

TARGET = ipaddress.IPv4Address(FAR).packed


def crowd(number: int) -> Iterator[Client]:
    """``number`` clients of somewhat fewer users; a second line waits until its user may have it."""
    for index in range(number):
        name = f"user{index - 1 if index % 10 == 9 else index}".encode()
        mac = b"\x02\x5a" + index.to_bytes(4, "big")
        quirks = Quirks(methods=("chap", "pap"), restart=1.0)
        yield Client(Subscriber(mac, name, name, quirks, seed=index), Pings(index, TARGET))

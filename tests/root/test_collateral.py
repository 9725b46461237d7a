"""A thousand edits under live traffic: whoever is not named by a plan loses no ping, let alone the session.

``RECONCILER_EDITS`` asks for another number; ``RECONCILER_SEED`` repeats a run.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from random import Random

import pytest

from tests.soak.crowd import crowd
from tests.soak.house import House
from tests.soak.operator import Operator, site, text
from tests.soak.street import Street
from tests.soak.wiring import Wiring

pytestmark = [pytest.mark.root, pytest.mark.soak, pytest.mark.timeout(900)]

EDITS = int(os.environ.get("RECONCILER_EDITS", "1000"))
SEED = int(os.environ.get("RECONCILER_SEED", "0")) or int.from_bytes(os.urandom(4), "big")
SUBSCRIBERS = 20
INTERVAL = 0.1


def test_collateral_of_a_thousand_random_edits_is_zero(tmp_path: Path) -> None:
    sys.stdout.write(f"RECONCILER_SEED={SEED}\n")
    chance = Random(SEED)
    with Wiring() as wiring:
        clients = list(crowd(SUBSCRIBERS))
        declared = site({client.name for client in clients})
        house = House(tmp_path, wiring.ac)
        street = Street(wiring.street, clients, chance, interval=INTERVAL, back_off=0.05)
        house.save(text(declared))
        street.start()
        try:
            house.start()
            operator = Operator(house, street, wiring.ac, declared, Random(SEED))
            operator.begin()
            for _ in range(EDITS):
                operator.edit()
            operator.end()
        finally:
            street.close()
            house.stop()
        assert [end for client in clients for end in client.ends] == []
        assert street.losses()[""] == 0
        assert house.unpredicted == 0
        assert operator.named > EDITS // 20, "enough of them did end somebody"
        assert sum(client.pings.answered for client in clients) > SUBSCRIBERS * 10

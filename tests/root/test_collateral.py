"""A thousand edits under live traffic: whoever is not named by a plan loses no ping, let alone the session.

``RECONCILER_EDITS`` asks for another number; ``RECONCILER_SEED`` repeats a run.
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from tests.soak.crowd import crowd
from tests.soak.house import House
from tests.soak.operator import Operator, site, text
from tests.soak.street import Client, Street
from tests.soak.wiring import Wiring

pytestmark = [pytest.mark.root, pytest.mark.soak, pytest.mark.timeout(1800)]

EDITS = int(os.environ.get("RECONCILER_EDITS", "1000"))
SEED = int(os.environ.get("RECONCILER_SEED", "0")) or int.from_bytes(os.urandom(4), "big")
SUBSCRIBERS = 20
INTERVAL = 0.1


@contextlib.contextmanager
def life(directory: Path, clients: list[Client], seed: int) -> Iterator[Operator]:
    """Everybody who may is up, and an operator edits. Afterwards nobody was harmed whom no plan named."""
    declared = site({client.name for client in clients})
    with Wiring() as wiring:
        house = House(directory, wiring.ac)
        street = Street(wiring.street, clients, Random(seed), interval=INTERVAL, back_off=0.05)
        house.save(text(declared))
        street.start()
        try:
            house.start()
            operator = Operator(house, street, wiring.ac, declared, Random(seed))
            operator.begin()
            yield operator
            operator.end()
        finally:
            street.close()
            house.stop()
        assert [end for client in clients for end in client.ends] == []
        assert street.losses()[""] == 0
        assert house.unpredicted == 0


def test_collateral_of_a_thousand_random_edits_is_zero(tmp_path: Path) -> None:
    sys.stdout.write(f"RECONCILER_SEED={SEED}\n")
    clients = list(crowd(SUBSCRIBERS))
    with life(tmp_path, clients, SEED) as operator:
        for _ in range(EDITS):
            operator.edit()
    assert operator.named > EDITS // 20, "enough of them did end somebody"
    assert sum(client.pings.answered for client in clients) > SUBSCRIBERS * 10


def test_of_two_lines_with_one_fixed_address_one_comes_back(tmp_path: Path) -> None:
    clients = list(crowd(10))
    lines = clients[-2:]
    name = lines[0].name
    with life(tmp_path, clients, 1) as operator:
        operator.change(lambda site: site["users"][name].update(sessions=2))
        operator.bring_back([name])
        assert [client.up for client in lines] == [True, True]
        operator.change(lambda site: site["users"][name].update(ip="10.65.0.1"))
        assert [client.up for client in lines] == [True, True], "the address is for the next login"
        operator.change(lambda site: site.update(on_password_change="terminate"))
        operator.change(lambda site: site["users"][name].update(password="other"), [name])
        assert [client.address for client in lines if client.up] == ["10.65.0.1"]
        operator.change(lambda site: site["users"][name].pop("ip"))
        operator.bring_back([name])
        assert [client.up for client in lines] == [True, True]


def test_of_two_lines_the_one_that_stays_is_not_replaced_by_the_one_that_ends(tmp_path: Path) -> None:
    clients = list(crowd(10))
    name = clients[-1].name
    with life(tmp_path, clients, 1) as operator:
        operator.change(lambda site: site.update(second_login="replace"))
        operator.change(lambda site: site["users"][name].update(sessions=2))
        operator.bring_back([name])
        before = {client.subscriber.session_id for client in clients if client.name == name}
        operator.change(lambda site: site["users"][name].update(sessions=1), [name])
        (stays,) = (client for client in clients if client.name == name and client.up)
        assert stays.subscriber.session_id in before

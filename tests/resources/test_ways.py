"""A live session's way through the kernel is never taken away, whatever fails and whoever dials meanwhile."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Any

from reconciler.resources.engine import EngineClient
from reconciler.resources.routes import networks
from tests.fakes.engine import FakeEngine
from tests.fakes.kernel import FakeKernel, FakeMemory
from tests.fakes.sites import wanted
from tests.resources.box import Box


def made(client: EngineClient, kernel: FakeKernel) -> Box:
    box = Box(client, kernel, FakeMemory())
    box.converge(wanted())
    return box


def failures(box: Box, **site: Any) -> list[tuple[str, str]]:
    """Converge once; what failed, and why."""
    outcomes = box.converge(wanted(**site))
    return [(failure.path, failure.reason) for outcome in outcomes for failure in outcome.failures]


def test_a_route_stays_while_the_one_in_its_place_cannot_be_made(
    client: EngineClient, kernel: FakeKernel, engine: FakeEngine
) -> None:
    box = made(client, kernel)
    engine.dial("theo")
    kernel.faults["add_route"] = 9
    failed = failures(box, pool_start="10.0.2.0", pool_size="4")
    assert ("kernel.route.10.0.0.8/29", "RouteNeeded") in failed
    assert "10.0.0.8/29" in kernel.routes
    kernel.faults.clear()
    assert failures(box, pool_start="10.0.2.0", pool_size="4") == []
    assert kernel.routes == {"10.0.0.8/32", "10.0.1.9/32", "10.0.2.0/30"}


def test_a_route_stays_for_who_dialled_in_since_we_looked(
    client: EngineClient, kernel: FakeKernel, engine: FakeEngine
) -> None:
    box = made(client, kernel)
    configure = engine.do_configure

    def dial_first(settings: object) -> object:
        if not engine.sessions:
            engine.dial("theo")
        return configure(settings)  # type: ignore[arg-type]

    engine.do_configure = dial_first  # type: ignore[method-assign]
    changed = {"pool_start": "10.0.2.0", "pool_size": "4", "local_ip": "10.0.0.2"}
    assert failures(box, **changed) == [
        ("kernel.route.10.0.0.8/29", "RouteNeeded"),
        ("kernel.address.10.0.0.1", "AddressNeeded"),
    ]
    assert failures(box, **changed) == []
    assert kernel.routes == {"10.0.0.8/32", "10.0.1.9/32", "10.0.2.0/30"}
    assert kernel.addresses == {"10.0.0.1", "10.0.0.2"}


def test_a_street_that_stays_in_the_old_pool_takes_few_routes() -> None:
    """Each is the kernel's and ours to look at in every pass."""
    site = wanted(pool_start="10.0.8.0", pool_size="4").site
    street = [IPv4Address("10.0.4.0") + number for number in range(1000)]
    assert len(list(networks(site, street))) < 12
    after = list(networks(site, street[1:]))
    assert len(after) < 24, "one who leaves does not make it many"
    assert all(any(address in network for network in after) for address in street[1:])
    assert not any(street[0] in network for network in after)

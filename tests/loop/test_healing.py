"""Drift of every class: put back, only reported or not looked at, as the site says; fights are named."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import pytest

from reconciler.linux.sysctl import IP_FORWARD, interface_key
from reconciler.loop.answering.orders import Orders
from reconciler.loop.reconcile import Clocks
from reconciler.loop.report import Again, Settled
from tests.fakes.kernel import FakeKernel
from tests.loop.world import SITE, World, paths

FULL = SITE + "forwarding: {ip_forward: true, proxy_arp: true, rp_filter: loose}\nnat: {masquerade: eth0}\n"
NAT, MSS = "reconciler-tun0-nat", "reconciler-tun0-mss"


class Harm(NamedTuple):
    """What somebody does to the kernel, which class of drift that is, and the path that shows it."""

    kind: str
    path: str
    do: Callable[[FakeKernel], object]


def _down(kernel: FakeKernel) -> None:
    kernel.interfaces["tun0"] = kernel.interfaces["tun0"]._replace(up=False, enabled=False)


def _narrow(kernel: FakeKernel) -> None:
    kernel.interfaces["tun0"] = kernel.interfaces["tun0"]._replace(mtu=1000)


def _foreign_rule(kernel: FakeKernel) -> None:
    kernel.tables[NAT].append({"rule": {"chain": "postrouting", "expr": [{"accept": None}]}})


HARMS = (
    Harm("forwarding", "forwarding.ip_forward", lambda k: k.values.update({IP_FORWARD: 0})),
    Harm(
        "forwarding",
        "forwarding.proxy_arp.eth1",
        lambda k: k.values.update({interface_key("eth1", "proxy_arp"): 0}),
    ),
    Harm(
        "forwarding",
        "forwarding.rp_filter.tun0",
        lambda k: k.values.update({interface_key("tun0", "rp_filter"): 1}),
    ),
    Harm("links", "kernel.up.tun0", _down),
    Harm("links", "kernel.mtu.tun0", _narrow),
    Harm("addresses", "kernel.address.10.0.0.1", lambda k: k.addresses.clear()),
    Harm("routes", "kernel.route.10.0.1.9/32", lambda k: k.routes.discard("10.0.1.9/32")),
    Harm("routes", "kernel.route.192.0.2.0/24", lambda k: k.routes.add("192.0.2.0/24")),
    Harm("nft", "nat.masquerade.eth0", lambda k: k.tables.pop(NAT)),
    Harm("nft", "clamp_mss", lambda k: k.tables[MSS].pop()),
    Harm("nft", f"kernel.nft.nat.{NAT}", _foreign_rule),
)
each = pytest.mark.parametrize("harm", HARMS, ids=lambda harm: harm.path)


def state(kernel: FakeKernel) -> object:
    """All of the kernel that can be harmed."""
    return (
        dict(kernel.values),
        dict(kernel.interfaces),
        set(kernel.addresses),
        set(kernel.routes),
        {name: list(objects) for name, objects in kernel.tables.items()},
    )


@each
def test_drift_is_put_back_and_told_from_what_to_what(harm: Harm, world: World) -> None:
    world.edit(FULL).settle()
    before = state(world.kernel)
    world.clock.now += 7
    harm.do(world.kernel)
    report = world.step()
    assert f"heal {harm.path}" in paths(report)
    assert report.end == Settled()
    entry = next(one for one in world.reconciler.ledger.entries if one.path == harm.path)
    assert entry.found != entry.wanted
    assert entry.healed is not None
    harmed = {"kernel.mtu.tun0"}  # put back to what is needed, which is less than it was
    assert harm.path in harmed or state(world.kernel) == before


@each
def test_with_report_drift_shows_and_is_left(harm: Harm, world: World) -> None:
    world.edit(f"{FULL}self_heal: {{{harm.kind}: report}}\n").settle()
    harm.do(world.kernel)
    harmed = state(world.kernel)
    for _ in range(2):
        report = world.step()
        assert report.end == Settled()
        assert paths(report) == [f"heal {harm.path}"]
        assert report.plan is not None
        assert f"left so: self_heal.{harm.kind} is report" in report.plan.changes[0].reason
    assert state(world.kernel) == harmed
    assert world.conditions()["Drifted"] == (True, "Reported")
    assert world.conditions()["Ready"] == (True, "Converged")
    assert [entry.path for entry in world.reconciler.ledger.lasting] == [harm.path]
    assert world.edit(f"{FULL}mtu: 1400\nself_heal: {{{harm.kind}: report}}\n").settle()[-1].applied == 2
    world.edit(FULL).settle()
    assert not world.reconciler.ledger.lasting, "healed once it may be"


@each
def test_with_off_drift_is_not_looked_at(harm: Harm, world: World) -> None:
    world.edit(f"{FULL}self_heal: off\n").settle()
    harm.do(world.kernel)
    harmed = state(world.kernel)
    report = world.step()
    assert (paths(report), report.end) == ([], Settled())
    assert state(world.kernel) == harmed
    assert not world.reconciler.ledger.entries


@each
def test_other_classes_are_put_back_all_the_same(harm: Harm, world: World) -> None:
    others = {"forwarding", "links", "addresses", "routes", "nft"} - {harm.kind}
    world.edit(f"{FULL}self_heal: {{{', '.join(f'{kind}: off' for kind in sorted(others))}}}\n").settle()
    harm.do(world.kernel)
    assert world.step().end == Settled()
    assert not world.reconciler.ledger.lasting


@each
def test_what_somebody_keeps_changing_becomes_a_named_fight_with_growing_pauses(
    harm: Harm, world: World
) -> None:
    world.edit(FULL).settle()
    pauses: list[float] = []
    for _ in range(5):
        harm.do(world.kernel)
        report = world.step()
        if isinstance(report.end, Again):
            pauses.append(report.end.after)
            assert report.end.message.startswith(f"{harm.path} was put back ")
            assert world.conditions()["Drifted"] == (True, "Contested")
            world.clock.now += report.end.after
            assert world.step().end == Settled()
    assert pauses == [1.0, 2.0, 4.0, 8.0]
    assert world.reconciler.ledger.entries[0].times == 5


MANY = FULL.replace("users:\n", "users:\n" + "".join(f"  u{number}: x\n" for number in range(20)))


def _invalid(world: World) -> None:
    world.edit("nonsense")
    world.step()
    world.step()
    assert world.conditions()["SourceInvalid"] == (True, "Findings")


def _held(world: World) -> None:
    assert world.edit(FULL).step().held is not None


def _paused(world: World) -> None:
    Orders(world.reconciler, world.events, Clocks(world.clock, world.clock), lambda _: None).pause(
        None, "", "ann"
    )
    world.edit(MANY.replace("theo: one", "theo: three")).step()


@each
@pytest.mark.parametrize("hinder", [_invalid, _held, _paused])
def test_healing_goes_on_while_the_file_is_not_followed(
    hinder: Callable[[World], None], harm: Harm, world: World
) -> None:
    world.edit(MANY).settle()
    hinder(world)
    before = state(world.kernel)
    harm.do(world.kernel)
    report = world.step()
    assert f"heal {harm.path}" in paths(report)
    assert not world.reconciler.ledger.lasting
    assert harm.path == "kernel.mtu.tun0" or state(world.kernel) == before
    assert len(world.engine.users) == 22


def test_drift_that_is_no_longer_looked_at_is_not_said_to_be_put_back(world: World) -> None:
    world.edit(f"{FULL}self_heal: report\n").settle()
    world.kernel.values[IP_FORWARD] = 0
    world.step()
    world.edit(f"{FULL}self_heal: off\n").settle()
    kinds = [numbered.event["type"] for numbered in world.events.after(0)]
    assert "drift_found" in kinds
    assert "drift_healed" not in kinds

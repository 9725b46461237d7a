"""Tables of nftables: read back in the words in which they were written, by whatever version of nft; nothing
but our own is touched.
"""

from __future__ import annotations

import json
from typing import Any

import pytest

from reconciler.plan.change import Change
from reconciler.plan.state import State
from reconciler.resources.base import Live, Outcome, Situation
from reconciler.resources.clamp import Clamp
from reconciler.resources.nat import Nat, translated
from reconciler.resources.nft import Rules
from reconciler.site.impact import Impact
from tests.fakes.kernel import FakeKernel, FakeMemory
from tests.fakes.sites import wanted

NAT, MSS = "reconciler-tun0-nat", "reconciler-tun0-mss"
PRIVATE = ["10.0.0.0/8", "100.64.0.0/10", "172.16.0.0/12", "192.168.0.0/16"]
ENGINE: Any = {"sessions": [], "generation": 1}


def at(device: str | None = "tun0", **keys: Any) -> Situation:
    return Situation(wanted(**{"nat": {"masquerade": "eth0"}, **keys}), Live(ENGINE, device), 1)


def converge(resource: Rules, where: Situation) -> Outcome:
    """Make it so, and see that nothing is left."""
    outcome = resource.apply(changes(resource, where), where)
    if not outcome.failures:
        assert changes(resource, where) == []
    return outcome


def changes(resource: Rules, where: Situation) -> list[Change]:
    desired, actual = resource.desired(where), resource.observe(where)
    return [
        Change("update", path, actual.get(path), desired.get(path), Impact.NONE)
        for path in sorted({*desired, *actual})
        if actual.get(path) != desired.get(path)
    ]


@pytest.fixture
def nat(kernel: FakeKernel, memory: FakeMemory) -> Nat:
    return Nat(kernel, memory)


@pytest.fixture
def clamp(kernel: FakeKernel, memory: FakeMemory) -> Clamp:
    return Clamp(kernel, memory)


@pytest.mark.parametrize(
    ("keys", "more"),
    [
        ({}, []),
        ({"pool_start": "198.51.100.8"}, ["198.51.100.8/29"]),
        ({"pool_start": "198.51.100.7", "pool_size": "2"}, ["198.51.100.7/32", "198.51.100.8/32"]),
        ({"pool_start": "11.0.0.0", "pool_size": "256"}, ["11.0.0.0/24"]),
    ],
)
def test_the_pool_and_private_addresses_are_translated(keys: dict[str, str], more: list[str]) -> None:
    users = {"theo": {"password": "x", "ip": "203.0.113.5"}}
    found = [str(network) for network in translated(wanted(users, **keys).site)]
    assert sorted(found) == sorted(PRIVATE + more)


def test_nat_by_several_interfaces_is_made_read_back_and_taken_away(nat: Nat, kernel: FakeKernel) -> None:
    several = at(nat={"masquerade": ["eth0", "wan.7"]}, pool_start="198.51.100.7", pool_size="1")
    assert converge(nat, several) == Outcome()
    state = nat.observe(several)
    assert set(state) == {"nat.masquerade.eth0", "nat.masquerade.wan.7"}
    assert "198.51.100.7/32" in str(state["nat.masquerade.eth0"])
    converge(nat, at())
    assert set(nat.observe(at())) == {"nat.masquerade.eth0"}
    converge(nat, at(nat={}))
    assert kernel.tables == {}


def test_a_rule_that_is_gone_is_told_by_its_network(nat: Nat, kernel: FakeKernel) -> None:
    converge(nat, at())
    kernel.tables[NAT].pop()
    (change,) = changes(nat, at())
    assert (change.path, change.before, change.after) == ("nat.masquerade.eth0", PRIVATE[:-1], PRIVATE)
    converge(nat, at())


@pytest.mark.parametrize(
    "foreign",
    [
        {"rule": {"chain": "postrouting", "expr": [{"accept": None}]}},
        {"rule": {"chain": "postrouting", "expr": []}},
        {"chain": {"name": "mine"}},
        {"set": {"name": "mine", "type": "ipv4_addr"}},
    ],
)
def test_what_we_cannot_have_written_in_our_table_is_told_and_goes(
    foreign: dict[str, Any], nat: Nat, kernel: FakeKernel
) -> None:
    converge(nat, at())
    before = list(kernel.tables[NAT])
    kernel.tables[NAT].append(foreign)
    assert [change.path for change in changes(nat, at())] == [f"kernel.nft.nat.{NAT}"]
    converge(nat, at())
    assert kernel.tables[NAT] == before


def test_a_table_that_was_put_to_sleep_is_none_of_ours(nat: Nat, kernel: FakeKernel) -> None:
    converge(nat, at())
    kernel.tables[NAT].insert(0, {"table": {"name": NAT, "flags": ["dormant"]}})
    assert nat.observe(at()) == {f"kernel.nft.nat.{NAT}": {}}
    converge(nat, at())


def test_a_chain_of_which_a_later_nft_says_more_is_ours(nat: Nat, kernel: FakeKernel) -> None:
    converge(nat, at())
    kernel.tables[NAT][0] = {"chain": {**kernel.tables[NAT][0]["chain"], "comment": ""}}
    assert changes(nat, at()) == []


def test_a_chain_that_was_moved_to_another_hook_is_none_of_ours(nat: Nat, kernel: FakeKernel) -> None:
    converge(nat, at())
    kernel.tables[NAT][0] = {"chain": {"name": "postrouting"}}
    assert nat.observe(at()) == {f"kernel.nft.nat.{NAT}": {}}
    converge(nat, at())


def test_only_what_is_to_be_changed_is(nat: Nat, kernel: FakeKernel) -> None:
    """As when drift of one interface is being put back, and that of another is only reported."""
    both = at(nat={"masquerade": ["eth0", "eth1"]})
    converge(nat, both)
    del kernel.tables[NAT][1]
    del kernel.tables[NAT][-1]
    first, second = changes(nat, both)
    nat.apply([first], both)
    assert changes(nat, both) == [second]


def test_a_clamp_follows_the_mtu(clamp: Clamp) -> None:
    converge(clamp, at())
    assert clamp.observe(at()) == {"clamp_mss": 1452}
    assert clamp.desired(at(mtu="1400")) == {"clamp_mss": 1360}
    converge(clamp, at(mtu="1400"))
    converge(clamp, at(clamp_mss="false"))


@pytest.mark.parametrize(
    "flags",
    [
        {"op": "in", "right": "syn"},
        {"op": "!=", "right": 0, "left": {"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, "syn"]}},
    ],
)
def test_a_clamp_is_read_as_any_version_of_nft_writes_it(
    flags: dict[str, Any], clamp: Clamp, kernel: FakeKernel
) -> None:
    converge(clamp, at())
    for one in kernel.tables[MSS][1:]:
        one["rule"]["expr"][1]["match"].update(flags)
    assert changes(clamp, at()) == []


@pytest.mark.parametrize("harm", ["a rule gone", "another size", "another device", "another order"])
def test_a_clamp_that_was_altered_is_told(harm: str, clamp: Clamp, kernel: FakeKernel) -> None:
    converge(clamp, at())
    rules = kernel.tables[MSS]
    match harm:
        case "a rule gone":
            rules.pop()
        case "another size":
            kernel.tables[MSS] = json.loads(json.dumps(rules).replace("1452", "1000", 1))
        case "another device":
            kernel.tables[MSS] = json.loads(json.dumps(rules).replace("tun0", "tun1", 1))
        case _:
            rules[1], rules[2] = rules[2], rules[1]
    assert clamp.observe(at())["clamp_mss"] != 1452
    converge(clamp, at())


def test_a_clamp_that_nobody_asked_for_is_not_missed_where_it_cannot_be(
    clamp: Clamp, kernel: FakeKernel
) -> None:
    kernel.tables_trouble = "there is no nft program"
    assert clamp.desired(at()) == {}
    assert clamp.desired(at(clamp_mss="true")) == {"clamp_mss": 1452}
    (failure,) = converge(clamp, at(clamp_mss="true")).failures
    assert (failure.path, failure.reason) == ("clamp_mss", "NftablesMissing")


def test_a_wish_is_the_same_on_a_machine_that_cannot(clamp: Clamp, kernel: FakeKernel) -> None:
    kernel.tables_trouble = "there is no nft program"
    nobody = Situation(wanted(), Live(), 0)
    assert clamp.desired(nobody) == {"clamp_mss": 1452}


def test_a_table_of_an_earlier_device_is_taken_away_and_no_other(nat: Nat, kernel: FakeKernel) -> None:
    kernel.tables["reconciler-tun9-nat"] = []
    converge(nat, at())
    for device in ("tun1", None):
        state: State = nat.observe(at(device))
        assert f"kernel.nft.nat.{NAT}" in state
    converge(nat, at("tun1"))
    assert set(kernel.tables) == {"reconciler-tun9-nat", "reconciler-tun1-nat"}
    converge(nat, at(None))
    assert set(kernel.tables) == {"reconciler-tun9-nat"}, "that one is not ours"


def test_release_takes_what_we_made_and_remembers_nothing(
    nat: Nat, clamp: Clamp, kernel: FakeKernel, memory: FakeMemory
) -> None:
    kernel.tables["friend"] = []
    converge(nat, at())
    converge(clamp, at())
    kernel.faults["remove_table"] = 1
    assert [failure.path for failure in nat.release()] == [f"kernel.nft.nat.{NAT}"]
    assert nat.release() + clamp.release() == ()
    assert kernel.tables == {"friend": []}
    assert {json.loads(value) == [] for value in memory.facts.values()} == {True}


def test_a_table_is_remembered_before_it_is_made(nat: Nat, kernel: FakeKernel, memory: FakeMemory) -> None:
    kernel.faults["put_table"] = 1
    assert converge(nat, at()).failures
    assert memory.facts == {"nft.nat": json.dumps([NAT])}

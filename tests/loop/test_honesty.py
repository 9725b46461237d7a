"""A plan says what a change does to whom, and that is what it does: to all it names, and to nobody else.

From any state of a living concentrator to any site: the plan is shown first, then carried out, whole or in
spite of faults at every step, and then the sessions, the leases, the subscribers themselves and the kernel
are compared with what it said.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from reconciler.linux.sysctl import IP_FORWARD
from reconciler.plan.change import Plan
from reconciler.site import manual
from reconciler.site.impact import Impact
from tests.loop import declarations
from tests.loop.declarations import (
    SAME_TO_THE_PLANNER,
    SECRETS,
    VALUES,
    Declared,
    explicit,
    put,
    shuffled,
    text,
)
from tests.loop.live import Crash, LiveWorld

ENGINE_STEPS = ("configure", "users", "listen", "unlisten", "terminate")
KERNEL_STEPS = ("write", "add_route", "remove_route", "add_address", "remove_address")
faults = st.dictionaries(st.sampled_from(ENGINE_STEPS + KERNEL_STEPS), st.integers(1, 3), max_size=3)

MOST_PASSES = 10

Key = tuple[str, str, int]


def test_every_key_of_the_format_is_among_those_that_are_changed() -> None:
    tables = {path.rpartition(".")[0] for path in manual.paths()}
    assert set(VALUES) | set(SAME_TO_THE_PLANNER) == set(manual.paths()) - tables


class Honesty(RuleBasedStateMachine):
    """Every rule begins and ends with nothing left to do."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory(prefix="rc-")
        self.patch = pytest.MonkeyPatch()
        for name, value in declarations.ENVIRONMENT.items():
            self.patch.setenv(name, value)
        self.world = LiveWorld(Path(self.directory.name))
        self.site: Declared = {}

    def teardown(self) -> None:
        self.world.close()
        self.patch.undo()
        self.directory.cleanup()

    @initialize(site=declarations.declarations(), chance=st.randoms(use_true_random=False))
    def begin(self, site: Declared, chance: Random) -> None:
        self._save(site)
        self._settle()
        self.everybody_dials(chance)

    # What subscribers do

    @rule(chance=st.randoms(use_true_random=False))
    def everybody_dials(self, chance: Random) -> None:
        """Whoever is not up tries, each as a user of the site's, on an interface that is served."""
        for subscriber in self.world.subscribers.values():
            served = sorted(self.world.hosted.host.ports)
            if subscriber.state != "up" and served:
                name = chance.choice(sorted(self.site["users"]))
                subscriber.ppp.user = name.encode()
                subscriber.ppp.password = _password(self.site["users"][name])
                self.world.hosted.dial(subscriber, chance.choice(served))
        self._settle()

    @rule(data=st.data(), polite=st.booleans())
    def hang_up(self, data: st.DataObject, polite: bool) -> None:
        lines = self.world.hosted.lines.items()
        there = [(name, one) for name, line in lines for one in line if one.state == "up"]
        if there:
            name, subscriber = data.draw(st.sampled_from(there))
            self.world.hosted.hang_up(subscriber, name, polite=polite)
            self._settle()

    # What the operator does

    @rule(site=declarations.declarations())
    def edit(self, site: Declared) -> None:
        self._change(site, {})

    @rule(site=declarations.declarations(), faults=faults)
    def edit_while_things_fail(self, site: Declared, faults: dict[str, int]) -> None:
        self._change(site, faults)

    @rule(key=st.sampled_from(sorted(VALUES)), data=st.data())
    def edit_one_key(self, key: str, data: st.DataObject) -> None:
        """The usual edit."""
        site = _copied(self.site)
        value = data.draw(st.sampled_from(VALUES[key]))
        table = site
        if key.startswith("users.*."):
            table, key = site["users"][data.draw(st.sampled_from(sorted(site["users"])))], key[8:]
            if key in SECRETS:
                for other in SECRETS:
                    table.pop(other, None)
        put(table, key, value)
        fixed = [site["local_ip"], *(user.get("ip") for user in site["users"].values() if user.get("ip"))]
        if len(set(fixed)) == len(fixed):
            self._change(site, {})

    @rule(site=declarations.declarations(), at=st.integers(1, 40))
    def reconciler_dies_at_a_boundary(self, site: Declared, at: int) -> None:
        """The reconciler's process ends at any boundary of an apply; the next one goes on."""
        self._save(site)
        plan = self._preview()
        before = self.world.sessions()
        self.world.at_boundary(at, self.world.reconciler_dies)
        try:
            self.world.settle()
        except Crash:
            lost = set(before) - set(self.world.sessions())
            assert lost <= _keys(plan.dropped), (lost, plan)
        self.world.undisturbed()
        self.world.halt()
        self.world.boot()
        self._preview()  # a release is given to a process
        self._settle()
        self._compare(before, plan)

    @rule(site=declarations.declarations(), at=st.integers(1, 40))
    def engine_dies_at_a_boundary(self, site: Declared, at: int) -> None:
        """The engine's process ends at any boundary of an apply; the next one is there at once."""
        self._save(site)
        plan = self._preview()
        before = self.world.sessions()
        self.world.at_boundary(at, self.world.engine_dies)
        self.world.settle()
        self.world.undisturbed()
        self._settle()
        self._compare(before, plan)

    @rule(chance=st.randoms(use_true_random=False))
    def write_the_same_in_other_words(self, chance: Random) -> None:
        """Defaults written out, keys and users in another order: nothing changes, and nothing is done."""
        generation = self.world.reconciler.history.desired
        self.world.edit(text(shuffled(explicit(self.site), chance)))
        plan, _ = self.world.preview()
        assert plan.changes == ()
        report = self.world.step()
        assert report.plan is not None
        assert report.plan.changes == ()
        assert self.world.reconciler.history.desired == generation
        self._save(self.site)
        self._settle()

    # What happens meanwhile

    @rule()
    def restart_the_engine(self) -> None:
        before = self.world.sessions()
        self.world.hosted.restart()
        assert set(self.world.sessions()) == set(before)
        self._settle()
        assert set(self.world.sessions()) == set(before)

    @rule()
    def switch_forwarding_by_hand(self) -> None:
        self.world.kernel.values[IP_FORWARD] ^= 1
        before = self.world.sessions()
        self._settle()
        assert set(self.world.sessions()) == set(before)

    # What must hold

    @invariant()
    def nobody_was_dropped_unnamed(self) -> None:
        assert self.world.board.unpredicted_drops == 0

    @invariant()
    def nobodys_packets_lost_their_way(self) -> None:
        assert not self.world.kernel.harm, self.world.kernel.harm
        assert self.world.stranded() == set()

    @invariant()
    def every_lease_has_its_session(self) -> None:
        live = {view["address"]: view["user"] for view in self.world.sessions().values() if view["address"]}
        assert self.world.hosted.leases() == live

    @invariant()
    def both_ends_think_the_same(self) -> None:
        served = {(mac, number) for _, mac, number in self.world.sessions()}
        assert self.world.up() == served

    # How it is found out

    def _save(self, site: Declared) -> None:
        self.site = site
        self.world.edit(text(site))

    def _preview(self) -> Plan:
        """The plan, released if the guard would hold it."""
        plan, verdict = self.world.preview()
        if verdict.held:
            before = self.world.sessions()
            self._see_it_held()
            assert _identities(self.world.sessions()) == _identities(before), "what is held touches nobody"
            assert self.world.reconciler.release(plan.id)
        return plan

    def _see_it_held(self) -> None:
        """Passes until one has nothing to put back that was harmed meanwhile."""
        report = self.world.step()
        for _ in range(MOST_PASSES):
            if report.held is not None:
                return
            report = self.world.step()
        pytest.fail("the plan said that it would be held, and it was not")

    def _change(self, site: Declared, faults: dict[str, int]) -> None:
        self._save(site)
        plan = self._preview()
        before = self.world.sessions()
        self.world.kernel.faults.update(faults)
        self.world.hosted.faults.update(faults)
        for _ in range(3):
            report = self.world.step()
            assert report.breaches == ()
            assert set(before) - set(self.world.sessions()) <= _keys(plan.dropped)
        self.world.kernel.faults.clear()
        self.world.hosted.faults.clear()
        self.world.wait(60.0)
        self._settle()
        self._compare(before, plan)

    def _settle(self) -> None:
        reports = self.world.settle()
        breaches = [breach for report in reports for breach in report.breaches]
        assert not breaches, breaches
        again = self.world.step()
        assert again.plan is not None
        assert again.plan.changes == ()

    def _compare(self, before: dict[Key, Any], plan: Plan) -> None:
        """What the plan said with what has become of everybody."""
        after = self.world.sessions()
        gone = set(before) - set(after)
        assert gone == _keys(plan.dropped)
        for change in plan.changes:
            if change.impact is not Impact.DROP:
                assert not gone & _keys(change.later)
        kept = {key: view for key, view in before.items() if key in after}
        assert _identities(after) == _identities(kept)
        stale = {key for key, view in after.items() if view["stale"]}
        assert stale <= {key for key in before if before[key]["stale"]} | _keys(plan.later)


def _identities(sessions: Mapping[Key, Any]) -> dict[Key, tuple[Any, ...]]:
    fields = ("user", "address", "peer", "since", "generation")
    return {key: tuple(view[field] for field in fields) for key, view in sessions.items()}


def _keys(sessions: Iterable[Any]) -> set[Key]:
    return {session.key for session in sessions}


def _copied(site: Declared) -> Declared:
    return {key: _copied(value) if isinstance(value, dict) else value for key, value in site.items()}


def _password(user: Declared) -> bytes:
    if "password_env" in user:
        return declarations.ENVIRONMENT[user["password_env"]].encode()
    return str(user.get("password", "p")).encode()


TestHonesty = pytest.mark.timeout(600)(Honesty.TestCase)
"""A failure takes its time to be made small."""
TestHonesty.settings = settings(
    max_examples=30,
    stateful_step_count=25,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

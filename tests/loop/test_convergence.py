"""From any state to any site, whatever fails on the way, the loop converges; then there is nothing left to
do.

Random edits, orders, logins, hang-ups, meddling by hand, faults at every step, deaths of the engine and of
the reconciler; in between, a session ends only if it was named by a plan, left by itself, or died with the
engine.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from reconciler.linux.sysctl import IP_FORWARD, interface_key
from reconciler.loop.answering.orders import OrderError
from tests.fakes.engine import FakeEngine, RefusalError
from tests.loop.world import World, paths

NAMES = ("ann", "bob", "cyd", "dan", "eve", "fay")
INTERFACES = ("eth1", "eth2")
OWN = ("10.0.0.1", "10.0.0.2")
POOLS = (("10.0.0.8", 8), ("10.0.0.16", 3), ("10.0.0.10", 20))

user = st.fixed_dictionaries(
    {"password": st.sampled_from(["p", "q"])},
    optional={
        "ip": st.sampled_from(["10.0.1.1", "10.0.1.2", "10.0.1.3"]),
        "enabled": st.sampled_from(["true", "false"]),
        "sessions": st.sampled_from(["1", "2"]),
    },
)
truth = st.sampled_from(["true", "false"])


@st.composite
def sites(draw: st.DrawFn) -> str:
    """The text of a valid site."""
    users: dict[str, Any] = draw(st.dictionaries(st.sampled_from(NAMES), user, min_size=1))
    taken: set[str] = set()
    for declared in users.values():
        if declared.get("ip") in taken:
            del declared["ip"]
        taken.add(declared.get("ip", ""))
    start, size = draw(st.sampled_from(POOLS))
    lines = [
        "version: 1",
        f"interface: [{', '.join(draw(st.lists(st.sampled_from(INTERFACES), min_size=1, unique=True)))}]",
        f"local_ip: {draw(st.sampled_from(OWN))}",
        f"pool_start: {start}",
        f"pool_size: {size}",
        f"dns_servers: {draw(st.sampled_from(['[]', '[8.8.8.8]', '[8.8.8.8, 8.8.4.4]']))}",
        f"on_remove: {draw(st.sampled_from(['terminate', 'drain']))}",
        f"on_password_change: {draw(st.sampled_from(['keep', 'terminate']))}",
    ]
    forwarding = draw(st.fixed_dictionaries({}, optional={"ip_forward": truth, "proxy_arp": truth}))
    if forwarding:
        lines += ["forwarding:", *(f"  {key}: {value}" for key, value in forwarding.items())]
    lines += draw(st.sampled_from([[], ["nat: {masquerade: eth0}"], ["nat: {masquerade: [eth0, eth2]}"]]))
    lines += draw(st.sampled_from([[], ["clamp_mss: false"], ["clamp_mss: true"]]))
    lines.append("users:")
    for name, declared in users.items():
        lines += [f"  {name}:", *(f"    {key}: {value}" for key, value in declared.items())]
    return "\n".join(lines) + "\n"


class Convergence(RuleBasedStateMachine):
    """The world between two settled states."""

    def __init__(self) -> None:
        super().__init__()
        self.directory = tempfile.TemporaryDirectory(prefix="rc-")
        self.world = World(Path(self.directory.name), INTERFACES)
        self.before = {
            IP_FORWARD: 0,
            interface_key("eth1", "proxy_arp"): 0,
            interface_key("eth2", "proxy_arp"): 0,
        }
        self.world.edit("version: 1\n")

    def teardown(self) -> None:
        self.world.close()
        self.directory.cleanup()

    @rule(text=sites())
    def edit(self, text: str) -> None:
        self.world.edit(text)

    @rule(text=st.sampled_from(["", "users: {", "version: 1\n", "nonsense"]))
    def break_the_file(self, text: str) -> None:
        self.world.edit(text)
        for _ in range(3):
            live = list(self.world.engine.live())
            report = self.world.step()
            self.world.clock.now += 1
            assert report.breaches == ()
            if not report.plan:
                assert self.world.engine.live() == live, "a bad file must end nothing"

    @rule(
        step=st.sampled_from(["configure", "users", "listen", "unlisten", "terminate"]),
        times=st.integers(1, 3),
    )
    def let_the_engine_refuse(self, step: str, times: int) -> None:
        self.world.engine.faults[step] = [RefusalError("failed", "by chance") for _ in range(times)]

    @rule(
        step=st.sampled_from(
            [
                "write",
                "add_route",
                "remove_route",
                "add_address",
                "remove_address",
                "put_table",
                "remove_table",
                "set_up",
            ]
        ),
        times=st.integers(1, 3),
    )
    def let_the_kernel_refuse(self, step: str, times: int) -> None:
        self.world.kernel.faults[step] = times

    @rule()
    def step(self) -> None:
        report = self.world.step()
        assert report.breaches == ()

    @rule(data=st.data())
    def dial(self, data: st.DataObject) -> None:
        engine = self.world.engine
        able = [name for name, entry in engine.users.items() if entry["enabled"]]
        if able and engine.listeners and engine.settings["pools"]:
            name = data.draw(st.sampled_from(sorted(able)))
            entry = engine.users[name]
            live = [session for session in engine.live() if session["user"] == name]
            if len(live) < entry["sessions"] and len(engine.sessions) < engine.settings["pools"][0]["size"]:
                engine.dial(name, data.draw(st.sampled_from(sorted(engine.listeners))))

    @precondition(lambda self: self.world.engine.live())
    @rule(data=st.data())
    def hang_up(self, data: st.DataObject) -> None:
        self.world.engine.hang_up(data.draw(st.sampled_from(self.world.engine.live())), "padt_received")

    @rule(polite=st.booleans())
    def manners(self, polite: bool) -> None:
        self.world.engine.polite = polite

    @rule(
        what=st.sampled_from(
            ["route", "foreign route", "address", "user", "listener", "table", "rule", "device"]
        )
    )
    def meddle(self, what: str) -> None:
        engine, kernel = self.world.engine, self.world.kernel
        if what == "route" and kernel.routes:
            kernel.routes.pop()
        elif what == "foreign route":
            kernel.routes.add("192.0.2.0/24")
        elif what == "address" and kernel.addresses:
            kernel.addresses.pop()
        elif what == "user" and engine.users:
            engine.users.popitem()
        elif what == "table" and kernel.tables:
            kernel.tables.popitem()
        elif what == "rule" and kernel.tables:
            kernel.tables[min(kernel.tables)].pop()
        elif what == "device":
            kernel.interfaces["tun0"] = kernel.interfaces["tun0"]._replace(mtu=600, up=False, enabled=False)
        elif what == "listener" and engine.listeners:
            engine.do_unlisten(engine.listeners[-1])

    @rule(key=st.sampled_from([IP_FORWARD, interface_key("eth1", "proxy_arp")]), value=st.integers(0, 1))
    def meddle_with_what_is_managed(self, key: str, value: int) -> None:
        path = "forwarding.ip_forward" if key == IP_FORWARD else "forwarding.proxy_arp.eth1"
        values, store = self.world.kernel.values, self.world.store
        if path in store.applied():
            before, values[key] = values[key], value  # type: ignore[index]
            written = path in store.remembered()
            self.step()
            if not written and path not in store.remembered():
                # We never wrote it: what is there when it is no longer declared stays.
                values[key] = before  # type: ignore[index]

    @rule(seconds=st.one_of(st.none(), st.floats(1, 7200)))
    def pause(self, seconds: float | None) -> None:
        self.world.orders.pause(seconds, "", "somebody")

    @rule()
    def resume(self) -> None:
        self.world.orders.resume("somebody")

    @rule(number=st.integers(1, 12))
    def roll_back(self, number: int) -> None:
        with suppress(OrderError):
            self.world.orders.rollback(number, "somebody")

    @rule(within=st.one_of(st.none(), st.floats(1, 3600)))
    def apply_by_hand(self, within: float | None) -> None:
        with suppress(OrderError):
            self.world.orders.await_writer()
            self.world.orders.take("somebody", within)

    @rule(undo=st.booleans())
    def confirm(self, undo: bool) -> None:
        self.world.orders.confirm("somebody", undo=undo)

    @rule(text=sites(), killed=st.booleans())
    def nobody_confirms(self, text: str, killed: bool) -> None:
        """What was in force before a trial is in force after it, whoever was killed in between."""
        self.world.edit(text)
        earlier = self.world.reconciler.course.bearing.pending
        self.apply_by_hand(60.0)
        pending = self.world.reconciler.course.bearing.pending
        if pending is None or pending == earlier:
            return  # held, or in force already; an earlier trial goes on
        before = self.world.reconciler.history.wish_of(pending.undo_to)
        if killed:
            self.restart_the_reconciler()
        self.step()
        self.world.clock.now += 61
        if killed:
            self.restart_the_reconciler()
        self.step()
        reconciler = self.world.reconciler
        assert reconciler.course.bearing.pending is None
        assert reconciler.history.wish_of(reconciler.archive.through) == before

    @rule()
    def restart_the_reconciler(self) -> None:
        self.world.halt()
        self.world.boot()

    @rule()
    def lose_the_engine(self) -> None:
        world = self.world
        world.halt()
        world.engine.stop()
        pid = world.engine.pid
        world.engine = FakeEngine(world.directory, INTERFACES, device="tun0").start()
        world.engine.pid = pid + 1
        world.kernel.addresses.clear()
        world.kernel.routes.clear()
        world.boot()

    @rule(text=sites())
    def converge(self, text: str) -> None:
        """Once nothing fails any more, the loop settles, and a second apply has nothing to do."""
        world = self.world
        world.edit(text)
        world.engine.faults.clear()
        world.kernel.faults.clear()
        world.engine.polite = False
        world.engine.hang_up_ended()
        world.clock.now += 3600
        world.orders.confirm("somebody")
        world.orders.resume("somebody")
        world.reconciler.course.accept()
        self._release_what_is_held()
        reports = world.settle()
        assert all(report.breaches == () for report in reports)
        again = world.step()
        assert paths(again) == []
        assert again.desired == again.applied
        assert world.conditions()["Ready"] == (True, "Converged")
        self._kernel_is_as_declared_or_as_found(text)
        self._live_sessions_have_their_way()
        self._tables_are_as_declared(text)

    def _release_what_is_held(self) -> None:
        """A held change ends nobody; what drifted before is put back first, and then its id holds."""
        for _ in range(12):
            live = {session["id"] for session in self.world.engine.live()}
            report = self.world.step()
            assert report.breaches == ()
            if report.held is None:
                return
            if not report.plan:
                assert {session["id"] for session in self.world.engine.live()} == live
                assert self.world.reconciler.release(report.held.plan.id)
                return
            self.world.clock.now += 3600
        raise AssertionError(f"still putting right what was in force: {report.plan}")

    def _live_sessions_have_their_way(self) -> None:
        routes = [IPv4Network(route) for route in self.world.kernel.routes]
        for session in self.world.engine.live():
            assert any(IPv4Address(session["address"]) in route for route in routes), "a way back"
            assert session["peer"] in self.world.kernel.addresses, "its peer"

    def _tables_are_as_declared(self, text: str) -> None:
        tables = self.world.kernel.tables
        wanted = {"reconciler-tun0-nat"} if "nat:" in text else set()
        if "clamp_mss: false" not in text:
            wanted.add("reconciler-tun0-mss")
        assert set(tables) == wanted
        assert self.world.kernel.interfaces["tun0"].enabled

    def _kernel_is_as_declared_or_as_found(self, text: str) -> None:
        declared = {line.split(":")[0].strip(): line.split(":")[1].strip() for line in text.splitlines()}
        if "ip_forward" in declared:
            assert self.world.kernel.values[IP_FORWARD] == (declared["ip_forward"] == "true")
        else:
            assert self.world.kernel.values[IP_FORWARD] == self.before[IP_FORWARD], "as it was found"

    @invariant()
    def nobody_was_dropped_unnamed(self) -> None:
        assert self.world.board.unpredicted_drops == 0


TestConvergence = pytest.mark.timeout(600)(Convergence.TestCase)
"""A failure takes its time to be made small."""
TestConvergence.settings = settings(
    max_examples=25,
    stateful_step_count=25,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)

"""Subscribers, an operator and a thief on one street, in any order: what each believes is what holds."""

from __future__ import annotations

import struct

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from reconciler.engine.access.effects import Key
from tests.engine.access.bench import AC_MAC, config, user
from tests.fuzz.choices import Choices
from tests.fuzz.mutate import MACS
from tests.fuzz.world import FREE, TIMES, USERS, World
from tests.peer import AC_COOKIE, PADR, PADT, SERVICE_NAME, Subscriber, pack_tags
from tests.peer_negotiation import ECHO, LCP, TERM_REQUEST, control
from tests.personas import PERSONAS

places = st.integers(0, len(MACS) - 1)
names = st.sampled_from(USERS)
THIEF = b"\x02thief"
NOTHING = Choices(b"")


class Street(RuleBasedStateMachine):
    """Acts on a world; its oracle judges each frame, the invariants what everybody believes."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()

    def client(self, place: int) -> Subscriber:
        return self.world.clients[place]

    def steal(self, ethertype: int, code: int, session_id: int, payload: bytes, vlan: bytes = b"") -> None:
        """A frame of the thief's: it may get an answer, but must not touch anybody."""
        header = struct.pack("!HBBHH", ethertype, 0x11, code, session_id, len(payload))
        self.world.send((AC_MAC + THIEF + vlan + header + payload).ljust(60, b"\0"))

    # Subscribers

    @rule(place=places, name=st.sampled_from(sorted(PERSONAS)), who=names)
    def another_box_is_plugged_in(self, place: int, name: str, who: str) -> None:
        self.world.clients[place] = PERSONAS[name].subscriber(MACS[place], who.encode())

    @rule(place=places)
    def dials(self, place: int) -> None:
        self.world.waiting += self.client(place).dial(self.world.now)

    @rule(place=places, polite=st.booleans())
    def hangs_up(self, place: int, polite: bool) -> None:
        self.world.waiting += self.client(place).hangup(self.world.now, polite=polite)

    @rule(place=places)
    def loses_power(self, place: int) -> None:
        self.client(place).alive = not self.client(place).alive

    @rule()
    def everybody_talks(self) -> None:
        self.world.talk(NOTHING)

    @rule(seconds=st.integers(0, len(TIMES) - 1))
    def time_passes(self, seconds: int) -> None:
        self.world.wait(Choices(bytes([seconds])))

    # The line

    @rule(
        fault=st.sampled_from([World.lose, World.double, World.overtake, World.bend]),
        how=st.binary(max_size=8),
    )
    def the_line_fails(self, fault: object, how: bytes) -> None:
        fault(self.world, Choices(how))  # type: ignore[operator]

    # The thief

    @rule(place=places, vlan=st.sampled_from([b"", b"\x81\0\0\7"]))
    def a_padt_is_forged(self, place: int, vlan: bytes) -> None:
        self.steal(0x8863, PADT, self.client(place).session_id, b"", vlan)

    @rule(place=places, code=st.sampled_from([TERM_REQUEST, ECHO]))
    def a_session_is_spoken_in(self, place: int, code: int) -> None:
        self.steal(0x8864, 0, self.client(place).session_id, control(LCP, code, 1, b"HOST"))

    @rule(place=places)
    def a_cookie_is_stolen(self, place: int) -> None:
        cookie = self.client(place).offer.get(AC_COOKIE, b"none")
        before = len(self.world.ac)
        self.steal(0x8863, PADR, 0, pack_tags([(SERVICE_NAME, b""), (AC_COOKIE, cookie)]))
        assert len(self.world.ac) == before

    @rule(how=st.binary(max_size=3))
    def our_own_frames_come_back(self, how: bytes) -> None:
        self.world.reflect(Choices(how))

    # The operator

    @rule(name=names, enabled=st.booleans(), sessions=st.integers(1, 2), fixed=st.booleans())
    def a_user_is_changed(self, name: str, enabled: bool, sessions: int, fixed: bool) -> None:
        address = f"10.214.2.{120 + USERS.index(name)}" if fixed else None
        entry = user(name, address=address, enabled=enabled, sessions=sessions)
        self.world._command(lambda: self.world.ac.change_users([entry], (), 2, self.world.now))

    @rule(name=names, terminate=st.booleans())
    def a_user_is_removed(self, name: str, terminate: bool) -> None:
        gone = [(name.encode(), terminate)]
        self.world._command(lambda: self.world.ac.change_users((), gone, 2, self.world.now))

    @rule(policy=st.sampled_from(["replace", "refuse"]), size=st.sampled_from([1, 64]))
    def settings_change(self, policy: str, size: int) -> None:
        pools = [{"name": "default", "start": "10.214.2.101", "size": size}]
        self.world.ac.configure(config(limits=FREE, second_login=policy, pools=pools), 2)

    # What holds

    @invariant()
    def who_is_up_and_known_is_carried_with_the_address_it_has(self) -> None:
        for client in self.world.clients:
            path = self.world.oracle.paths.get(Key("eth0", (), client.mac, client.session_id))
            if client.state == "up" and path is not None and not self.world.waiting:
                assert path == client.address

    @invariant()
    def nobody_has_more_sessions_than_allowed(self) -> None:
        for name in USERS:
            found = self.world.ac.users.get(name.encode())
            live = self.world.ac._table.of_user(name.encode())
            assert found is None or len(live) <= max(found.sessions, 2)

    def teardown(self) -> None:
        self.world.oracle.assert_ends(self.world.now)


def test_X4_D33_D37_whatever_happens_on_the_street_everybody_has_what_is_theirs() -> None:
    run_state_machine_as_test(Street, settings=settings(max_examples=25, stateful_step_count=40))

"""What must hold for the concentrator whatever it is fed: checked at every input.

- Nothing is raised, and no session ends by a bug of ours.
- One frame in brings two frames out at most: the two are an answer and our own request (RFC 1661's scr with
  sca or scn), an answer and a goodbye, or a confirmation and the goodbye of a session that it replaces.
- Every frame out is whole: from us, to one station, 60 octets or more, zeros behind LENGTH.
- A session says nothing after its PADT; a PADT for it comes again only to who goes on much later.
- A frame touches the session that it names and no other, but for one that its login takes the place of.
- An address is carried for one session at a time, and only for one that has logged in.
- What is kept is bounded by the live sessions and the limits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from reconciler.engine.access.concentrator import HALF_OPEN_PER_CLIENT, Concentrator, Outcome
from reconciler.engine.access.effects import Ask, ClosePath, Effect, Event, Fault, Key, OpenPath, Send
from reconciler.engine.access.limits import REMEMBERED
from reconciler.engine.access.table import LAST_ID, SILENCE
from reconciler.engine.access.timers import ROOM
from tests.engine.access.bench import AC_MAC

FRAMES_OUT = 2
PADT = 0xA7
REPLACED = "replaced"


class Look(NamedTuple):
    """What can be seen of a session from outside."""

    phase: object
    path: bool
    address: int | None
    ending: str | None


class Oracle:
    """Feeds a concentrator and judges what comes out. Raises AssertionError."""

    def __init__(self, concentrator: Concentrator) -> None:
        self.ac = concentrator
        self.paths: dict[Key, bytes] = {}
        self.asked: list[Ask] = []
        self.sent: list[bytes] = []
        self._ended: dict[Key, float] = {}

    def receive(self, frame: bytes, now: float) -> list[bytes]:
        """A frame in; the frames out."""
        before = self._look()
        effects = self.ac.receive("eth0", frame, now)
        out = self._judge(effects, before, now)
        assert len(out) <= FRAMES_OUT, f"{len(out)} frames for one"
        replaced = {
            effect.key for effect in effects if isinstance(effect, Event) and effect.reason == REPLACED
        }
        after = self._look()
        for key, look in before.items():
            ending = after[key].ending if key in after else None
            if frame[6:12] != key.mac and key not in replaced and ending != REPLACED:
                assert after.get(key) == look, f"{frame.hex()} touched another's session {key}"
        return out

    def tick(self, now: float) -> list[bytes]:
        before = self._look()
        return self._judge(self.ac.tick(now), before, now)

    def answer(self, ask: Ask, good: bool | None, now: float) -> list[bytes]:
        """A question is answered, sooner or later, or by nobody."""
        before = self._look()
        out = self._judge(self.ac.answered(ask.key, ask.number, good, now), before, now)
        assert len(out) <= FRAMES_OUT, f"{len(out)} frames for one"
        return out

    def command(self, command: Callable[[], Outcome], now: float) -> list[bytes]:
        before = self._look()
        return self._judge(command().effects, before, now)

    def _look(self) -> dict[Key, Look]:
        return {s.key: Look(s.link.phase, s.path_open, s.address, s.ending) for s in self.ac}

    def _judge(self, effects: list[Effect], before: Mapping[Key, Look], now: float) -> list[bytes]:
        out = []
        for effect in effects:
            match effect:
                case Send(interface, frame):
                    assert interface == "eth0"
                    out.append(frame)
                case OpenPath(key, address, mtu):
                    assert key not in self.paths, "opened twice"
                    assert address not in self.paths.values(), "one address for two"
                    assert 68 <= mtu <= 1500
                    self.paths[key] = address
                case ClosePath(key):
                    del self.paths[key]
                case Ask():
                    self.asked = [*self.asked[-15:], effect]
                case Fault(_, error):
                    raise AssertionError("a bug in the engine") from error
        live = {session.key for session in self.ac}
        self._judge_frames(out, live | before.keys(), now)
        self._ended.update(dict.fromkeys(before.keys() - live, now))
        for key in live:
            self._ended.pop(key, None)
        self._judge_state()
        self.sent = (self.sent + out)[-64:]
        return out

    def _judge_frames(self, frames: list[bytes], sessions: AbstractSet[Key], now: float) -> None:
        gone: set[Key] = set()
        for frame in frames:
            ethertype, code, key = _read(frame)
            assert key not in gone, "a session speaks after its PADT"
            if key in sessions:
                gone |= {key} if code == PADT else set()
            elif key.id:
                assert (ethertype, code) == (b"\x88\x63", PADT), "a session that is not there speaks"
                assert now >= self._ended.get(key, 0.0) + SILENCE, "a second PADT"

    def _judge_state(self) -> None:
        sessions = list(self.ac)
        live = {session.key: session for session in sessions}
        assert len(live) == len(sessions)
        assert {key for key, session in live.items() if session.path_open} == self.paths.keys()
        for key, address in self.paths.items():
            session = live[key]
            assert session.logged_in, "packets without a login"
            assert session.link.network_opened
            assert session.address == int.from_bytes(address, "big")
        for session in sessions:
            assert not session.closed
            siblings = [s for s in sessions if s.key[:3] == session.key[:3] and s.half_open]
            assert len(siblings) <= HALF_OPEN_PER_CLIENT
        self._judge_memory(len(sessions))

    def _judge_memory(self, live: int) -> None:
        ac = self.ac
        assert len(ac._lifecycle._deadlines._heap) <= max(ROOM, 2 * live) + 1
        logins = ac._admission._logins
        for recent in (ac._solicitations._each, ac._solicitations._begun, logins._clients, logins._names):
            assert len(recent._values) <= REMEMBERED
        taken = ac._ids._taken
        assert len(taken) <= LAST_ID
        table = ac._table
        assert sum(isinstance(holder, str) for holder in taken.values()) == live
        assert sum(map(len, table._by_header.values())) == live
        assert sum(len(table._by_client.of(client)) for client in table._by_client._sessions) == live
        logged_in = sum(len(table._by_user.of(name)) for name in table._by_user._sessions)
        assert logged_in == sum(session.logged_in for session in ac) == len(ac._admission._leases._live)
        assert sum(session.half_open for session in ac) == table.half_open

    def assert_ends(self, now: float) -> None:
        """Once nobody says anything, every session comes to its end, and then no timer is left."""
        self.command(lambda: self.ac.stop(now), now)
        for _ in range(1000):
            due = self.ac.deadline()
            if due is None:
                break
            now = max(now, due)
            self.tick(now)
        assert (len(self.ac), self.ac.deadline(), self.paths) == (0, None, {})


def _read(frame: bytes) -> tuple[bytes, int, Key]:
    """EtherType, code and session of a frame that we sent, which must be whole."""
    assert frame[6:12] == AC_MAC
    assert not frame[0] & 1, "sent to a group"
    assert len(frame) >= 60
    at = 12
    vlans = []
    while frame[at : at + 2] in (b"\x81\0", b"\x88\xa8"):
        vlans.append(
            (int.from_bytes(frame[at : at + 2], "big"), int.from_bytes(frame[at + 2 : at + 4], "big"))
        )
        at += 4
    ethertype, length = frame[at : at + 2], int.from_bytes(frame[at + 6 : at + 8], "big")
    assert ethertype in (b"\x88\x63", b"\x88\x64")
    assert frame[at + 2] == 0x11
    assert length + 6 <= 1500
    assert len(frame) >= at + 8 + length
    assert not any(frame[at + 8 + length :]), "residue behind LENGTH"
    session_id = int.from_bytes(frame[at + 4 : at + 6], "big")
    return ethertype, frame[at + 3], Key("eth0", tuple(vlans), frame[:6], session_id)

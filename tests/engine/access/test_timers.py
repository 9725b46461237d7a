"""Deadlines: nothing due is missed, whatever moves earlier or later."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.access.timers import GRAIN, NEVER, ROOM, Deadlines


class Alarm:
    def __init__(self) -> None:
        self.armed = NEVER
        self.when: float | None = None

    def deadline(self) -> float | None:
        return self.when


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.one_of(st.none(), st.integers(0, 20)), st.integers(0, 3)), max_size=60
    )
)
def test_exactly_what_is_due_is_given_and_next_is_never_late(
    moves: list[tuple[int, int | None, int]],
) -> None:
    alarms = [Alarm() for _ in range(5)]
    deadlines: Deadlines[Alarm] = Deadlines()
    now = 0.0
    for which, when, passed in moves:
        alarms[which].when = None if when is None else now + when
        deadlines.update(alarms[which], now)
        now += passed
        expected = {id(alarm) for alarm in alarms if alarm.when is not None and alarm.when <= now}
        given_now = deadlines.due(now)
        assert {id(alarm) for alarm in given_now} == expected
        assert len(given_now) == len(expected)
        for alarm in given_now:
            alarm.when = None
            deadlines.update(alarm, now)
        waiting = [alarm.when for alarm in alarms if alarm.when is not None]
        following = deadlines.next()
        assert not waiting or (following is not None and following <= min(waiting))


def test_who_is_woken_within_a_moment_is_not_asked_before() -> None:
    deadlines: Deadlines[Alarm] = Deadlines()
    alarm, late = Alarm(), Alarm()
    for one, when in ((alarm, 10.0), (late, 10.0 + 2 * GRAIN)):
        one.when = when
        deadlines.update(one, 0.0)
        one.when = 10.0 - GRAIN / 2
        deadlines.update(one, 10.0 - GRAIN)
    assert deadlines.due(10.0 - GRAIN / 2) == [late], "this one would have been woken too late"
    assert deadlines.due(10.0) == [alarm]


def test_X4_alarms_that_come_and_go_are_not_kept() -> None:
    deadlines: Deadlines[Alarm] = Deadlines()
    lasting = Alarm()
    lasting.when = 30.0
    deadlines.update(lasting, 0.0)
    for _ in range(100 * ROOM):
        passing = Alarm()
        passing.when = 60.0
        deadlines.update(passing, 0.0)
        passing.when = None
    assert len(deadlines._heap) <= ROOM + 1
    assert deadlines.due(30.0) == [lasting]


def test_who_had_nothing_to_wait_for_while_others_came_and_went_is_woken_all_the_same() -> None:
    """A session without keepalive waits for nothing, until its subscriber hangs up."""
    deadlines: Deadlines[Alarm] = Deadlines()
    quiet = Alarm()
    quiet.when = 30.0
    deadlines.update(quiet, 0.0)
    quiet.when = None
    for _ in range(2 * ROOM):
        passing = Alarm()
        passing.when = 60.0
        deadlines.update(passing, 0.0)
        passing.when = None
    quiet.when = 43.0
    deadlines.update(quiet, 40.0)
    assert deadlines.due(43.0) == [quiet]

"""Who knows an earlier moment is told of what has changed since, and of nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from reconciler.engine.access import changes
from reconciler.engine.access.changes import Changes


@given(st.lists(st.sampled_from("abcd")), st.lists(st.sampled_from("abcd")))
def test_what_has_changed_since_a_moment_is_told_once(before: list[str], after: list[str]) -> None:
    known: Changes[str] = Changes()
    for name in before:
        known.note(name)
    moment = known.count
    for name in after:
        known.note(name)
    told = known.since(moment)
    assert told is not None
    assert sorted(told) == sorted(set(after))


def test_a_moment_of_another_life_or_of_long_ago_is_not_known() -> None:
    known: Changes[int] = Changes()
    assert known.since(0) == []
    assert known.since(1) is None
    assert known.since(-1) is None
    for name in range(changes.REMEMBERED + 1):
        known.note(name)
    assert known.since(0) is None
    assert known.since(1) is not None

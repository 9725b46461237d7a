"""Session ids: unique, never reserved ones, and not reused at once."""

from __future__ import annotations

from reconciler.engine.access.table import LAST_ID, QUARANTINE, SILENCE, SessionIds


def test_D24_ids_are_unique_and_neither_0_nor_ffff() -> None:
    ids = SessionIds(0xFFFF)
    taken = [ids.take(0.0) for _ in range(LAST_ID)]
    assert sorted(taken, key=lambda n: n or 0) == list(range(1, LAST_ID + 1))
    assert ids.take(0.0) is None, "a full table says so"


def test_D31_a_freed_id_rests_before_it_is_given_again() -> None:
    ids = SessionIds(0)
    for _ in range(LAST_ID):
        ids.take(0.0)
    ids.free(7, 100.0)
    assert ids.take(100.0 + QUARANTINE - 1) is None
    assert ids.take(100.0 + QUARANTINE) == 7


def test_D32_D36_an_id_is_known_for_a_moment_after_its_sessions_end() -> None:
    ids = SessionIds(0)
    taken = ids.take(0.0)
    assert taken is not None
    assert ids.known(taken, 1e6)
    assert not ids.known(taken + 1, 0.0)
    ids.free(taken, 100.0)
    assert ids.known(taken, 100.0 + SILENCE - 0.1)
    assert not ids.known(taken, 100.0 + SILENCE)
    assert SILENCE > 5

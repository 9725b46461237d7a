"""Session ids: unique, never reserved ones, and not reused at once."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from reconciler.engine.access.changes import REMEMBERED
from reconciler.engine.access.effects import Key
from reconciler.engine.access.table import LAST_ID, QUARANTINE, SILENCE, SessionIds, Table


def begun(started: float, number: int, user: object = None) -> Any:
    """As much of a session as the table looks at."""
    key = Key("eth0", (), b"\x02\0" + number.to_bytes(4, "big"), number)
    header = number.to_bytes(4, "big")
    return SimpleNamespace(started=started, key=key, header=header, user=user, half_open=True)


@pytest.mark.interpreted
def test_the_oldest_of_a_users_sessions_is_the_first_whichever_logged_in_first() -> None:
    """After a restart sessions come back in any order."""
    table = Table()
    oldest, middle, newest, twin = begun(10, 1), begun(20, 2), begun(30, 4), begun(30, 3)
    for session in (newest, oldest, twin, middle):
        table.add(session)
        table.log_in(session, b"theo")
    assert table.of_user(b"theo") == (oldest, middle, twin, newest)


@pytest.mark.interpreted
def test_why_a_session_ended_is_remembered_if_somebody_had_logged_in() -> None:
    table = Table()
    theo, stranger = begun(10, 1, user=object()), begun(20, 2)
    for session in (theo, stranger):
        table.add(session)
        table.remove(session, "padt_received")
    assert (table.why_ended(theo.key), table.why_ended(stranger.key)) == ("padt_received", None)


@pytest.mark.interpreted
def test_ends_are_remembered_as_long_as_changes_and_no_longer() -> None:
    table = Table()
    for number in range(REMEMBERED + 1):
        session = begun(0, number, user=object())
        table.add(session)
        table.remove(session, "padt_received")
    assert table.why_ended(begun(0, 0).key) is None
    assert table.why_ended(begun(0, 1).key) == "padt_received"


def test_D24_ids_are_unique_and_neither_0_nor_ffff() -> None:
    ids = SessionIds(0xFFFF)
    taken = [ids.take("eth0", 0.0) for _ in range(LAST_ID)]
    assert sorted(taken, key=lambda n: n or 0) == list(range(1, LAST_ID + 1))
    assert ids.take("eth0", 0.0) is None, "a full table says so"


def test_D31_a_freed_id_rests_while_another_is_left() -> None:
    ids = SessionIds(0)
    assert [ids.take("eth0", 0.0) for _ in range(3)] == [1, 2, 3]
    ids.free(2, 0.0)
    later = [ids.take("eth0", QUARANTINE - 1) for _ in range(LAST_ID - 3)]
    assert 2 not in later
    assert ids.take("eth0", QUARANTINE) == 2


def test_D31_when_no_other_is_left_the_id_that_has_rested_longest_is_given_again() -> None:
    ids = SessionIds(0)
    for _ in range(LAST_ID):
        ids.take("eth0", 0.0)
    for n in (7, 9, 3):
        ids.free(n, 100.0)
    assert [ids.take("eth0", 101.0) for _ in range(4)] == [7, 9, 3, None]


def test_D32_D36_an_id_is_known_for_a_moment_after_its_sessions_end() -> None:
    ids = SessionIds(0)
    taken = ids.take("eth0", 0.0)
    assert taken is not None
    assert ids.known("eth0", taken, 1e6)
    assert not ids.known("eth0", taken + 1, 0.0)
    ids.free(taken, 100.0)
    assert ids.known("eth0", taken, 100.0 + SILENCE - 0.1)
    assert not ids.known("eth0", taken, 100.0 + SILENCE)
    assert SILENCE > 5


def test_D36_an_id_that_is_in_use_is_known_where_it_is_in_use() -> None:
    """Whoever has been forgotten on another interface is told so, though the id is somebody's."""
    ids = SessionIds(0)
    ids.hold("eth0", 7)
    assert [ids.known(interface, 7, 0.0) for interface in ("eth0", "eth1")] == [True, False]
    assert ids.in_use(7)

"""Events are known to the next daemon; what cannot be kept is no trouble to this one."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from reconciler.loop.telling.events import KEPT, Event, Events
from reconciler.loop.telling.logbook import FILE, Logbook


def event(number: int) -> Event:
    return {
        "time": float(number),
        "type": "login_refused",
        "user": f"u{number % 7}",
        "mac": f"02:00:00:00:00:{number % 7:02x}",
        "id": number % 60000,
        "interface": "eth1",
        "reason": "wrong_password",
        "generation": 1,
    }


def run(directory: Path, *new: int, now: float = 100.0) -> Events:
    """A daemon that begins, takes events, and ends."""
    events = Events()
    book = Logbook(directory, events)
    book.start(now)
    for number in new:
        events.add(event(number))
    events.close()
    book.close()
    return events


def test_the_next_daemon_goes_on_where_the_last_one_was(tmp_path: Path) -> None:
    run(tmp_path, 1, 2)
    events = run(tmp_path, 3, now=200.0)
    assert [entry.event["time"] for entry in events.after(0)] == [1.0, 2.0, 3.0]
    assert [entry.number for entry in events.after(0)] == [1, 2, 3]
    assert [one["time"] for one in events.of_user("u2")] == [2.0]
    assert [one["time"] for one in events.of_mac("02:00:00:00:00:01")] == [1.0]
    assert events.since == 100.0
    assert sum(events.tally().values()) == 1, "counters begin anew with the daemon"


def test_what_was_written_survives_a_kill(tmp_path: Path) -> None:
    events = Events()
    book = Logbook(tmp_path, events)
    book.start(100.0)
    events.add(event(1))
    with sqlite3.connect(tmp_path / FILE) as reader:
        while not reader.execute("SELECT count(*) FROM event").fetchone()[0]:
            events.after(events.last, 0.01)
    reader.close()
    assert [entry.event["time"] for entry in run(tmp_path).after(0)] == [1.0]
    events.close()
    book.close()


def test_only_so_many_are_kept(tmp_path: Path) -> None:
    run(tmp_path, *range(1, KEPT + 11))
    events = run(tmp_path)
    assert len(events.after(0)) == KEPT
    assert events.after(0)[0].number == 11
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600


@pytest.mark.parametrize("content", [b"no database at all" * 99, b""])
def test_a_damaged_file_is_replaced(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE).write_bytes(content)
    run(tmp_path, 1)
    assert len(run(tmp_path).after(0)) == 1


def test_where_nothing_can_be_kept_nothing_fails(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    events = Events()
    book = Logbook(tmp_path, events)
    book.start(100.0)
    with sqlite3.connect(tmp_path / FILE) as other:
        other.execute("DROP TABLE event")
    other.close()
    events.add(event(1))
    events.close()
    book.close()
    assert "not kept" in caplog.text
    assert len(events.after(0)) == 1

"""Generations, their contents and records: what is kept, and what goes first."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.loop.keeping import generations
from reconciler.loop.keeping.generations import KEPT, LISTED, Cause, Generation
from reconciler.loop.keeping.store import FILE, Store

BOOT = "boot-1"
FIRST = Generation(1, "d1", "s1", "c1", dirty=False, created=10.0, author="Ann")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store.open(tmp_path, BOOT)
    yield made
    made.close()


def test_generations_come_back(tmp_path: Path, store: Store) -> None:
    assert store.generations.latest() is None
    store.generations.add(FIRST)
    second = Generation(2, "d2", "s2", None, None, 20.0, cause=Cause("rollback", 1, "bob"))
    store.generations.add(second)
    store.generations.mark_applied(1, 11.0)
    store.generations.describe(2, "c2", "Bob", dirty=True)
    store.generations.conclude(2, "undone")
    store.close()
    again = Store.open(tmp_path, BOOT).generations
    assert again.get(1) == Generation(1, "d1", "s1", "c1", False, 10.0, 11.0, "Ann")
    assert again.latest() == Generation(
        2, "d2", "s2", "c2", True, 20.0, None, "Bob", Cause("rollback", 1, "bob"), "undone"
    )
    assert [one.number for one in again.newest(1)] == [2]


def test_contents_are_kept_within_bounds_and_what_is_in_use_stays(store: Store) -> None:
    for number in range(1, KEPT + 21):
        store.generations.add(Generation(number, f"d{number}", "", None, None, 0.0))
        store.generations.keep(number, b"sealed", b"told", {2, number})
    kept = store.generations.kept()
    assert len(kept) == KEPT
    assert 2 in kept
    assert {1, 3, 21} & kept == set()
    assert store.generations.sealed(2) == b"sealed"
    assert store.generations.sealed(1) is None
    assert store.generations.get(1) is not None, "the row stays longer than the content"


def test_large_contents_are_fewer(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(generations, "ROOM", 1000)
    for number in range(1, 11):
        store.generations.keep(number, b"x" * 300, b"", {1})
    assert store.generations.kept() == {1, 9, 10}


def test_rows_are_bounded_too(store: Store) -> None:
    with store.transaction():
        for number in range(1, LISTED + 11):
            store.generations.add(Generation(number, "d", "", None, None, 0.0))
        store.generations.keep(5, b"s", b"r", {5})
        store.generations.keep(LISTED + 10, b"s", b"r", {5})
    assert store.generations.get(4) is None
    assert store.generations.get(5) is not None
    assert store.generations.get(11) is not None


def test_a_record_is_rewritten_without_the_content(store: Store) -> None:
    store.generations.keep(1, b"sealed", b"one", ())
    store.generations.rewrite(1, b"two")
    assert (store.generations.sealed(1), store.generations.record(1)) == (b"sealed", b"two")
    store.generations.rewrite(2, b"nothing")
    assert store.generations.record(2) is None


def test_a_history_of_the_first_format_is_taken_over(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE) as old:
        old.executescript(
            """
            CREATE TABLE generation (
                number INTEGER PRIMARY KEY, digest TEXT NOT NULL, sha256 TEXT NOT NULL, "commit" TEXT,
                dirty INTEGER, created REAL NOT NULL, applied REAL
            );
            CREATE TABLE applied (path TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
            CREATE TABLE kernel (path TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
            CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
            INSERT INTO generation VALUES (1, 'd1', 's1', 'c1', 0, 10.0, 11.0);
            INSERT INTO fact VALUES ('applied', '1');
            PRAGMA user_version = 1;
            """
        )
    old.close()
    store = Store.open(tmp_path, BOOT)
    assert store.generations.latest() == Generation(1, "d1", "s1", "c1", False, 10.0, 11.0)
    assert store.generations.kept() == set()
    store.close()


def test_what_is_written_together_is_undone_together(store: Store) -> None:
    def fail() -> None:
        with store.transaction(lasting=True):
            store.generations.add(FIRST)
            store.set_fact("through", "1")
            raise RuntimeError("the power is cut")

    with pytest.raises(RuntimeError):
        fail()
    assert store.generations.latest() is None
    assert store.fact("through") is None
    store.generations.add(FIRST)

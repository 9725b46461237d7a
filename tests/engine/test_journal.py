"""The journal: what was committed outlives the process, and nothing it holds can stop an engine."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.engine.journal import NAME, VERSION, Journal, JournalVersionError, check
from tests.fakes.vault import FakeVault

BOOT = "boot-1"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / NAME


def reopened(path: Path, boot: str = BOOT) -> dict[str, dict[str, object]]:
    journal = Journal(path, boot, FakeVault())
    try:
        return journal.load()
    finally:
        journal.close()


def test_what_was_committed_is_read_again_and_what_was_not_is_not(path: Path) -> None:
    journal = Journal(path, BOOT, FakeVault())
    journal.put("sessions", "a", {"id": 7})
    journal.put("sessions", "b", {"id": 8})
    journal.commit()
    journal.remove("sessions", "b")
    journal.put("users", "theo", {"password": "p"})
    journal.commit()
    journal.put("sessions", "c", {"id": 9})
    journal.close()
    seen = reopened(path)
    assert (seen["sessions"], seen["users"]) == ({"a": {"id": 7}}, {"theo": {"password": "p"}})


def test_a_killed_process_loses_nothing_that_it_had_committed(path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from reconciler.engine.journal import Journal\n"
        "from tests.fakes.vault import FakeVault\n"
        "journal = Journal(Path(sys.argv[1]), 'boot-1', FakeVault())\n"
        "for n in range(200):\n"
        "    journal.put('sessions', str(n), n); journal.commit()\n"
        "print('done', flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
        os.kill(process.pid, signal.SIGKILL)
    assert reopened(path)["sessions"] == {str(n): n for n in range(200)}


def test_another_boot_begins_anew(path: Path) -> None:
    journal = Journal(path, BOOT, FakeVault())
    journal.put("sessions", "a", 1)
    journal.commit()
    journal.close()
    assert reopened(path, "boot-2")["sessions"] == {}
    assert reopened(path, "boot-2")["facts"] == {"boot": "boot-2"}


@pytest.mark.parametrize(
    "damage", [b"", b"not a database at all, but long enough to look at" * 100, b"SQLite format 3\0"]
)
def test_a_damaged_journal_is_set_aside(path: Path, damage: bytes) -> None:
    journal = Journal(path, BOOT, FakeVault())
    journal.put("sessions", "a", 1)
    journal.commit()
    journal.close()
    for rest in ("-wal", "-shm"):
        path.with_name(path.name + rest).unlink(missing_ok=True)
    path.write_bytes(damage)
    journal = Journal(path, BOOT, FakeVault())
    assert journal.load()["sessions"] == {}
    journal.put("sessions", "b", 2)
    journal.commit()
    journal.close()
    assert reopened(path)["sessions"] == {"b": 2}


def test_values_that_are_not_json_are_damage_too(path: Path) -> None:
    Journal(path, BOOT, FakeVault()).close()
    with sqlite3.connect(path) as database:
        database.execute("UPDATE facts SET value = '{'")
    database.close()
    assert reopened(path)["facts"] == {"boot": BOOT}
    assert path.with_suffix(".damaged").exists()


def test_a_newer_engines_journal_is_refused_and_left_alone(path: Path) -> None:
    journal = Journal(path, BOOT, FakeVault())
    journal.put("sessions", "a", 1)
    journal.commit()
    journal.close()
    with sqlite3.connect(path) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    database.close()
    with pytest.raises(JournalVersionError, match="written by a newer engine"):
        Journal(path, BOOT, FakeVault())
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM sessions").fetchone() == (1,)
    database.close()


def test_a_journal_that_cannot_be_written_is_given_up_and_nothing_else(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "missing" / NAME, BOOT, FakeVault())
    journal.put("sessions", "a", 1)
    journal.commit()
    assert journal.load() == {"facts": {}, "users": {}, "interfaces": {}, "sessions": {}}
    journal.close()


def test_what_finds_no_room_is_written_when_there_is_some_again(path: Path) -> None:
    journal = Journal(path, BOOT, FakeVault())
    journal.put("sessions", "a", 1)
    journal.commit()
    assert journal._database is not None
    (pages,) = journal._database.execute("PRAGMA page_count").fetchone()
    journal._database.execute(f"PRAGMA max_page_count = {pages}")
    journal.put("sessions", "large", "x" * 100_000)
    journal.commit()
    assert journal.trouble == "database or disk is full"
    journal.remove("sessions", "a")
    journal.commit()
    journal.retry()
    assert journal.load()["sessions"] == {"a": 1}, "all or nothing"
    journal._database.execute("PRAGMA max_page_count = 100000")
    journal.retry()
    assert journal.trouble == ""
    journal.close()
    assert reopened(path)["sessions"] == {"large": "x" * 100_000}


def test_nobody_else_can_read_it(path: Path) -> None:
    Journal(path, BOOT, FakeVault()).close()
    assert path.stat().st_mode & 0o777 == 0o600


ENTRY = {"name": "theo", "secret": {"kind": "password", "text": "hunter2-in-the-journal"}}


def on_disk(path: Path) -> bytes:
    """All that the journal has written."""
    return b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))


def test_users_are_not_to_be_read_in_it(path: Path) -> None:
    journal = Journal(path, BOOT, FakeVault())
    journal.put("users", "theo", ENTRY)
    journal.commit()
    written = on_disk(path)
    assert b"theo" in written
    assert b"hunter2" not in written
    assert b"hunter2".hex().encode() not in written
    journal.close()
    assert reopened(path)["users"] == {"theo": ENTRY}


def test_a_users_lines_do_not_serve_another(path: Path) -> None:
    journal = Journal(path, BOOT, FakeVault())
    journal.put("users", "theo", ENTRY)
    journal.commit()
    journal.close()
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO users SELECT 'pablo', value FROM users")
    database.close()
    assert reopened(path)["users"] == {"theo": ENTRY}


@pytest.mark.parametrize("key", [b"", b"2" * 32])
def test_without_the_key_the_users_are_not_known_and_all_else_is(path: Path, key: bytes) -> None:
    journal = Journal(path, BOOT, FakeVault())
    journal.put("users", "theo", ENTRY)
    journal.put("sessions", "a", 1)
    journal.commit()
    journal.close()
    journal = Journal(path, BOOT, FakeVault(key))
    seen = journal.load()
    journal.close()
    assert (seen["users"], seen["sessions"]) == ({}, {"a": 1})


def test_where_there_is_no_key_no_user_is_written(path: Path) -> None:
    journal = Journal(path, BOOT, FakeVault())
    journal.put("users", "theo", ENTRY)
    journal.commit()
    journal.close()
    journal = Journal(path, BOOT, FakeVault(b""))
    journal.put("users", "theo", {**ENTRY, "enabled": False})
    journal.commit()
    journal.close()
    assert reopened(path)["users"] == {}, "nor is what was true before"


def test_the_key_goes_with_the_journal(path: Path) -> None:
    vault = FakeVault()
    journal = Journal(path, BOOT, vault)
    journal.discard()
    assert vault.forgotten
    assert not path.exists()


def test_what_an_older_engine_kept_in_plain_text_is_wiped(path: Path) -> None:
    journal = Journal(path, BOOT, FakeVault())
    journal.put("sessions", "a", 1)
    journal.commit()
    journal.close()
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO users VALUES ('theo', '{\"text\": \"hunter2\"}')")
        database.execute("PRAGMA user_version = 1")
    database.close()
    assert b"hunter2" in on_disk(path)
    journal = Journal(path, BOOT, FakeVault())
    assert (journal.load()["users"], journal.load()["sessions"]) == ({}, {"a": 1})
    assert b"hunter2" not in on_disk(path)
    journal.close()


def test_whether_an_engine_could_go_on_is_said_without_touching_anything(path: Path) -> None:
    check(path)
    assert not path.exists()
    Journal(path, BOOT, FakeVault()).close()
    check(path)
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA user_version = {VERSION + 1}")
    before = path.read_bytes()
    with pytest.raises(JournalVersionError, match="written by a newer engine"):
        check(path)
    assert path.read_bytes() == before
    path.write_bytes(b"damaged" * 1000)
    check(path)

"""What must outlive the process does; what must not outlive the boot does not."""

from __future__ import annotations

import sqlite3
import stat
from pathlib import Path

import pytest

from reconciler.loop.keeping.generations import Generation
from reconciler.loop.keeping.store import FILE, KEY_FILE, Store, StoreError
from reconciler.plan.state import State

BOOT = "boot-1"
FIRST = Generation(1, "d1", "s1", "c1", dirty=False, created=10.0)


def test_applied_state_comes_back_as_it_was(tmp_path: Path) -> None:
    state: State = {
        "ac_name": "A",
        "interface.eth1": {},
        "mtu": 1492,
        "dns_servers": ["8.8.8.8"],
        "users.j.doe": {"ip": None},
    }
    store = Store.open(tmp_path, BOOT)
    store.set_applied({"gone": {}})
    store.set_applied(state)
    store.close()
    store = Store.open(tmp_path, BOOT)
    assert store.applied() == state
    store.close()


def test_first_remembered_value_stays(tmp_path: Path) -> None:
    store = Store.open(tmp_path, BOOT)
    store.remember("forwarding.ip_forward", 0)
    store.remember("forwarding.ip_forward", 1)
    store.close()
    store = Store.open(tmp_path, BOOT)
    assert store.remembered() == {"forwarding.ip_forward": 0}
    store.forget("forwarding.ip_forward")
    assert store.remembered() == {}
    store.close()


def test_another_boot_forgets_the_kernel_but_not_the_history(tmp_path: Path) -> None:
    store = Store.open(tmp_path, BOOT)
    store.generations.add(FIRST)
    store.remember("forwarding.ip_forward", 0)
    store.set_applied({"ac_name": "A"})
    store.close()
    store = Store.open(tmp_path, "boot-2")
    assert (store.remembered(), store.applied(), store.generations.latest()) == ({}, {}, FIRST)
    store.close()


def test_key_is_made_once_and_readable_by_its_owner_alone(tmp_path: Path) -> None:
    first, second = Store.open(tmp_path / "state", BOOT), Store.open(tmp_path / "state", BOOT)
    assert first.key == second.key
    assert len(first.key) == 32
    for name in (KEY_FILE, FILE):
        assert stat.S_IMODE((tmp_path / "state" / name).stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    first.close()
    second.close()


def test_peek_sees_but_never_writes(tmp_path: Path) -> None:
    store = Store.open(tmp_path, BOOT)
    store.generations.add(FIRST)
    store.close()
    before = (tmp_path / FILE).read_bytes()
    peek = Store.peek(tmp_path, BOOT)
    assert peek.generations.latest() == FIRST
    peek.remember("forwarding.ip_forward", 0)
    peek.close()
    assert (tmp_path / FILE).read_bytes() == before


def test_peek_into_nothing_is_an_empty_store(tmp_path: Path) -> None:
    peek = Store.peek(tmp_path / "none", BOOT)
    assert peek.generations.latest() is None
    assert not (tmp_path / "none").exists()
    peek.close()


def test_directory_that_cannot_be_made_is_one_line_with_advice(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="choose another --state-dir") as caught:
        Store.open(tmp_path / "file" / "state", BOOT)
    assert "\n" not in str(caught.value)


def test_a_key_that_a_full_disk_cut_short_is_made_anew(tmp_path: Path) -> None:
    (tmp_path / KEY_FILE).touch()
    store = Store.open(tmp_path, BOOT)
    assert len(store.key) == 32
    assert store.key == (tmp_path / KEY_FILE).read_bytes()
    assert (tmp_path / KEY_FILE).stat().st_mode & 0o777 == 0o600
    store.close()


def test_no_room_is_one_line_with_advice_and_undoes_what_was_begun(tmp_path: Path) -> None:
    store = Store.open(tmp_path, BOOT)
    store._database.execute("PRAGMA max_page_count = 1")

    def write() -> None:
        with store.transaction():
            store.remember("some", 1)
            store.set_fact("long", "x" * 100_000)

    with pytest.raises(StoreError, match=r"full.*room and permissions"):
        write()
    assert store.remembered() == {}
    store._database.execute("PRAGMA max_page_count = 10000")
    store.set_fact("long", "x" * 100_000)
    store.close()


def test_a_directory_where_nothing_can_be_written_is_not_taken_for_a_damaged_file(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(StoreError, match="room and permissions"):
        Store.open(tmp_path, BOOT)


def test_damaged_file_is_one_line_with_advice(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database at all, but long enough to look like one" * 99)
    with pytest.raises(StoreError, match="move it away"):
        Store.open(tmp_path, BOOT)


def test_newer_format_is_refused(tmp_path: Path) -> None:
    database = sqlite3.connect(tmp_path / FILE)
    database.execute("PRAGMA user_version = 99")
    database.close()
    with pytest.raises(StoreError, match="format 99"):
        Store.open(tmp_path, BOOT)

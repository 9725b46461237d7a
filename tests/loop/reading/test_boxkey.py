"""The box's key is made once, is read by nobody else, and opens only what was sealed for it."""

from __future__ import annotations

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyrage
import pytest

from reconciler.loop.reading.boxkey import FILE, BoxKey, KeyFileError, UnsealError, identities

root_only = pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")


def test_what_is_sealed_is_opened_by_the_same_box_later(tmp_path: Path) -> None:
    sealed = BoxKey(tmp_path).seal(b"site and all")
    assert b"site" not in sealed
    assert BoxKey(tmp_path).open(sealed) == b"site and all"


def test_nothing_is_made_before_it_is_needed(tmp_path: Path) -> None:
    key = BoxKey(tmp_path / "state")
    assert not key.path.exists()
    assert key.public.startswith("age1")
    assert stat.S_IMODE(key.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.path.parent.stat().st_mode) == 0o700
    assert [file.name for file in key.path.parent.iterdir()] == [FILE], "no half-made key is left behind"


def test_age_reads_the_file(tmp_path: Path) -> None:
    public = BoxKey(tmp_path).public
    comment, line = (tmp_path / FILE).read_text().splitlines()
    assert comment == f"# public key: {public}"
    assert str(pyrage.x25519.Identity.from_str(line).to_public()) == public


def test_who_makes_it_at_once_gets_the_same_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = set(pool.map(lambda _: BoxKey(tmp_path).public, range(32)))
    assert len(found) == 1
    assert [file.name for file in tmp_path.iterdir()] == [FILE]


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    key = BoxKey(tmp_path)
    secret = (key.public, key.path.read_text())[1].splitlines()[1]
    key.path.chmod(mode)
    with pytest.raises(KeyFileError, match=rf"open to others \(mode {mode:04o}\).*chmod 600") as caught:
        BoxKey(tmp_path).seal(b"")
    assert secret not in str(caught.value)


@root_only
def test_a_key_of_somebody_else_is_refused(tmp_path: Path) -> None:
    key = BoxKey(tmp_path)
    assert key.public
    os.chown(key.path, 12345, -1)
    with pytest.raises(KeyFileError, match=r"somebody else \(uid 12345\)"):
        BoxKey(tmp_path).seal(b"")


@pytest.mark.parametrize(
    "content", ["", "# nothing\n", "AGE-SECRET-KEY-1WRONG\n", "age1recipient\n", "\0\xff"]
)
def test_what_is_no_key_is_left_as_it_is(tmp_path: Path, content: str) -> None:
    path = tmp_path / FILE
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(KeyFileError, match="holds no age identity") as caught:
        BoxKey(tmp_path).seal(b"")
    assert "WRONG" not in str(caught.value)
    assert path.read_text() == content


def test_the_box_has_one_identity_and_other_files_may_have_more(tmp_path: Path) -> None:
    path = tmp_path / FILE
    path.write_text("".join(f"{pyrage.x25519.Identity.generate()}\n\n# next\n" for _ in range(2)))
    path.chmod(0o600)
    assert len(identities(path)) == 2
    with pytest.raises(KeyFileError, match="holds 2 identities"):
        BoxKey(tmp_path).seal(b"")


def test_a_directory_and_a_pipe_are_no_keys(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "pipe", 0o600)
    for name in ("directory", "pipe"):
        with pytest.raises(KeyFileError, match="is not a file"):
            identities(tmp_path / name)


def test_where_no_key_can_be_kept_it_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    with pytest.raises(KeyFileError, match="state"):
        BoxKey(tmp_path / "state").seal(b"")


def test_what_was_bent_or_is_for_another_box_is_not_opened(tmp_path: Path) -> None:
    one, other = BoxKey(tmp_path / "one"), BoxKey(tmp_path / "other")
    sealed = one.seal(b"secret")
    for bad in (sealed[:-1], sealed[:-1] + bytes([sealed[-1] ^ 1]), b"", b"secret"):
        with pytest.raises(UnsealError, match="damaged, or was encrypted for another key"):
            one.open(bad)
    with pytest.raises(UnsealError):
        other.open(sealed)

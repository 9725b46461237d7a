"""Reading never blocks, and tells unfinished files."""

from __future__ import annotations

import fcntl
import hashlib
import os
import signal
from pathlib import Path

import pytest

from reconciler.loop.reading import source
from reconciler.loop.reading.source import UnreadableError, read


def test_reads_text_and_its_hash(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_bytes(b"version: 1\n")
    reading = read(tmp_path / "site.yaml")
    assert reading.text == b"version: 1\n"
    assert reading.sha256 == hashlib.sha256(b"version: 1\n").hexdigest()
    assert not reading.unfinished


def test_tells_a_file_that_is_still_being_written(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    with path.open("wb") as writer:
        writer.write(b"users:\n")
        writer.flush()
        assert read(path).unfinished
        writer.write(b"  theo: test\n")
    reading = read(path)
    assert (reading.text, reading.unfinished) == (b"users:\n  theo: test\n", False)


def test_a_reader_of_the_file_does_not_make_it_unfinished(tmp_path: Path) -> None:
    path = tmp_path / "site.yaml"
    path.touch()
    with path.open("rb"):
        assert not read(path).unfinished


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda _: None, "there is no such file"),
        (lambda path: path.mkdir(), "it is a directory"),
        (os.mkfifo, "it is not a file"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
        (lambda path: path.symlink_to("/dev/zero"), "it is not a file"),
    ],
)
def test_what_is_no_file_is_said_at_once(tmp_path: Path, make: object, why: str) -> None:
    path = tmp_path / "site.yaml"
    make(path)  # type: ignore[operator]
    with pytest.raises(UnreadableError, match=why):
        read(path)


def test_huge_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(source, "LONGEST", 10)
    (tmp_path / "site.yaml").write_bytes(b"x" * 11)
    with pytest.raises(UnreadableError, match="larger"):
        read(tmp_path / "site.yaml")


def test_who_opens_the_file_for_writing_just_then_does_not_end_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "site.yaml"
    path.write_text("version: 1\n")
    real, fatal = fcntl.fcntl, list[int]()

    def with_a_writer(descriptor: int, command: int, argument: int = 0) -> int:
        if (command, argument) == (fcntl.F_SETLEASE, fcntl.F_UNLCK):
            with pytest.raises(BlockingIOError):
                os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        return real(descriptor, command, argument)

    monkeypatch.setattr(fcntl, "fcntl", with_a_writer)
    before = signal.signal(signal.SIGIO, lambda number, _frame: fatal.append(number))
    try:
        assert read(path).text == b"version: 1\n"
    finally:
        signal.signal(signal.SIGIO, before)
    assert fatal == [], "SIGIO would have ended it"

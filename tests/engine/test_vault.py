"""The journal's key: found again by the next engine of the directory, and by nobody after ``forget``."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.engine.vault import Vault
from reconciler.linux import keyring
from reconciler.linux.errors import KernelError


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    Vault(tmp_path, os.urandom).forget()


def refused(*_: object) -> bytes | None:
    raise KernelError(errno.EPERM, "cannot keep a key: operation not permitted")


@pytest.fixture
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for call in ("recall", "keep", "forget"):
        monkeypatch.setattr(keyring, call, refused)


@pytest.fixture
def keys(directory: Path) -> None:
    if Vault(directory, os.urandom).seal("theo", b"") is None:
        pytest.skip("the kernel keeps no keys here")


@pytest.mark.usefixtures("keys")
def test_the_next_engine_opens_what_the_last_one_sealed(directory: Path) -> None:
    sealed = Vault(directory, os.urandom).seal("theo", b"hunter2")
    assert sealed is not None
    assert b"hunter2" not in sealed
    assert Vault(directory, os.urandom).open("theo", sealed) == b"hunter2"
    assert Vault(directory, os.urandom).open("pablo", sealed) is None


@pytest.mark.usefixtures("keys")
def test_what_was_forgotten_is_opened_by_nobody(directory: Path) -> None:
    vault = Vault(directory, os.urandom)
    sealed = vault.seal("theo", b"hunter2")
    assert sealed is not None
    vault.forget()
    assert vault.open("theo", sealed) is None
    assert Vault(directory, os.urandom).open("theo", sealed) is None


@pytest.mark.usefixtures("keys")
def test_each_directory_has_a_key_of_its_own(directory: Path) -> None:
    (directory / "other").mkdir()
    other = Vault(directory / "other", os.urandom)
    sealed = Vault(directory, os.urandom).seal("theo", b"hunter2")
    assert sealed is not None
    assert other.open("theo", sealed) is None
    other.forget()
    assert Vault(directory, os.urandom).open("theo", sealed) == b"hunter2"


@pytest.mark.usefixtures("no_keys")
def test_where_the_kernel_keeps_no_keys_nothing_is_sealed_and_it_is_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        vault = Vault(tmp_path, os.urandom)
    assert vault.seal("theo", b"hunter2") is None
    assert vault.open("theo", b"sealed") is None
    vault.forget()
    assert "not permitted: passwords are not in the journal" in caplog.text

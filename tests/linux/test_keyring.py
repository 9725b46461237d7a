"""Keys in the kernel's memory, by the real kernel: they outlive who kept them, and sessions of keyrings."""

from __future__ import annotations

import errno
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator

import pytest

from reconciler.linux import keyring
from reconciler.linux.errors import KernelError

IN_A_SESSION_OF_ITS_OWN = """\
import ctypes, sys
from reconciler.linux import keyring
keyring._call("join a session", keyring._KEYCTL, 1, 0)
found = keyring.recall(sys.argv[1])
print(None if found is None else found.hex())
"""


@pytest.fixture
def name() -> Iterator[str]:
    made = f"reconciler test {secrets.token_hex(8)}"
    try:
        keyring.keep(made, b"probe")
    except KernelError as error:
        pytest.skip(str(error))
    keyring.forget(made)
    yield made
    keyring.forget(made)


def test_a_key_is_kept_replaced_and_forgotten(name: str) -> None:
    assert keyring.recall(name) is None
    for key in (b"one\0more", os.urandom(32), b"x" * 1000):
        keyring.keep(name, key)
        assert keyring.recall(name) == key
    keyring.forget(name)
    assert keyring.recall(name) is None
    keyring.forget(name)


def test_a_later_process_in_another_session_finds_it(name: str) -> None:
    keyring.keep(name, b"key")
    command = [sys.executable, "-c", IN_A_SESSION_OF_ITS_OWN, name]
    found = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert found.stdout.strip() == b"key".hex()


def test_where_the_kernel_refuses_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keyring, "_ADD_KEY", 1 << 20)
    with pytest.raises(KernelError, match="cannot keep a key: function not implemented") as caught:
        keyring.keep("x", b"y")
    assert caught.value.errno == errno.ENOSYS

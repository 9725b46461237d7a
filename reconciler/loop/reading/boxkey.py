"""The box's own key: an age identity (X25519) in the state directory, made when it is first needed.

What is sealed with it can be read on this box alone. The file has the form that ``age-keygen`` writes, so
``age -d -i`` takes it too. Neighbours: whoever keeps a secret on disk, or reads one from the site file. It
must not know what it seals.
"""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import pyrage

FILE: Final = "age.key"
"""The key's name inside the state directory."""
_LONGEST: Final = 1 << 16
"""Octets of a file of identities at most."""


class KeyFileError(Exception):
    """A file of age identities cannot be used. One line that says what to do, without what is in it."""


class UnsealError(Exception):
    """Something cannot be opened: it was sealed for another key, or is damaged. One line."""


class BoxKey:
    """The key in ``directory``. Nothing is read or made before it is needed; threads may share it."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._identity: pyrage.x25519.Identity | None = None

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return self._directory / FILE

    @property
    def exists(self) -> bool:
        """Whether there is one that we can see."""
        with suppress(PermissionError):
            return self.path.exists()
        return False

    @property
    def public(self) -> str:
        """For whom to encrypt what this box shall read (``age1...``). Raises :class:`KeyFileError`."""
        return str(self.identity.to_public())

    @property
    def identity(self) -> pyrage.x25519.Identity:
        """The key itself, made if there is none. Raises :class:`KeyFileError`."""
        if self._identity is None:
            try:
                self._identity = _only(self.path)
            except FileNotFoundError:
                self._identity = _made(self.path)
        return self._identity

    def seal(self, content: bytes) -> bytes:
        """``content``, encrypted so that this box alone can read it. Raises :class:`KeyFileError`."""
        return pyrage.encrypt(content, [self.identity.to_public()])

    def open(self, sealed: bytes) -> bytes:
        """What :meth:`seal` was given. Raises :class:`UnsealError` and :class:`KeyFileError`."""
        return unseal(sealed, [self.identity])


def unseal(sealed: bytes, identities: Sequence[pyrage.x25519.Identity]) -> bytes:
    """Decrypt with whichever identity fits. Raises :class:`UnsealError`."""
    try:
        return pyrage.decrypt(sealed, identities)
    except pyrage.DecryptError:
        raise UnsealError("it is damaged, or was encrypted for another key") from None


def identities(path: Path) -> tuple[pyrage.x25519.Identity, ...]:
    """The identities in a file as ``age-keygen`` writes it: one a line, ``#`` begins a comment.

    Raises :class:`KeyFileError`, also when others than its owner can read it, and
    ``FileNotFoundError``.
    """
    lines = [line.strip() for line in _private(path).decode(errors="replace").splitlines()]
    try:
        found = tuple(
            pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")
        )
    except pyrage.IdentityError:
        found = ()
    if not found:
        raise KeyFileError(f"{path} holds no age identity (X25519): `age-keygen -o FILE` makes one")
    return found


def _only(path: Path) -> pyrage.x25519.Identity:
    found = identities(path)
    if len(found) > 1:
        raise KeyFileError(f"{path} holds {len(found)} identities: the box has one, give others by option")
    return found[0]


def _private(path: Path) -> bytes:
    """The content of a file that its owner alone can read, root or ourselves."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise KeyFileError(f"cannot read {path}: {error.strerror}") from None
    try:
        _check(path, os.fstat(descriptor))
        return os.read(descriptor, _LONGEST)
    finally:
        os.close(descriptor)


def _check(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise KeyFileError(f"{path} is not a file")
    if status.st_mode & 0o077:
        mode = stat.S_IMODE(status.st_mode)
        advice = f"`chmod 600 {path}`, and another key if anybody may have read it"
        raise KeyFileError(f"{path} is open to others (mode {mode:04o}): {advice}")
    if status.st_uid not in (0, os.geteuid()):
        raise KeyFileError(f"{path} belongs to somebody else (uid {status.st_uid}): `chown root {path}`")


def _made(path: Path) -> pyrage.x25519.Identity:
    """A new key on disk. When two make one at once, both get the one that came first."""
    identity = pyrage.x25519.Identity.generate()
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            _write(beside, f"# public key: {identity.to_public()}\n{identity}\n".encode())
            # A link, not a rename: it never takes the place of a key that is there already.
            with suppress(FileExistsError):
                path.hardlink_to(beside)
        finally:
            beside.unlink(missing_ok=True)
        _sync(path.parent)
    except OSError as error:
        raise KeyFileError(f"cannot keep a key in {path.parent}: {error.strerror}") from None
    return _only(path)


def _write(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(descriptor)


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""Network namespaces: make, remove, list and enter them.

They are named under ``/run/netns``, so that ``ip netns`` sees ours and we see its. Entering moves the
calling thread alone, and nothing but its network: unlike ``ip netns exec``, which mounts a new ``/sys``
and so hides ``/sys/fs/bpf``. A process started while inside belongs to the namespace for good. It makes
no interfaces (``links``) and knows no names of its own.
"""

from __future__ import annotations

import ctypes
import errno
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from reconciler.linux.errors import KernelError, refusal

DIRECTORY = Path("/run/netns")

_OWN = "/proc/thread-self/ns/net"
_CLONE_NEWNET = 0x40000000
_MS_BIND, _MS_REC, _MS_SHARED = 4096, 16384, 1 << 20
_MNT_DETACH = 2

_libc = ctypes.CDLL(None, use_errno=True)


def names() -> list[str]:
    """The named namespaces of this machine, sorted."""
    return sorted(path.name for path in DIRECTORY.iterdir()) if DIRECTORY.is_dir() else []


def create(name: str) -> None:
    """Make a network namespace with nothing in it but a loopback that is down. Raises ``EEXIST`` when it
    exists.
    """
    doing = f"make the network namespace {name}"
    place = DIRECTORY / name
    try:
        _share_directory()
        place.touch(mode=0o444, exist_ok=False)
    except OSError as error:
        raise refusal(doing, error.errno or errno.EIO) from error

    def unshare_and_name() -> None:
        _check(_libc.unshare(_CLONE_NEWNET))
        _check(_libc.mount(_OWN.encode(), os.fsencode(place), b"none", _MS_BIND, None))

    try:
        _in_own_thread(unshare_and_name)
    except OSError as error:
        place.unlink()
        raise refusal(doing, error.errno or errno.EIO) from error


def remove(name: str) -> None:
    """Take away a namespace's name; it and its interfaces go with the last process inside. Raises
    ``ENOENT``.
    """
    place = DIRECTORY / name
    try:
        if _libc.umount2(os.fsencode(place), _MNT_DETACH) and ctypes.get_errno() != errno.EINVAL:
            raise OSError(ctypes.get_errno(), "umount2")
        place.unlink()
    except OSError as error:
        raise refusal(f"remove the network namespace {name}", error.errno or errno.EIO) from error


@contextmanager
def inside(name: str) -> Iterator[None]:
    """Have the calling thread in a namespace for the time of a ``with`` block. Raises ``ENOENT`` when
    missing.
    """
    try:
        there = os.open(DIRECTORY / name, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise KernelError(error.errno or errno.EIO, f"there is no network namespace {name}") from error
    back = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        try:
            _check(_libc.setns(there, _CLONE_NEWNET))
        except OSError as error:
            raise refusal(f"enter the network namespace {name}", error.errno or errno.EIO) from error
        try:
            yield
        finally:
            _check(_libc.setns(back, _CLONE_NEWNET))
    finally:
        os.close(there)
        os.close(back)


def processes(name: str) -> list[int]:
    """The processes that live in a namespace. Raises ``ENOENT`` when there is no such namespace."""
    try:
        wanted = (DIRECTORY / name).stat().st_ino
    except OSError as error:
        raise KernelError(error.errno or errno.EIO, f"there is no network namespace {name}") from error
    every = (entry for entry in Path("/proc").iterdir() if entry.name.isdecimal())
    return sorted(int(entry.name) for entry in every if _namespace_of(entry) == wanted)


def _namespace_of(process: Path) -> int | None:
    try:
        return (process / "ns" / "net").stat().st_ino
    except OSError:  # it ended while we looked
        return None


def _share_directory() -> None:
    # Mounted onto itself and shared, as ip-netns(8) does, so that removing a name takes effect in every
    # other mount namespace of the machine too.
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    path = os.fsencode(DIRECTORY)
    if _libc.mount(b"", path, b"none", _MS_SHARED | _MS_REC, None):
        _check(_libc.mount(path, path, b"none", _MS_BIND | _MS_REC, None))
        _check(_libc.mount(b"", path, b"none", _MS_SHARED | _MS_REC, None))


def _in_own_thread(work: Callable[[], None]) -> None:
    failed: list[OSError] = []

    def run() -> None:
        try:
            work()
        except OSError as error:
            failed.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))

"""IPv4 settings of the kernel under ``/proc/sys/net/ipv4``, of the calling thread's network namespace.

Reads and writes single values and says plainly why one could not be. It decides nothing: which value is
wanted, in which order they are written (``ip_forward`` overwrites every interface's ``forwarding``) and
what was there before are the caller's to know.
"""

from __future__ import annotations

import errno
from pathlib import Path
from typing import NewType

from reconciler.linux.errors import KernelError, refusal

ROOT = Path("/proc/sys/net/ipv4")

Key = NewType("Key", str)
"""A setting as a path below ``net/ipv4``. Slashes, not dots, since an interface's name may contain dots."""

IP_FORWARD = Key("ip_forward")


def interface_key(interface: str, name: str) -> Key:
    """The setting ``name`` (``proxy_arp``, ``rp_filter``, ...) of one interface, or of ``all`` or
    ``default``.

    Raises :class:`KernelError` (``ENODEV``) when ``interface`` cannot be the name of one.
    """
    if not interface or "/" in interface or interface in {".", ".."} or len(interface) > 15:
        raise KernelError(errno.ENODEV, f"{interface!r} cannot be the name of a network interface")
    return Key(f"conf/{interface}/{name}")


def read(key: Key) -> int:
    """The setting's value. Raises :class:`KernelError` when it is not there or not to be read."""
    try:
        return int((ROOT / key).read_text())
    except OSError as error:
        raise _explain("read", key, error) from error


def write(key: Key, value: int) -> None:
    """Give the setting a value. Raises :class:`KernelError` when it is not there, not permitted or not
    accepted.
    """
    try:
        (ROOT / key).write_text(f"{value}\n")
    except OSError as error:
        raise _explain(f"write {value} to", key, error) from error


def display(key: Key) -> str:
    """The setting's name as ``sysctl(8)`` takes it: ``net.ipv4.ip_forward``,
    ``net/ipv4/conf/eth0.5/proxy_arp``.
    """
    return f"net/ipv4/{key}" if "." in key else f"net.ipv4.{key.replace('/', '.')}"


def _explain(doing: str, key: Key, error: OSError) -> KernelError:
    number = error.errno or errno.EIO
    if number == errno.ENOENT:
        parent, _, _ = key.rpartition("/")
        if parent.startswith("conf/") and not (ROOT / parent).is_dir():
            return KernelError(errno.ENODEV, f"there is no interface {parent.removeprefix('conf/')}")
        return KernelError(number, f"this kernel has no setting {display(key)}")
    return refusal(f"{doing} {display(key)}", number)

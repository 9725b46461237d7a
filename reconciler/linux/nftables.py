"""Tables of nftables, whole: read, put in place, removed; through the ``nft`` program and its JSON.

A table is a list of objects as in libnftables-json(5), without what the kernel numbers or repeats:
``{"chain": {...}}``, ``{"rule": {...}}``; before them, if it has any, its flags. Every table here is of the
family ``ip``. To put one in place is one transaction: it is there as told, or as it was. Other tables are
never read or written. It must not know what a rule is for.
"""

from __future__ import annotations

import errno
import json
import os
import shutil
import socket
import struct
import subprocess
from collections.abc import Iterable, Mapping
from typing import Any, Final

from reconciler.linux.errors import KernelError, refusal

Object = Mapping[str, Mapping[str, Any]]
"""One object of a table: its kind, and what is said of it."""

FAMILY: Final = "ip"
_TIMEOUT: Final = 10.0
_NUMBERED: Final = frozenset({"family", "table", "handle", "index"})

# nfnetlink, as in linux/netfilter/nfnetlink.h and nf_tables.h.
_NETLINK_NETFILTER, _SUBSYSTEM, _GET_GENERATION, _REQUEST, _ERROR = 12, 10, 16, 1, 2
_header = struct.Struct("=IHHII")
_family = struct.Struct("!BBH")
_error = struct.Struct("=i")


def program() -> str:
    """Where ``nft`` is. Raises :class:`KernelError` (``ENOPKG``) that says what to install."""
    found = shutil.which("nft", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")
    if found is None:
        raise KernelError(errno.ENOPKG, "there is no nft program: install it (Debian: apt install nftables)")
    return found


def generation() -> bytes:
    """What is another after every change to any table of this network namespace, and costs little to ask.

    Raises :class:`KernelError`: ``EOPNOTSUPP`` when the kernel has no nftables, ``EPERM``.
    """
    doing = "look at nftables"
    try:
        with socket.socket(
            socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_CLOEXEC, _NETLINK_NETFILTER
        ) as ask:
            ask.settimeout(_TIMEOUT)
            kind = _SUBSYSTEM << 8 | _GET_GENERATION
            length = _header.size + _family.size
            ask.send(_header.pack(length, kind, _REQUEST, 0, 0) + _family.pack(socket.AF_UNSPEC, 0, 0))
            answer = ask.recv(4096)
    except OSError as error:
        raise refusal(doing, error.errno or errno.EIO) from error
    if _header.unpack_from(answer)[1] != _ERROR:
        return answer[_header.size :]
    number = -_error.unpack_from(answer, _header.size)[0]
    # A subsystem that the kernel does not have is an invalid argument.
    raise refusal(doing, errno.EOPNOTSUPP if number == errno.EINVAL else number)


def read(table: str) -> list[Object] | None:
    """The objects of a table, None when there is no such table. Raises :class:`KernelError`."""
    try:
        listing = _nft(f"list the table {table}", "-j", "list", "table", FAMILY, table)
        found = json.loads(listing)["nftables"]
    except KernelError as error:
        if error.errno == errno.ENOENT:
            return None
        raise
    except ValueError:
        # What nft itself cannot put into words (1.0.6: flags of a table) is nothing that we have written.
        return [{"unreadable": {}}]
    return [
        {kind: {key: value for key, value in told.items() if key not in _NUMBERED}}
        for one in found
        for kind, told in one.items()
        if "table" in told or (kind == "table" and "flags" in told)
    ]


def put(table: str, objects: Iterable[Object]) -> None:
    """Put a table in place of whatever has its name. Raises :class:`KernelError`."""
    home = {"family": FAMILY, "name": table}
    commands: list[object] = [{do: {"table": home}} for do in ("add", "delete", "add")]
    place = {"family": FAMILY, "table": table}
    commands += [{"add": {kind: {**place, **told}}} for one in objects for kind, told in one.items()]
    _transact(f"make the table {table}", commands)


def remove(table: str) -> None:
    """Remove a table, if there is one. Raises :class:`KernelError`."""
    home = {"table": {"family": FAMILY, "name": table}}
    _transact(f"remove the table {table}", [{"add": home}, {"delete": home}])


def _transact(doing: str, commands: list[object]) -> None:
    _nft(doing, "-j", "-f", "-", text=json.dumps({"nftables": commands}))


def _nft(doing: str, *arguments: str, text: str = "") -> str:
    command = [program(), *arguments]
    try:
        done = subprocess.run(
            command,
            input=text,
            env={**os.environ, "LC_ALL": "C"},
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise KernelError(errno.EIO, f"cannot {doing}: {error}") from None
    if done.returncode:
        said = (done.stderr.strip().splitlines() or ["nft failed"])[0]
        number = errno.ENOENT if os.strerror(errno.ENOENT) in said else errno.EIO
        raise KernelError(number, f"cannot {doing}: {said}")
    return done.stdout

"""The names under which maps and links outlive the engine: one directory in the bpffs a runtime directory.

Neighbours: ``kernel`` and ``attachments`` pin; ``path`` clears. It must not know what the objects are.
"""

from __future__ import annotations

import errno
import os
import re
from contextlib import suppress
from hashlib import blake2s
from pathlib import Path

from reconciler.engine.datapath.ebpf.layout import LAYOUT
from reconciler.linux import bpf, bpffs

HOME = bpffs.ROOT / "reconciler"
DOWNSTREAM = "downstream"
"""The name of the link on the pair, if the kernel has links there."""
_PORT = "port-"


class Pins:
    """The directory of one runtime directory. Names of another layout are not used, but cleared too."""

    def __init__(self, runtime_dir: Path) -> None:
        whole = os.fsencode(runtime_dir.resolve())
        shown = re.sub(r"[^A-Za-z0-9_-]", "-", runtime_dir.resolve().name)[:40]
        self._stem = f"{shown}-{blake2s(whole, digest_size=6).hexdigest()}"
        self.directory = HOME / f"{self._stem}-{LAYOUT}"

    def make(self) -> None:
        """Have the directory be there. Raises ``OSError``."""
        bpffs.mount()
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)

    def get(self, name: str) -> int | None:
        """A descriptor of what has this name; None if nothing has."""
        try:
            return bpf.pinned(self.directory / name)
        except bpf.BpfError as error:
            if error.errno != errno.ENOENT:
                raise
            return None

    def put(self, name: str, descriptor: int) -> None:
        """Give it this name, which nothing else has from now on."""
        self.remove(name)
        bpf.pin(descriptor, self.directory / name)

    def remove(self, name: str) -> None:
        """Let go of what has this name, if something has."""
        (self.directory / name).unlink(missing_ok=True)

    def ports(self) -> list[int]:
        """The interfaces, by index, whose links have names here."""
        return [int(path.name.removeprefix(_PORT)) for path in self.directory.glob(f"{_PORT}*")]

    def clear(self) -> None:
        """Let go of everything of this runtime directory, and leave no directory that is empty."""
        for directory in HOME.glob(f"{self._stem}-*"):
            _empty(directory)
        with suppress(OSError):
            HOME.rmdir()
            bpffs.unmount_ours()


def port(ifindex: int) -> str:
    """The name of the link on an access interface."""
    return f"{_PORT}{ifindex}"


def sweep(ours: Path) -> None:
    """Let go of what others have left, whose devices have gone, with a namespace most often."""
    for directory in set(HOME.glob("*")) - {ours}:
        links = [
            path for path in directory.glob("*") if path.name == DOWNSTREAM or path.name.startswith(_PORT)
        ]
        with suppress(OSError):  # another engine is faster
            if links and not any(_holds(path) for path in links):
                _empty(directory)


def _holds(link: Path) -> bool:
    descriptor = bpf.pinned(link)
    try:
        return bpf.device_of(descriptor) != 0
    finally:
        os.close(descriptor)


def _empty(directory: Path) -> None:
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()

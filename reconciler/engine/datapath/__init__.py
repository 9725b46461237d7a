"""Ways for subscribers' packets between their sessions and the kernel, and which of them to take."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.engine.datapath import tun
from reconciler.engine.datapath.base import PathError
from reconciler.engine.datapath.ebpf import path as ebpf
from reconciler.engine.datapath.ebpf.path import EbpfDataPath
from reconciler.engine.datapath.null import NullDataPath
from reconciler.engine.datapath.tun import TunDataPath

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.engine.datapath.base import DataPath

NAMES = ("auto", "ebpf", "tun", "null")


def choose(name: str, runtime_dir: Path) -> tuple[DataPath, str]:
    """The data path of this name, and why it is that one. ``auto``: ``ebpf`` if the kernel lets us do all it
    takes, which is tried, else ``tun``. What an earlier engine left of the others ends. Raises ``PathError``.
    """
    choice = "as asked for"
    if name in ("auto", "ebpf"):
        try:
            made = EbpfDataPath(runtime_dir)
        except PathError as error:
            if name == "ebpf":
                raise
            choice = f"no ebpf: {error}"
        else:
            tun.remove(runtime_dir)
            return made, choice if name == "ebpf" else "the fastest, and it works here"
    ebpf.remove(runtime_dir)
    if name == "null":
        tun.remove(runtime_dir)
        return NullDataPath(), choice
    try:
        return TunDataPath(runtime_dir), choice
    except PathError as error:
        raise PathError(f"{error} ({choice})" if name == "auto" else str(error)) from None


def remove(runtime_dir: Path) -> None:
    """Take away whatever an engine of this runtime directory that is gone has left of any data path."""
    ebpf.remove(runtime_dir)
    tun.remove(runtime_dir)

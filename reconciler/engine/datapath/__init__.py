"""Ways for subscribers' packets between their sessions and the kernel."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.engine.datapath.null import NullDataPath
from reconciler.engine.datapath.tun import TunDataPath

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.engine.datapath.base import DataPath


def choose(name: str, runtime_dir: Path) -> DataPath:
    """The data path of this name; ``auto`` is the best one that works here. Raises ``PathError``."""
    return NullDataPath() if name == "null" else TunDataPath(runtime_dir)

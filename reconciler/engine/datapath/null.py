"""A data path that carries nothing: for tests, and for a look at who would log in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.engine.datapath.base import Counters, PathError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.engine.access.effects import Key
    from reconciler.engine.wire.drop import Drop


class NullDataPath:
    """Keeps the books and moves no packet."""

    name = "null"
    device: str | None = None
    via: str | None = None

    def __init__(self) -> None:
        self.paths: dict[Key, tuple[bytes, int]] = {}

    def attach(self, interface: str, index: int, mac: bytes) -> None:
        """Nothing to get ready."""

    def detach(self, interface: str) -> None:
        self.paths = {key: path for key, path in self.paths.items() if key.interface != interface}

    def restrict(self, access_only: bool) -> None:
        if access_only:
            raise PathError("the data path null keeps nothing off an interface")

    def accept(self, size: int) -> None:
        """Of any size."""

    def open(self, key: Key, address: bytes, mtu: int) -> None:
        self.paths[key] = (address, mtu)

    def close(self, key: Key) -> None:
        self.paths.pop(key, None)

    def prune(self) -> None:
        """Nothing is left of an engine before this one."""

    def flush(self) -> Mapping[Key, Counters]:
        return {}

    def counters(self) -> Mapping[Key, Counters]:
        return dict.fromkeys(self.paths, Counters())

    def traffic(self) -> Mapping[str, Counters]:
        return {}

    def drops(self) -> Mapping[Drop, int]:
        return {}

    def fileno(self) -> int | None:
        return None

    def poll(self) -> list[tuple[str, bytes]]:
        return []

    def shutdown(self) -> None:
        self.paths.clear()

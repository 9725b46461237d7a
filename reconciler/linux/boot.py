"""Which boot of the machine this is. Standard library alone."""

from __future__ import annotations

from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/net")


def boot() -> str:
    """What kernel settings belong to: this boot of the machine, and this network namespace."""
    return f"{_BOOT_ID.read_text().strip()}:{_NAMESPACE.stat().st_ino}"

"""Text that arrived from the network, made safe to print."""

from __future__ import annotations

_LONGEST = 80


def readable(octets: bytes) -> str:
    """Printable ASCII as it is, every other octet as ``\\xNN``; cut, with a mark, when it is long."""
    shown = "".join(chr(octet) if _plain(octet) else f"\\x{octet:02x}" for octet in octets[:_LONGEST])
    return f"{shown}…" if len(octets) > _LONGEST else shown


def _plain(octet: int) -> bool:
    return 0x20 <= octet < 0x7F and octet not in b'\\"'

"""A moment as machines and people read it. This module must not read a clock."""

from __future__ import annotations

from datetime import UTC, datetime


def moment(unix: float) -> str:
    """Unix time as RFC 3339: ``2026-03-01T12:00:00.000Z``."""
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

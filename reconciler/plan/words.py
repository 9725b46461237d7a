"""Numbers and moments as people and machines read them. This module must not know what is counted, nor read
a clock.
"""

from __future__ import annotations

from datetime import UTC, datetime


def moment(unix: float) -> str:
    """Unix time as RFC 3339: ``2026-03-01T12:00:00.000Z``."""
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def duration(seconds: float) -> str:
    """``14 s``, ``3 min``, ``2h05m``, ``3d02h``: two units at most."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, hours, days = whole // 60, whole // 3600, whole // 86400
    if hours == 0:
        return f"{minutes} min"
    if days == 0:
        return f"{hours}h{minutes % 60:02}m"
    return f"{days}d{hours % 24:02}h"


def share(part: int, whole: int) -> str:
    """``0.5 %``, ``12 %``: of ``whole``, which is not 0."""
    percent = 100 * part / whole
    return f"{percent:.1f} %" if 0 < percent < 10 else f"{percent:.0f} %"

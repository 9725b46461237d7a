"""Tells what the file is warned of, once: what is found at each look is news only the first time.

Neighbours: ``loop.run`` has every look told here. It must not know what a finding is about.
"""

from __future__ import annotations

import logging

from reconciler.loop.reading.goal import Goal

log = logging.getLogger("reconciler")


class Warnings:
    """What was told of the file so far."""

    def __init__(self) -> None:
        self._told: frozenset[str] = frozenset()

    def tell(self, goal: Goal) -> None:
        """Log the warnings about ``goal`` that were not there at the last look."""
        lines = {
            f"{goal.path.name}{f':{found.place.line}' if found.place else ''}: {found.message}"
            f" ({found.code}{f': {found.help}' if found.help else ''})"
            for found in goal.findings
            if found.severity == "warning"
        }
        for line in sorted(lines - self._told):
            log.warning("%s", line)
        self._told = frozenset(lines)

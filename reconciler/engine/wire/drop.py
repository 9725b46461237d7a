"""Why a frame was not acted upon: the one list of reasons, each counted and documented.

Neighbours: every room of the engine names its drops from here; metrics and docs list them from here.
"""

from __future__ import annotations

from enum import StrEnum


class Drop(StrEnum):
    """A counted reason; its text is the value of the metric's ``reason`` label."""

    doc: str

    def __new__(cls, value: str, doc: str) -> Drop:
        member = str.__new__(cls, value)
        member._value_ = value
        member.doc = doc
        return member

    TRUNCATED = "truncated", "shorter than the headers it must have, or its length field runs past its end"


class Malformed(Exception):
    """Raised by decoders, and only by them: these bytes cannot be what they claim to be."""

    def __init__(self, reason: Drop) -> None:
        super().__init__(reason.doc)
        self.reason = reason

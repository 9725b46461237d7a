"""Words with an explanation: enumerations that metrics, events and the documentation are listed from."""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Documented(StrEnum):
    """A member is written `NAME = "word", "explanation"`; it is the word, and `doc` explains it."""

    doc: str

    def __new__(cls, value: str, doc: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.doc = doc
        return member

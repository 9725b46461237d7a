"""Why a frame was not acted upon: the one list of reasons, each counted and documented.

Neighbours: every room of the engine names its drops from here; metrics and docs list them from here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self


class Drop(StrEnum):
    """A counted reason; its text is the value of the metric's ``reason`` label."""

    doc: str

    def __new__(cls, value: str, doc: str) -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.doc = doc
        return member

    TRUNCATED = "truncated", "shorter than the headers it must have, or its length field runs past its end"
    PPPOE_VERSION = "pppoe_version", "the PPPoE header's VER or TYPE is not 1"
    TAG_OVERRUN = "tag_overrun", "a discovery tag runs past the end of its packet"
    END_OF_LIST = "end_of_list", "an End-Of-List tag that has a value"
    PPP_PROTOCOL = "ppp_protocol", "not a whole PPP protocol number (a compressed field, or HDLC's ff 03)"
    OPTION_LENGTH = (
        "option_length",
        "a configuration option shorter than its header or past its packet",
    )


class Malformed(Exception):  # noqa: N818 - it says what the bytes are, not that we failed
    """Raised by decoders, and only by them: these bytes cannot be what they claim to be."""

    def __init__(self, reason: Drop) -> None:
        super().__init__(reason.doc)
        self.reason = reason

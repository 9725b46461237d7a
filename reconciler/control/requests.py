"""What the public door can be asked, as types: the query of a GET, the JSON object of a POST.

Every key may be left out unless it says otherwise. ``by`` is who asks, as they say themselves. Neighbours:
``answers``; ``schema`` reads both. It must not know what becomes of a request.
"""

from __future__ import annotations

from typing import Any, Required, TypedDict


class Nothing(TypedDict):
    """There is nothing to say."""


class Wait(TypedDict, total=False):
    """``wait``: seconds until an answer at the latest, sooner when all is as the file says, and the file as
    in ``commit``, or when that is held or invalid.
    """

    wait: float
    commit: str


class Candidate(TypedDict, total=False):
    """``text`` as if it stood at ``path``; else what stands there. ``markdown``: also as a comment."""

    text: str
    path: str
    markdown: bool


class Apply(TypedDict, total=False):
    """``path`` must be the file that is followed; ``timeout`` in seconds; ``allow_guard`` is the id of the
    plan that the guard may let pass; ``confirm_within`` seconds, else it is undone; ``saved`` a plan with the
    ``sha256`` of its file, which is refused when it is stale.
    """

    path: str
    timeout: float
    allow_guard: str
    confirm_within: float
    saved: dict[str, Any]
    by: str


class Rollback(TypedDict, total=False):
    """``number`` is the generation whose content is put in force."""

    number: Required[int]
    timeout: float
    allow_guard: str
    by: str


Pause = TypedDict("Pause", {"for": float, "reason": str, "by": str}, total=False)
Pause.__doc__ = """``for`` so many seconds; else until `resume`."""


class Resume(TypedDict, total=False):
    """The file is followed again."""

    by: str


class Confirm(TypedDict, total=False):
    """``undo``: it goes now, instead of staying."""

    undo: bool
    by: str


class History(TypedDict, total=False):
    """``number``: all about one generation; else the newest ``limit``."""

    number: int
    limit: int


Diff = TypedDict("Diff", {"from": Required[str], "to": str}, total=False)
Diff.__doc__ = """Each a generation's number, ``live`` or ``file``; ``to`` left out is ``live``."""


class Terminate(TypedDict, total=False):
    """Every session that matches any of these."""

    users: list[str]
    ids: list[int]
    addresses: list[str]


class Drain(TypedDict, total=False):
    """``rate`` sessions a second; ``undo``: admit subscribers again."""

    rate: float
    undo: bool


class Why(TypedDict):
    """``name``, which must be given, is a user's, or a MAC address in any usual form."""

    name: str


class Follow(TypedDict, total=False):
    """``follow``: also what happens from now on."""

    follow: bool

"""What the public door answers, as types: one for each JSON object. ``schema`` reads them.

Keys are lower_snake_case; times are RFC 3339 in UTC, durations seconds; a key once shipped stays. Null means
that there is none, or that nobody can tell now. Plans and findings are described where they are made. It must
not know who makes the others.
"""

from __future__ import annotations

from typing import Any, Literal, NotRequired, TypedDict

from reconciler.engine.messages import EventType, SessionState
from reconciler.plan.render.document import PlanView
from reconciler.site.machine import FindingView

Json = Any
"""Whatever JSON can say."""


class Fault(TypedDict):
    """What is wrong: a word for machines, and a line for people. Some have more to show: ``text`` and
    ``findings`` of a file that cannot be used.
    """

    code: str
    message: str
    text: NotRequired[str]
    findings: NotRequired[list[FindingView]]


class Error(TypedDict):
    """The answer to what cannot be done. Nothing was changed."""

    error: Fault


class Generations(TypedDict):
    """The newest generation, and the one that was reached last; 0 is none."""

    desired: int
    applied: int


class SourceView(TypedDict):
    """The file as last read, and its place in git, if it has one. ``watch`` is how changes are noticed."""

    file: str | None
    sha256: str | None
    commit: str | None
    branch: str | None
    dirty: bool | None
    watch: Literal["inotify", "poll"] | None


class ConditionView(TypedDict):
    """One thing that is so or not, since when, and why."""

    type: str
    status: bool
    reason: str
    message: str
    since: str


class PauseView(TypedDict):
    """The file is not followed. ``until`` null: until `resume`."""

    since: str
    until: str | None
    reason: str
    by: str
    rolled_back_to: int | None


class PendingView(TypedDict):
    """A generation that is undone at a time, unless it is confirmed before."""

    generation: int
    undo_to: int
    until: str
    by: str


class SessionCounts(TypedDict):
    """Live sessions, and how many of them a re-dial would give something else."""

    live: int | None
    stale: int | None


class InterfaceView(TypedDict):
    """A served interface. ``up``: an administrator set it so, and it has a carrier."""

    interface: str
    ifindex: int
    mac: str
    mtu: int
    up: bool


class EngineProcess(TypedDict):
    """The engine that runs."""

    pid: int
    version: str


DriftView = TypedDict(
    "DriftView",
    {
        "path": str,
        "from": Json,
        "to": Json,
        "since": str,
        "age_s": float,
        "healed": str | None,
        "times": int,
    },
)
DriftView.__doc__ = (
    """Something that was not as it was set: found ``from``, wanted ``to``; ``times`` in a row."""
)


class Awaited(TypedDict):
    """How waiting came out."""

    outcome: Literal["met", "held", "invalid", "pending"]
    message: str


class Status(TypedDict):
    """How everything stands. ``draining``: so many sessions a second are being ended, and nobody is admitted.
    ``awaited`` is there when somebody waited.
    """

    generation: Generations
    source: SourceView
    conditions: list[ConditionView]
    pause: PauseView | None
    confirm: PendingView | None
    sessions: SessionCounts
    draining: float | None
    interfaces: list[InterfaceView]
    datapath: str | None
    datapath_choice: str | None
    device: str | None
    engine: EngineProcess | None
    drift: list[DriftView]
    unpredicted_drops_total: int
    awaited: NotRequired[Awaited]


class RateLimit(TypedDict):
    """How fast packets may go to (``down``) and from a subscriber, in bits a second; null: no limit."""

    down: int | None
    up: int | None


class Session(TypedDict):
    """A live session. ``id`` is the PPPoE session id; ``rx`` came from the subscriber; ``circuit_id`` and
    ``remote_id`` are what the access node says of the line (TR-101).
    """

    user: str | None
    address: str | None
    peer: str | None
    mac: str
    id: int
    interface: str
    state: SessionState
    since: str
    uptime_s: float
    generation: int
    stale: bool
    rx_bytes: int
    tx_bytes: int
    rx_packets: int
    tx_packets: int
    circuit_id: str | None
    remote_id: str | None
    rate_limit: RateLimit


class Ended(TypedDict):
    """Sessions that are being ended."""

    ended: list[Session]


class Draining(TypedDict):
    """Sessions that are ended a second; null: subscribers are admitted as usual."""

    draining: float | None


class PlanAnswer(TypedDict):
    """A plan, and as text. ``watched``: it is of the file that the daemon follows."""

    plan: PlanView
    text: str
    markdown: NotRequired[str]
    watched: bool


class FailureView(TypedDict):
    """A change that could not be made."""

    path: str
    reason: str
    message: str


class Applied(TypedDict):
    """What came of an order to converge. ``confirm``: what is undone unless it is confirmed; ``remedy``: the
    commands that bring the file to what was rolled back to.
    """

    result: Literal["applied", "unchanged", "partial", "timeout", "held"]
    generation: int
    message: str
    failures: list[FailureView]
    plan: PlanView
    text: str
    confirm: NotRequired[PendingView | None]
    remedy: NotRequired[list[str]]


class Paused(TypedDict):
    """The pause that now holds."""

    pause: PauseView


class Resumed(TypedDict):
    """The pause that was ended, if there was one."""

    was: PauseView | None


class Confirmed(TypedDict):
    """What waited to be confirmed, if anything did, and the generation that is in force."""

    was: PendingView | None
    generation: int


class GenerationRow(TypedDict):
    """A generation of the history, and where it came from. ``kept``: its content is still known."""

    number: int
    state: str
    created: str
    applied: str | None
    commit: str | None
    author: str | None
    dirty: bool | None
    sha256: str
    origin: str
    origin_generation: int | None
    by: str | None
    confirmed: bool | None
    kept: bool


class GenerationDetail(GenerationRow):
    """A generation with its plan, and what came of it."""

    plan: Json
    text: str
    failures: list[Json]
    sessions_ended: int | None


Comparison = TypedDict(
    "Comparison",
    {"from": str, "to": str, "different": bool, "plan": PlanView, "text": str, "diff": str},
)
Comparison.__doc__ = """What going from one generation to another does, and both texts side by side."""


class WindowsError(TypedDict):
    """What a Windows subscriber sees."""

    number: int
    text: str


class Attempt(TypedDict):
    """One call of a subscriber, from its beginning to its end."""

    time: str | None
    ended: str | None
    outcome: Literal["online", "dialling", "closed", "refused", "failed"]
    reason: str | None
    explanation: str
    advice: str
    windows: list[int]
    user: str | None
    mac: str
    id: int
    interface: str
    circuit_id: str | None
    remote_id: str | None


class Account(TypedDict):
    """Why somebody is not online, or was not, and what to do."""

    name: str
    kind: Literal["user", "mac"]
    known: bool | None
    enabled: bool | None
    online: bool
    summary: str
    advice: list[str]
    windows: list[WindowsError]
    attempts: list[Attempt]
    listening_since: str


class Event(TypedDict):
    """Something that happened. ``type`` is one of a subscriber's, or of the daemon's own; what does not apply
    is null or left out. ``rx`` and ``tx``, with ``session_closed``: what the session has carried.
    """

    time: str
    type: EventType | str
    user: str | None
    mac: str | None
    id: int | None
    interface: str | None
    circuit_id: NotRequired[str | None]
    remote_id: NotRequired[str | None]
    reason: str
    generation: int
    rx_bytes: NotRequired[int]
    tx_bytes: NotRequired[int]
    rx_packets: NotRequired[int]
    tx_packets: NotRequired[int]
    commit: str | None

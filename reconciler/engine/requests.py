"""What may be asked on the engine's command socket: the arguments of each request, beside its id and name.

Every change carries the generation that it belongs to. Neighbours: ``commands`` carries the requests out and
``typed`` checks them against these types; ``messages`` has the words in them, and those of the answers. It
must not know what any request leads to.
"""

from __future__ import annotations

from typing import NotRequired, TypedDict

from reconciler.engine.messages import Mark, RemovedUser, SessionKey, Settings, UserEntry


class Observe(TypedDict):
    """``observe`` -> Part, ..., Overview: all users and sessions, or what has changed since a moment; of an
    engine that does not remember it, all. ``traffic`` False (left out: True): what sessions have carried is
    not asked for, and is 0.
    """

    since: NotRequired[Mark | None]
    traffic: NotRequired[bool]


class Configure(TypedDict):
    """``configure`` -> {}: merge ``settings`` into the running ones. Touches no live session."""

    generation: int
    settings: Settings


class ChangeUsers(TypedDict):
    """``users`` -> {"ended": [SessionKey]}: add, replace and remove users at once, all or nothing. It takes
    about 20 microseconds a user, in which nobody else is served: send many in several requests.

    A user who is removed or disabled (with ``terminate``) loses its sessions, and so does one who has another
    fingerprint (with ``terminate``); one whose ``sessions`` falls below what is live loses the oldest
    surplus. A rate counts at once; every other change waits for the next login. ``ended`` names what is being
    terminated.
    """

    generation: int
    put: list[UserEntry]
    remove: list[RemovedUser]


class Listen(TypedDict):
    """``listen`` -> ListenerView: serve an interface. Error ``no_interface`` when it does not exist."""

    generation: int
    interface: str


class Unlisten(TypedDict):
    """``unlisten`` -> {"ended": [SessionKey]}: stop serving an interface; its sessions are terminated."""

    generation: int
    interface: str


class Terminate(TypedDict):
    """``terminate`` -> {"ended": [SessionKey]}: end these politely (Terminate-Request, then PADT)."""

    sessions: list[SessionKey]
    reason: str


class Drain(TypedDict):
    """``drain`` -> {}: admit nobody, and end ``rate`` sessions a second, politely, also in the engine that
    comes after this one; None: all is as usual again.
    """

    rate: float | int | None


class Bare(TypedDict):
    """No arguments: ``hello`` -> Hello; ``counts`` -> Counts; ``shutdown`` -> {}: terminate all sessions,
    wait for their end (bounded), then exit.
    """


ARGUMENTS: dict[str, type] = {
    "hello": Bare,
    "observe": Observe,
    "counts": Bare,
    "configure": Configure,
    "users": ChangeUsers,
    "listen": Listen,
    "unlisten": Unlisten,
    "terminate": Terminate,
    "drain": Drain,
    "shutdown": Bare,
}
"""By the request's name."""

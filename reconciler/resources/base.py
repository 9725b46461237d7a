"""What every resource is: one subject of site.yaml, in the one shape of plan.state, on three questions.

``desired``: what should be; ``observe``: what is; ``apply``: carry out these changes. The loop asks; a
resource remembers nothing between two questions. Resources must not know each other: their order is in
``registry``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from reconciler.engine.messages import Observation, SessionKey, SessionView, Settings
from reconciler.plan.change import Change
from reconciler.plan.state import State, split
from reconciler.resources.engine import EngineClient, RefusedError
from reconciler.site.model import Site
from reconciler.site.secrets import UserSecret


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the operator declared, with everything in hand that it takes to carry it out.

    ``secrets`` and ``fingerprints`` have an entry for each user of the site; ``hostname`` stands in for an
    AC name that is not given.
    """

    site: Site
    secrets: Mapping[str, UserSecret]
    fingerprints: Mapping[str, str]
    hostname: str


@dataclass(frozen=True, slots=True)
class Live:
    """What one look at the engine showed. ``engine`` is None when there was none to look at; ``device`` is
    the data path's network device, None when it has none; ``via`` the neighbour on it that leads to
    subscribers, None when it needs none.
    """

    engine: Observation | None = None
    device: str | None = None
    via: str | None = None

    @property
    def sessions(self) -> tuple[SessionView, ...]:
        """The sessions that are not already being terminated."""
        if self.engine is None:
            return ()
        return tuple(session for session in self.engine["sessions"] if session["state"] != "terminate")


@dataclass(frozen=True, slots=True)
class Situation:
    """What a resource is asked about: what is wanted, what one look showed, the generation of the wish."""

    wanted: Wanted
    live: Live
    generation: int


@dataclass(frozen=True, slots=True)
class Failure:
    """A change that could not be made. ``reason`` is a word for machines, ``message`` a line for people."""

    path: str
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of some changes: those not named failed were made. ``ended``: sessions that they ended."""

    failures: tuple[Failure, ...] = ()
    ended: tuple[SessionKey, ...] = ()


class Resource(Protocol):
    """One subject. All may raise ``NoEngineError``, ``observe`` also ``OSError``: either ends the pass."""

    subjects: frozenset[str]
    """The subjects (``plan.state.split``) of the paths that it answers for."""

    def desired(self, at: Situation) -> State: ...

    def observe(self, at: Situation) -> State: ...

    def apply(self, changes: Sequence[Change], at: Situation) -> Outcome: ...


class EngineSettings(ABC):
    """A subject that is nothing but settings of the engine: writes them as a message, and reads one."""

    subjects: frozenset[str]

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine

    @abstractmethod
    def message(self, wanted: Wanted) -> Settings:
        """The subject's part of the engine's settings."""

    @abstractmethod
    def seen(self, settings: Settings) -> State:
        """The subject's paths, from the engine's settings."""

    def desired(self, at: Situation) -> State:
        return self.seen(self.message(at.wanted))

    def observe(self, at: Situation) -> State:
        # What an engine is set to before anybody set it is nobody's wish: generation 0 has no settings.
        if at.live.engine is None or at.live.engine["generation"] == 0:
            return {}
        return self.seen(at.live.engine["settings"])

    def apply(self, changes: Sequence[Change], at: Situation) -> Outcome:
        try:
            self._engine.configure(at.generation, self.message(at.wanted))
        except RefusedError as error:
            return refused(changes, error)
        return Outcome()


def refused(changes: Sequence[Change], error: RefusedError) -> Outcome:
    """The outcome when the engine said no to all these changes at once."""
    return Outcome(
        tuple(Failure(change.path, _REASONS.get(error.code, "Failed"), str(error)) for change in changes)
    )


_REASONS = {"no_interface": "InterfaceMissing", "not_permitted": "NotPermitted"}


def name_in(path: str) -> str:
    """The name within a family: ``interface.eth0.5`` -> ``eth0.5``."""
    return split(path)[1] or ""

"""Which live sessions a change falls on, and how hard: the model's declared effects met with what is live.

Neighbours: ``site.impact`` declares, ``plan.diff`` asks. There is no table of impacts here, only the meaning
of each scope. This module must not know why something changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Protocol

from reconciler.plan.state import SessionRef, State, Value, split
from reconciler.site.impact import Effect, Impact, OnChange, Touch
from reconciler.site.shape import on_change_at


class Policies(Protocol):
    """What the operator chose to do with live sessions. A ``Site`` is one."""

    @property
    def on_remove(self) -> str:
        """``terminate`` or ``drain``."""

    @property
    def on_password_change(self) -> str:
        """``keep`` or ``terminate``."""


@dataclass(slots=True)
class Touched:
    """What a change does to live sessions. ``worst`` is what it could do at most, whoever is live."""

    dropped: dict[tuple[str, str, int], SessionRef] = field(default_factory=dict)
    later: dict[tuple[str, str, int], SessionRef] = field(default_factory=dict)
    keeps: list[str] = field(default_factory=list)
    worst: Impact = Impact.NONE


def declared(path: str) -> OnChange:
    """What the model says about changing the thing at a state's path. What only follows from other settings,
    the kernel's addresses and routes, costs nothing by itself.

    :raises KeyError: the site has no such thing.
    """
    subject, _ = split(path)
    return OnChange() if subject.startswith("kernel.") else on_change_at(tuple(subject.split(".")))


class Live:
    """The live sessions, and the two states between which they are caught."""

    def __init__(
        self, sessions: Iterable[SessionRef], desired: State, actual: State, policies: Policies
    ) -> None:
        self._all = sorted(sessions, key=lambda session: (session.since, session.key))
        self._by_user: dict[str, list[SessionRef]] = {}
        self._by_interface: dict[str, list[SessionRef]] = {}
        for session in self._all:
            self._by_interface.setdefault(session.interface, []).append(session)
            if session.user is not None:
                self._by_user.setdefault(session.user, []).append(session)
        self._desired = desired
        self._old_pool = _pool(actual)
        self._new_pool = _pool(desired)
        self._policies = policies

    def touched_by(self, path: str, before: Value | None, after: Value | None) -> Touched:
        """What becomes of live sessions when the value at ``path`` changes."""
        touched = Touched()
        for effect, old, new in _effects(path, before, after):
            if effect.touches is Touch.SURPLUS and not _lowered(old, new):
                continue
            impact = effect.under(self._policies)
            sessions = list(self._scope(effect.touches, path, new))
            touched.worst = max(touched.worst, impact)
            if impact is Impact.DROP:
                touched.dropped.update((session.key, session) for session in sessions)
            elif impact is Impact.LATER:
                touched.later.update((session.key, session) for session in sessions)
                if sessions and effect.keeps and effect.keeps not in touched.keeps:
                    touched.keeps.append(effect.keeps)
        return touched

    def _scope(self, touches: Touch, path: str, after: object) -> Iterable[SessionRef]:
        name = split(path)[1] or ""
        match touches:
            case Touch.NOBODY:
                return ()
            case Touch.USER:
                return self._by_user.get(name, ())
            case Touch.OTHER_ADDRESS:
                return (session for session in self._by_user.get(name, ()) if session.address != after)
            case Touch.SURPLUS:
                theirs = self._by_user.get(name, [])
                return theirs[: max(0, len(theirs) - int(str(after)))]
            case Touch.INTERFACE:
                return self._by_interface.get(name, ())
            case Touch.OUTSIDE_POOL:
                return self._outside_pool()
            case Touch.ALL:
                return self._all

    def _outside_pool(self) -> Iterator[SessionRef]:
        """Sessions whose address was in the pool and no longer is. A fixed address is none of the pool's."""
        for session in self._all:
            user = self._desired.get(f"users.{session.user}")
            fixed = user.get("ip") if isinstance(user, Mapping) else None
            if session.address is None or session.address == fixed:
                continue
            number = int(IPv4Address(session.address))
            if number in self._old_pool and number not in self._new_pool:
                yield session


def _effects(path: str, before: object, after: object) -> Iterator[tuple[Effect, object, object]]:
    """The effects of a change with the old and new value of each: one for every differing setting of a user
    who stays, else one for the whole. A user who comes disabled may still have sessions that drain.
    """
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for key in sorted(before.keys() | after.keys()):
            old, new = before.get(key), after.get(key)
            if old != new:
                yield on_change_at((split(path)[0], "", key)).between(old, new), old, new
    else:
        yield declared(path).between(before, after), before, after
        if isinstance(after, Mapping) and after.get("enabled") is False:
            yield on_change_at((split(path)[0], "", "enabled")).between(True, False), True, False


def _lowered(old: object, new: object) -> bool:
    return isinstance(old, int) and isinstance(new, int) and new < old


def _pool(state: State) -> range:
    """The pool's addresses as numbers. A state without a pool is all pool: whoever is live may be outside
    the next.
    """
    start, size = state.get("pool_start"), state.get("pool_size")
    if not isinstance(start, str) or not isinstance(size, int):
        return range(2**32)
    first = int(IPv4Address(start))
    return range(first, first + size)

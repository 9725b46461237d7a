"""Generations and what was reached: the store's contents in the terms of a pass.

A generation is a wish that differs from the one before, whoever is live; it is applied once everything was
seen to be as it says. It must not know how anything is observed or carried out.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Mapping, Sequence

from reconciler.engine.messages import Hello
from reconciler.loop.goal import Goal
from reconciler.loop.picture import Picture, digest
from reconciler.loop.revision import revision
from reconciler.loop.store import Generation, Store
from reconciler.plan.state import State, Value
from reconciler.resources.base import Live, Resource
from reconciler.site.place import Path as Where
from reconciler.site.place import Place

_MACHINE = "forwarding."
"""Paths that outlive an engine; all others live in it, or on its data path's device."""


class History:
    """``wall`` tells Unix time."""

    def __init__(self, store: Store, resources: Sequence[Resource], wall: Callable[[], float]) -> None:
        self._store = store
        self._resources = resources
        self._wall = wall
        self._numbered: tuple[Goal, int] | None = None
        self._places: Mapping[Where, Place] = {}

    @property
    def desired(self) -> int:
        """The newest generation, 0 for none."""
        newest = self._store.latest()
        return newest.number if newest else 0

    @property
    def applied(self) -> int:
        """The generation reached last, 0 for none."""
        reached = self._store.last_applied()
        return reached.number if reached else 0

    def number(self, goal: Goal, live: Live) -> int:
        """The goal's generation: a new one when it wishes something else than the newest.

        An engine may know a higher number than a store that was lost: numbers never go back.
        """
        if self._numbered and self._numbered[0] is goal:
            return self._numbered[1]
        assert goal.wanted is not None
        wish = digest(self._resources, goal.wanted)
        newest = self._store.latest()
        if newest and newest.digest == wish:
            number = newest.number
        else:
            number = 1 + max(newest.number if newest else 0, live.engine["generation"] if live.engine else 0)
            self._store.add(Generation(number, wish, goal.sha256 or "", None, None, self._wall()))
        self._numbered = goal, number
        return number

    def reached(self, hello: Hello | None) -> State:
        """The state last applied, as far as it can still hold: an engine that was started since knows
        nothing of it.

        What is remembered of the kernel counts as applied, so that it is put back when nobody declares it.
        """
        same_engine = self._store.fact("engine") == _mark(hello)
        state: dict[str, Value] = dict.fromkeys(self._store.remembered(), "")
        state.update(
            (path, value)
            for path, value in self._store.applied().items()
            if same_engine or path.startswith(_MACHINE)
        )
        return state

    def record(self, seen: Picture, goal: Goal, hello: Hello, *, complete: bool) -> bool:
        """Write down what was reached. True when that makes the generation the applied one."""
        old = self.reached(hello)
        state = {path: value for path, value in seen.desired.items() if seen.actual.get(path) == value}
        for path in seen.desired.keys() - state.keys():
            if old.get(path, "") != "":
                state[path] = old[path]
        self._store.set_applied(state)
        self._store.set_fact("engine", _mark(hello))
        if not complete:
            return False
        self._places = goal.places
        number = seen.at.generation
        newly = self.applied != number
        if newly:
            self._store.mark_applied(number, self._wall())
        # Only now: asking git takes longer than many an apply, and nothing waits for the answer.
        self._describe(number, goal, newly=newly)
        return newly

    def _describe(self, number: int, goal: Goal, *, newly: bool) -> None:
        """Write down a generation's commit; also of one that was edited in place and is committed since."""
        known = self._store.generation(number)
        if not newly and not (known and known.dirty):
            return
        place = revision(goal.path, goal.sha256)
        if place and (newly or not place.dirty):
            self._store.describe(number, place.commit, dirty=place.dirty)

    def places(self, goal: Goal) -> Mapping[Where, Place]:
        """The goal's places, and for what is no longer in it those of the goal reached before."""
        return ChainMap(dict(goal.places), dict(self._places))

    def commit(self, number: int) -> str | None:
        """The commit that a generation was made from."""
        generation = self._store.generation(number)
        return generation.commit if generation else None


def _mark(hello: Hello | None) -> str:
    return str(hello["pid"]) if hello else ""

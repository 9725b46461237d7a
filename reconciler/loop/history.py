"""Generations and what was reached: the store's contents in the terms of a pass.

A generation is a wish that differs from the one before, whoever is live; it is applied once everything was
seen to be as it says. It must not know how anything is observed or carried out.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Callable, Iterable, Mapping, MutableMapping, Sequence
from dataclasses import replace
from typing import TypeAlias, cast

from reconciler.engine.messages import Hello
from reconciler.loop.keeping.generations import Cause, Generation, Outcome
from reconciler.loop.keeping.store import Store
from reconciler.loop.picture import Picture, Wishes
from reconciler.loop.reading.goal import Goal
from reconciler.loop.reading.revision import revision
from reconciler.plan.change import Change
from reconciler.plan.state import State, Value
from reconciler.resources.base import Live, Resource
from reconciler.site.place import Path as Where
from reconciler.site.place import Place

_Places: TypeAlias = MutableMapping[Where, Place]

_MACHINE = "forwarding."
"""Paths that outlive an engine; all others live in it, or on its data path's device."""


class History:
    """``wall`` tells Unix time."""

    def __init__(self, store: Store, resources: Sequence[Resource], wall: Callable[[], float]) -> None:
        self._store = store
        self._wishes = Wishes(resources)
        self._wall = wall
        self._wish: tuple[Goal, str] | None = None
        self._places: Mapping[Where, Place] = {}

    @property
    def desired(self) -> int:
        """The newest generation, 0 for none."""
        newest = self._store.generations.latest()
        return newest.number if newest else 0

    @property
    def applied(self) -> int:
        """The generation reached last, 0 for none."""
        # By number, not by time: clocks are set back.
        return int(self._store.fact("applied") or 0)

    def wish(self, goal: Goal) -> str:
        """What tells a goal's wish from others'."""
        if self._wish is None or self._wish[0] is not goal:
            assert goal.wanted is not None
            self._wish = goal, self._wishes.digest(goal.wanted)
        return self._wish[1]

    def wish_of(self, number: int) -> str:
        """The same of a generation; empty if there is none of that number."""
        generation = self._store.generations.get(number)
        return generation.digest if generation else ""

    def generation(self, number: int) -> Generation | None:
        """The generation of that number."""
        return self._store.generations.get(number)

    def newest(self, most: int) -> list[Generation]:
        """At most so many generations, the newest first."""
        return self._store.generations.newest(most)

    @property
    def kept(self) -> set[int]:
        """The generations whose content is kept."""
        return self._store.generations.kept()

    def conclude(self, number: int, outcome: Outcome) -> None:
        """What became of a generation that had to be confirmed."""
        self._store.generations.conclude(number, outcome)

    def number(self, goal: Goal, live: Live, cause: Cause = Cause()) -> int:  # noqa: B008 - a constant
        """The goal's generation: a new one when it wishes something else than the newest.

        An engine may know a higher number than a store that was lost: numbers never go back.
        """
        wish, newest = self.wish(goal), self._store.generations.latest()
        if newest and newest.digest == wish:
            return newest.number
        number = 1 + max(newest.number if newest else 0, live.engine["generation"] if live.engine else 0)
        made = Generation(number, wish, goal.sha256 or "", None, None, self._wall(), cause=cause)
        source = self._store.generations.get(cause.source) if cause.source is not None else None
        if source:
            made = replace(made, commit=source.commit, author=source.author, dirty=source.dirty)
        self._store.generations.add(made)
        return number

    def reached(self, hello: Hello | None) -> State:
        """The state last applied, as far as it can still hold: an engine that was started since knows
        nothing of it.

        What is remembered of the kernel counts as applied, so that it is put back when nobody declares it.
        """
        same_engine = self._store.fact("engine") == _mark(hello)
        state: dict[str, Value] = dict.fromkeys(self._store.remembered(), "")
        applied = self._store.applied()
        if same_engine:
            state.update(applied)
        else:
            state.update((path, value) for path, value in applied.items() if path.startswith(_MACHINE))
        return state

    def made(self, changes: Iterable[Change], seen: Picture, hello: Hello) -> None:
        """Remember what was just made and is there, though nobody wishes it any more: it is no drift."""
        actual, wished = seen.actual, seen.desired
        made = {c.path: c.after for c in changes if c.after is not None and c.path not in wished}
        if ours := {path: value for path, value in made.items() if actual.get(path) == value}:
            known = {path: value for path, value in self.reached(hello).items() if value != ""}
            self._store.set_applied({**known, **ours})
            self._store.set_fact("engine", _mark(hello))

    def record(self, seen: Picture, goal: Goal, hello: Hello, *, complete: bool) -> bool:
        """Write down what was reached, and what of it is still there. True when that makes the generation the
        applied one.
        """
        old = self.reached(hello)
        state = dict(seen.desired)
        missed = [path for path in seen.differing if state.pop(path, None) is not None]
        unwished = old.keys() - seen.desired.keys()
        state.update((path, old[path]) for path in unwished if old[path] == seen.actual.get(path))
        for path in missed:
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
            with self._store.transaction():
                self._store.generations.mark_applied(number, self._wall())
                self._store.set_fact("applied", str(number))
        # Only now: asking git takes longer than many an apply, and nothing waits for the answer.
        self._describe(number, goal, newly=newly)
        return newly

    def _describe(self, number: int, goal: Goal, *, newly: bool) -> None:
        """Write down a generation's commit; also of one that was edited in place and is committed since."""
        known = self._store.generations.get(number)
        if known is None or known.cause.origin != "file" or not (newly or known.dirty):
            return
        place = revision(goal.path, goal.sha256)
        if place and (newly or not place.dirty):
            self._store.generations.describe(number, place.commit, place.author, dirty=place.dirty)

    def places(self, goal: Goal) -> Mapping[Where, Place]:
        """The goal's places, and for what is no longer in it those of the goal reached before."""
        return ChainMap(cast("_Places", goal.places), cast("_Places", self._places))

    def commit(self, number: int) -> str | None:
        """The commit that a generation was made from."""
        generation = self._store.generations.get(number)
        return generation.commit if generation else None


def _mark(hello: Hello | None) -> str:
    return str(hello["pid"]) if hello else ""

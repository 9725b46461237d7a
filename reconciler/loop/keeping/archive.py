"""The contents of generations: kept when a generation is let through, and had back as goals; and what is told
of each: the plan by which it came, and what came of it.

Contents are sealed with the box's key before they touch the disk. Neighbours: ``keeping.generations`` has
the rows, ``keeping.content`` the form, ``reading.boxkey`` the key. It must not know why somebody wants a
generation back.
"""

from __future__ import annotations

import json
import logging
import zlib
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from reconciler.loop.keeping.content import ForeignContentError, pack, unpack
from reconciler.loop.keeping.store import FILE, Store
from reconciler.loop.reading.boxkey import KeyFileError, UnsealError
from reconciler.loop.reading.goal import Goal, Reader
from reconciler.plan import render
from reconciler.plan.change import Plan
from reconciler.plan.guard import Verdict

TOLD: Final = 1000
"""So many changes of a plan are kept; of more, their number."""

_THROUGH: Final = "through"
_BEFORE: Final = "before"

log = logging.getLogger("reconciler")


class NotKeptError(Exception):
    """A generation's content cannot be had. One line."""


class Archive:
    """``path`` is where the contents are taken to stand: the watched file's."""

    def __init__(self, store: Store, reader: Reader, path: Path) -> None:
        self._store = store
        self._generations = store.generations
        self._reader = reader
        self._path = path
        self._standing: tuple[int, Goal] | None = None
        self._missed = 0
        self._told: tuple[int, dict[str, Any]] | None = None

    @property
    def through(self) -> int:
        """The generation that was let through last, 0 for none: it is in force, as far as it is reached."""
        return int(self._store.fact(_THROUGH) or self._store.fact("applied") or 0)

    @property
    def before(self) -> int:
        """The generation that stood before it, 0 for none."""
        return int(self._store.fact(_BEFORE) or 0)

    def admit(self, number: int, goal: Goal, in_use: Iterable[int] = ()) -> None:
        """Generation ``number``, which wishes ``goal``, is let through: from now on it stands. To be said
        before anything of it is done.
        """
        before, self._standing = self._standing, (number, goal)
        if number == self.through and (before or number in self._generations.kept()):
            return
        try:
            sealed = self._store.box.seal(pack(goal))
        except KeyFileError as error:
            log.warning("generation %d cannot be gone back to: %s", number, error)
            sealed = None
        self._told = None
        with self._store.transaction():
            applied = int(self._store.fact("applied") or 0)
            if sealed is not None:
                self._generations.keep(number, sealed, _packed({}), {applied, *in_use})
            if number != self.through:
                self._store.set_fact(_BEFORE, str(self.through))
            self._store.set_fact(_THROUGH, str(number))

    def standing(self) -> tuple[int, Goal] | None:
        """The generation that was let through last, and its goal; None if there is none that is kept."""
        number = self.through
        if self._standing and self._standing[0] == number:
            return self._standing
        if not number:
            return None
        try:
            self._standing = number, self.goal(number)
        except NotKeptError as error:
            if self._missed != number:
                log.warning("%s: only what moved by itself is put back", error)
            self._missed = number
            return None
        return self._standing

    def goal(self, number: int) -> Goal:
        """The goal that a generation was. Raises :class:`NotKeptError`."""
        sealed = self._generations.sealed(number)
        if sealed is None:
            raise NotKeptError(self._missing(number))
        try:
            content = unpack(self._store.box.open(sealed))
        except (UnsealError, KeyFileError, ForeignContentError) as error:
            raise NotKeptError(f"the content of generation {number} cannot be read: {error}") from None
        goal = self._reader.recall(content.text, self._path, content.secrets)
        if goal.wanted is None:
            raise NotKeptError(f"generation {number} is no valid site to this program: {goal.problem}")
        return goal

    def _missing(self, number: int) -> str:
        if self._generations.get(number) is None:
            return f"there is no generation {number} in the history: `reconciler history` lists them"
        return f"the content of generation {number} is not kept"

    # What is told of a generation.

    def told(self, number: int) -> dict[str, Any]:
        """``plan`` and ``text`` (what was planned), ``failures``, ``sessions_ended``, ``took_s``, as far as
        known. JSON-ready, without secrets.
        """
        if self._told is None or self._told[0] != number:
            record = self._generations.record(number)
            self._told = number, _unpacked(record) if record else {}
        return dict(self._told[1])

    def tell(self, number: int, **news: Any) -> None:
        """Add to what is told of a generation."""
        before = self.told(number)
        after = {**before, **news}
        if after != before:
            self._told = number, after
            self._generations.rewrite(number, _packed(after))


def text_of(directory: Path, number: int) -> bytes:
    """The text of a generation out of the state directory, with no daemon asked. Raises
    :class:`NotKeptError`.
    """
    try:
        (directory / FILE).open("rb").close()
    except OSError as error:
        raise NotKeptError(f"cannot read {directory / FILE}: {error.strerror}") from None
    with closing(Store.peek(directory, "")) as store:
        sealed = store.generations.sealed(number)
        if sealed is None:
            raise NotKeptError(f"the content of generation {number} is not kept in {directory}")
        try:
            return unpack(store.box.open(sealed)).text
        except (UnsealError, KeyFileError, ForeignContentError) as error:
            raise NotKeptError(f"the content of generation {number} cannot be read: {error}") from None


def planned(plan: Plan, verdict: Verdict | None) -> dict[str, Any]:
    """A plan as it is kept: as machines and as people read it."""
    shown = replace(plan, changes=plan.changes[:TOLD])
    more = len(plan.changes) - len(shown.changes)
    notes = [f"the first {TOLD} of {len(plan.changes)} changes are shown and counted here"] if more else []
    notes += [verdict.line_let_through] if verdict and plan else []
    document = render.as_json(shown, verdict) | {"totals": render.totals_as_json(plan)}
    return {"plan": document, "text": render.as_text(shown, notes=notes), "omitted": more}


def _packed(record: Mapping[str, Any]) -> bytes:
    return zlib.compress(json.dumps(record, separators=(",", ":"), default=dict).encode(), 1)


def _unpacked(record: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(zlib.decompress(record))
    return document

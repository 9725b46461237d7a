"""``interface``: where the engine offers its service. One that does not exist is reported, and waited for."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.engine.messages import SessionKey
from reconciler.plan.change import Change
from reconciler.plan.state import State
from reconciler.resources.base import Failure, Outcome, Situation, name_in, refused
from reconciler.resources.engine import EngineClient, RefusedError


class Listeners:
    subjects = frozenset({"interface"})

    def __init__(self, engine: EngineClient) -> None:
        self._engine = engine

    def desired(self, at: Situation) -> State:
        return {f"interface.{name}": {} for name in at.wanted.site.interface}

    def observe(self, at: Situation) -> State:
        return {f"interface.{name}": {} for name in at.live.engine["listeners"]} if at.live.engine else {}

    def apply(self, changes: Sequence[Change], at: Situation) -> Outcome:
        failures: list[Failure] = []
        ended: list[SessionKey] = []
        for change in changes:
            try:
                if change.after is None:
                    ended += self._engine.unlisten(at.generation, name_in(change.path))
                else:
                    self._engine.listen(at.generation, name_in(change.path))
            except RefusedError as error:
                failures += refused([change], error).failures
        return Outcome(tuple(failures), tuple(ended))

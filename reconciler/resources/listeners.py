"""``interface``: where the engine offers its service. One that does not exist is reported, and waited for.

An interface that was removed and made again has its name but is another one: the engine's hold on the old
one counts for nothing. The engine lets go of it by itself, within a second, and the new one is served then:
no session is ended from here for what happened to the machine.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.engine.messages import ListenerView, SessionKey
from reconciler.plan.change import Change
from reconciler.plan.state import State
from reconciler.resources.base import Failure, Outcome, Situation, name_in, refused
from reconciler.resources.engine import EngineClient, RefusedError
from reconciler.resources.kernel import Kernel

_NAMED = 8
"""Of the interfaces that there are, so many are named in place of one that is not."""

_LOST = "interface {} was removed or replaced, which the engine is about to notice"


class Listeners:
    subjects = frozenset({"interface"})

    def __init__(self, engine: EngineClient, kernel: Kernel) -> None:
        self._engine = engine
        self._kernel = kernel

    def desired(self, at: Situation) -> State:
        return {f"interface.{name}": {} for name in at.wanted.site.interface}

    def observe(self, at: Situation) -> State:
        if at.live.engine is None:
            return {}
        return {
            f"interface.{name}": {} for name, view in at.live.engine["listeners"].items() if self._real(view)
        }

    def apply(self, changes: Sequence[Change], at: Situation) -> Outcome:
        failures: list[Failure] = []
        ended: list[SessionKey] = []
        for change in changes:
            try:
                if change.after is None:
                    ended += self._engine.unlisten(at.generation, name_in(change.path))
                elif at.live.engine and name_in(change.path) in at.live.engine["listeners"]:
                    failures.append(
                        Failure(change.path, "InterfaceMissing", _LOST.format(name_in(change.path)))
                    )
                else:
                    self._engine.listen(at.generation, name_in(change.path))
            except RefusedError as error:
                missing = error.code == "no_interface"
                failures += [self._missing(change, at)] if missing else refused([change], error).failures
        return Outcome(tuple(failures), tuple(ended))

    def _missing(self, change: Change, at: Situation) -> Failure:
        """A name that nothing has: mistyped, or not plugged in yet."""
        ours = at.live.device
        here = [name for name in self._kernel.ethernet() if ours is None or not name.startswith(ours)]
        message = f"interface {name_in(change.path)} is not there, and waited for"
        if here:
            message += f"; there {'is' if len(here) == 1 else 'are'} {', '.join(here[:_NAMED])}"
        if len(here) > _NAMED:
            message += f" and {len(here) - _NAMED} more"
        return Failure(change.path, "InterfaceMissing", message)

    def _real(self, listener: ListenerView) -> bool:
        found = self._kernel.interface(listener["interface"])
        return found is not None and found.ifindex == listener["ifindex"]

"""The composition root of a dry run without a daemon: what an apply would do, by what the kernel shows, and
the engine if one answers.

Neighbours: ``daemon`` is the other composition root. It must not hold any rule of its own, nor change
anything.
"""

from __future__ import annotations

import socket
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from reconciler.linux.boot import boot
from reconciler.loop.history import History
from reconciler.loop.keeping.store import Store
from reconciler.loop.picture import look
from reconciler.loop.reading.boxkey import BoxKey
from reconciler.loop.reading.goal import Goal, Reader
from reconciler.loop.reading.unseal import Unsealer
from reconciler.plan.change import Plan
from reconciler.plan.guard import Verdict, judge
from reconciler.resources.base import Live, Situation
from reconciler.resources.engine import EngineClient, NoEngineError
from reconciler.resources.kernel import LinuxKernel
from reconciler.resources.registry import registry


@dataclass(frozen=True, slots=True)
class Preview:
    """What an apply would do, and what the guard says to it; both None when the goal cannot be used."""

    goal: Goal
    live: Live
    plan: Plan | None = None
    verdict: Verdict | None = None


def preview(path: Path, runtime_dir: Path, state_dir: Path) -> Preview:
    """Plan without a daemon. Raises ``OSError`` when the kernel cannot be looked at."""
    with closing(Store.peek(state_dir, boot())) as store, closing(EngineClient(runtime_dir)) as engine:
        unsealer = Unsealer([BoxKey(state_dir).path])
        goal = Reader(store.key, socket.gethostname(), unsealer).look(path.absolute())
        try:
            hello = engine.hello()
            live = Live(engine.observe(), hello["device"], hello["via"])
        except NoEngineError:
            hello, live = None, Live()
        if goal.wanted is None:
            return Preview(goal, live)
        resources = registry(engine, LinuxKernel(), store)
        history = History(store, resources, time.time)
        seen = look(resources, Situation(goal.wanted, live, 0))
        plan = seen.plan(history.reached(hello), goal.places, history.applied)
        return Preview(goal, live, plan, judge(plan, seen.actual))

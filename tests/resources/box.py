"""All resources over one fake engine and one fake kernel; differences without the finer points of `plan`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from reconciler.plan.change import Change
from reconciler.plan.state import State
from reconciler.resources.base import Outcome, Situation, Wanted
from reconciler.resources.engine import EngineClient
from reconciler.resources.registry import registry, steps
from reconciler.site.impact import Impact
from tests.fakes.kernel import FakeKernel, FakeMemory
from tests.fakes.sites import situation


def changes(desired: State, actual: State) -> list[Change]:
    """What differs."""
    found: list[Change] = []
    for path in sorted({*desired, *actual}):
        before, after = actual.get(path), desired.get(path)
        if before != after:
            op: Any = "add" if before is None else "remove" if after is None else "update"
            found.append(Change(op, path, before, after, Impact.NONE))
    return found


class Box:
    """All resources over one fake engine and one fake kernel."""

    def __init__(self, client: EngineClient, kernel: FakeKernel, memory: FakeMemory) -> None:
        self.client = client
        self.resources = registry(client, kernel, memory)

    def both(self, wish: Wanted) -> tuple[dict[str, Any], dict[str, Any], Situation]:
        at = situation(wish, self.client)
        desired: dict[str, Any] = {}
        actual: dict[str, Any] = {}
        for resource in self.resources:
            desired.update(resource.desired(at))
            actual.update(resource.observe(at))
        return desired, actual, at

    def converge(self, wish: Wanted) -> list[Outcome]:
        desired, actual, at = self.both(wish)
        return [
            resource.apply(todo, at) for resource, todo in steps(self.resources, changes(desired, actual))
        ]

    def left(self, wish: Wanted) -> list[str]:
        desired, actual, _ = self.both(wish)
        return [f"{change.op} {change.path}" for change in changes(desired, actual)]


def reasons(outcomes: Iterable[Outcome]) -> list[str]:
    return [failure.reason for outcome in outcomes for failure in outcome.failures]

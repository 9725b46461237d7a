"""The data path's device itself: the engine makes it, up and large enough; somebody may change it by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reconciler.linux.errors import KernelError
from reconciler.plan.change import Change
from reconciler.plan.state import State, split
from reconciler.resources.base import Failure, Outcome, Situation, name_in
from reconciler.resources.kernel import Kernel

_UP, _MTU = "kernel.up", "kernel.mtu"
LEAST: Final = 1492
"""Octets that the device takes at least (RFC 2516 §7); larger sessions raise it (RFC 4638)."""


class Device:
    subjects = frozenset({_UP, _MTU})

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def desired(self, at: Situation) -> State:
        device = at.live.device
        if device is None or self._kernel.interface(device) is None:
            return {}
        return {f"{_UP}.{device}": True, f"{_MTU}.{device}": LEAST}

    def observe(self, at: Situation) -> State:
        device = at.live.device
        found = None if device is None else self._kernel.interface(device)
        if found is None:
            return {}
        return {f"{_UP}.{device}": found.enabled, f"{_MTU}.{device}": min(found.mtu, LEAST)}

    def apply(self, changes: Sequence[Change], at: Situation) -> Outcome:  # noqa: ARG002 - asked of all alike
        failures: list[Failure] = []
        for change in changes:
            device = name_in(change.path)
            try:
                if split(change.path)[0] == _UP:
                    self._kernel.set_up(device)
                else:
                    self._kernel.set_mtu(device, LEAST)
            except KernelError as error:
                failures.append(Failure(change.path, "LinkFailed", str(error)))
        return Outcome(tuple(failures))

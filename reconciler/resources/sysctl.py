"""``forwarding``: kernel settings that let subscribers' packets through. They are borrowed from the machine.

What was there before our first write is remembered, durably, before that write, and put back when the site
no longer declares the setting or on release. Writing the global ``ip_forward`` overwrites settings of every
interface, so it always comes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from reconciler.linux.errors import KernelError
from reconciler.linux.sysctl import IP_FORWARD, Key, display, interface_key
from reconciler.plan.change import Change
from reconciler.plan.state import State, split
from reconciler.resources.base import Failure, Outcome, Situation
from reconciler.resources.kernel import Kernel

_GLOBAL = "forwarding.ip_forward"
_PROXY_ARP = "forwarding.proxy_arp"


class Memory(Protocol):
    """What outlives the process: the values found before our first write, by path."""

    def remembered(self) -> Mapping[str, int]: ...

    def remember(self, path: str, value: int) -> None:
        """Durable on return. Keeps the first value if there is one already."""

    def forget(self, path: str) -> None: ...


class Forwarding:
    subjects = frozenset({_GLOBAL, _PROXY_ARP})

    def __init__(self, kernel: Kernel, memory: Memory) -> None:
        self._kernel = kernel
        self._memory = memory

    def desired(self, at: Situation) -> State:
        forwarding = at.wanted.site.forwarding
        state: dict[str, bool] = {}
        if forwarding.ip_forward is not None:
            state[_GLOBAL] = forwarding.ip_forward
        if forwarding.proxy_arp is not None:
            for interface in at.wanted.site.interface:
                state[f"{_PROXY_ARP}.{interface}"] = forwarding.proxy_arp
        return state

    def observe(self, at: Situation) -> State:
        """What is declared, and what we still have to put back; the rest of the machine is not our business.
        Nor is an interface that does not exist.
        """
        declared = self.desired(at)
        state: dict[str, bool] = {}
        for path in {*declared, *self._memory.remembered()}:
            try:
                state[path] = self._effective(path, wanted=bool(declared.get(path)))
            except KernelError:
                continue
        return state

    def apply(self, changes: Sequence[Change], at: Situation) -> Outcome:  # noqa: ARG002 - asked of all alike
        failures: list[Failure] = []
        for change in sorted(changes, key=lambda change: change.path != _GLOBAL):
            try:
                if change.after is None:
                    self._put_back(change.path)
                else:
                    self._set(change)
            except KernelError as error:
                failures.append(Failure(change.path, "SysctlFailed", str(error)))
        return Outcome(tuple(failures))

    def release(self) -> tuple[Failure, ...]:
        """Put back everything that is remembered."""
        failures: list[Failure] = []
        for path in sorted(self._memory.remembered(), key=lambda path: path != _GLOBAL):
            try:
                self._put_back(path)
            except KernelError as error:
                failures.append(Failure(path, "SysctlFailed", str(error)))
        return tuple(failures)

    def _effective(self, path: str, *, wanted: bool) -> bool:
        value = bool(self._kernel.read(_key(path)))
        if value or wanted or path == _GLOBAL:
            return value
        # The kernel answers by proxy when either the interface's or the "all" setting says so.
        return bool(self._kernel.read(interface_key("all", "proxy_arp")))

    def _set(self, change: Change) -> None:
        key, value = _key(change.path), int(bool(change.after))
        # A setting that was right when we came and was changed since is put back to what it was when we came.
        self._memory.remember(change.path, value if change.op == "heal" else self._kernel.read(key))
        self._kernel.write(key, value)
        if change.path != _GLOBAL and not value and self._effective(change.path, wanted=False):
            overruling = display(interface_key("all", "proxy_arp"))
            raise KernelError(
                0, f"{display(key)} is 0, but {overruling} is 1 and overrules it: set that to 0"
            )

    def _put_back(self, path: str) -> None:
        value = self._memory.remembered().get(path)
        if value is not None:
            self._kernel.write(_key(path), value)
            self._memory.forget(path)


def _key(path: str) -> Key:
    _, interface = split(path)
    return IP_FORWARD if interface is None else interface_key(interface, "proxy_arp")

"""``forwarding``: kernel settings that let subscribers' packets through. They are borrowed from the machine.

What was there before our first write is remembered, durably, before that write, and put back when the site
no longer declares the setting or on release. Writing the global ``ip_forward`` overwrites settings of every
interface, so it always comes first.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from reconciler.linux.errors import KernelError
from reconciler.linux.sysctl import IP_FORWARD, Key, display, interface_key
from reconciler.plan.change import Change
from reconciler.plan.state import State, split
from reconciler.resources.base import Failure, Outcome, Situation
from reconciler.resources.kernel import Kernel

_GLOBAL = "forwarding.ip_forward"
_PROXY_ARP = "forwarding.proxy_arp"
_RP_FILTER = "forwarding.rp_filter"
_MODES: Final = ("off", "strict", "loose")
"""What 0, 1 and 2 mean for rp_filter (RFC 3704)."""


class Memory(Protocol):
    """What outlives the process: the values found before our first write, by path."""

    def remembered(self) -> Mapping[str, int]: ...

    def remember(self, path: str, value: int) -> None:
        """Durable on return. Keeps the first value if there is one already."""

    def forget(self, path: str) -> None: ...


class Forwarding:
    subjects = frozenset({_GLOBAL, _PROXY_ARP, _RP_FILTER})

    def __init__(self, kernel: Kernel, memory: Memory) -> None:
        self._kernel = kernel
        self._memory = memory

    def desired(self, at: Situation) -> State:
        forwarding, interfaces = at.wanted.site.forwarding, at.wanted.site.interface
        state: dict[str, bool | str] = {}
        if forwarding.ip_forward is not None:
            state[_GLOBAL] = forwarding.ip_forward
        if forwarding.proxy_arp is not None:
            state.update((f"{_PROXY_ARP}.{name}", forwarding.proxy_arp) for name in interfaces)
        if forwarding.rp_filter is not None:
            device = (at.live.device,) if at.live.device else ()
            state.update((f"{_RP_FILTER}.{name}", forwarding.rp_filter) for name in (*interfaces, *device))
        return state

    def observe(self, at: Situation) -> State:
        """What is declared, and what we still have to put back; the rest of the machine is not our business.
        Nor is an interface that does not exist.
        """
        declared = self.desired(at)
        state: dict[str, bool | str] = {}
        for path in {*declared, *self._memory.remembered()}:
            try:
                number = self._effective(path, _number(declared.get(path)))
            except KernelError:
                continue
            state[path] = _MODES[number] if split(path)[0] == _RP_FILTER else bool(number)
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

    def _effective(self, path: str, wanted: int) -> int:
        """The setting; or where it is as wanted but the one of ``all`` is larger, that: the kernel takes the
        larger of the two.
        """
        value = self._kernel.read(_key(path))
        if path == _GLOBAL or value != wanted:
            return value
        return max(value, self._kernel.read(_overruling(path)))

    def _set(self, change: Change) -> None:
        key, value = _key(change.path), _number(change.after)
        # A setting that was right when we came and was changed since is put back to what it was when we came.
        self._memory.remember(change.path, value if change.op == "heal" else self._kernel.read(key))
        self._kernel.write(key, value)
        if (effective := self._effective(change.path, value)) > value:
            overruling = f"{display(_overruling(change.path))} is {effective} and overrules it"
            advice = f"set that to {value}"
            raise KernelError(errno.EBUSY, f"{display(key)} is {value}, but {overruling}: {advice}")

    def _put_back(self, path: str) -> None:
        value = self._memory.remembered().get(path)
        if value is not None:
            try:
                self._kernel.write(_key(path), value)
            except KernelError as error:
                if error.errno != errno.ENODEV:  # an interface that is gone took its settings along
                    raise
            self._memory.forget(path)


def _number(value: object) -> int:
    return _MODES.index(value) if isinstance(value, str) else int(bool(value))


def _key(path: str) -> Key:
    subject, interface = split(path)
    return IP_FORWARD if interface is None else interface_key(interface, subject.rpartition(".")[2])


def _overruling(path: str) -> Key:
    return interface_key("all", split(path)[0].rpartition(".")[2])

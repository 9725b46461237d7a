"""``local_ip``: what subscribers see as their peer, in the engine and on the data path's device.

Two resources, since their order differs: the kernel has the address before the engine tells subscribers of
it, and keeps an old one for as long as a live session has it as its peer.
"""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.engine.messages import Settings
from reconciler.linux.errors import KernelError
from reconciler.plan.change import Change
from reconciler.plan.state import State
from reconciler.resources.base import EngineSettings, Failure, Outcome, Situation, Wanted, name_in
from reconciler.resources.kernel import Kernel


class PeerAddress(EngineSettings):
    subjects = frozenset({"local_ip"})

    def message(self, wanted: Wanted) -> Settings:
        return {"local_ip": str(wanted.site.local_ip)}

    def seen(self, settings: Settings) -> State:
        return {"local_ip": settings["local_ip"]}


class DeviceAddress:
    subjects = frozenset({"kernel.address"})

    def __init__(self, kernel: Kernel) -> None:
        self._kernel = kernel

    def desired(self, at: Situation) -> State:
        if at.live.device is None:
            return {}
        peers = {session["peer"] for session in at.live.sessions if session["peer"]}
        return {f"kernel.address.{address}": {} for address in {str(at.wanted.site.local_ip), *peers}}

    def observe(self, at: Situation) -> State:
        if at.live.device is None:
            return {}
        return {f"kernel.address.{address}": {} for address in self._kernel.our_addresses(at.live.device)}

    def apply(self, changes: Sequence[Change], at: Situation) -> Outcome:
        if at.live.device is None:
            return Outcome()
        failures: list[Failure] = []
        for change in changes:
            do = self._kernel.remove_address if change.after is None else self._kernel.add_address
            try:
                do(name_in(change.path), at.live.device)
            except KernelError as error:
                failures.append(Failure(change.path, "AddressFailed", str(error)))
        return Outcome(tuple(failures))

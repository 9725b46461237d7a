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
from reconciler.resources.base import EngineSettings, Failure, Live, Outcome, Situation, Wanted, name_in
from reconciler.resources.engine import EngineClient
from reconciler.resources.kernel import Kernel


class PeerAddress(EngineSettings):
    subjects = frozenset({"local_ip"})

    def message(self, wanted: Wanted) -> Settings:
        return {"local_ip": str(wanted.site.local_ip)}

    def seen(self, settings: Settings) -> State:
        return {"local_ip": settings["local_ip"]}


class DeviceAddress:
    subjects = frozenset({"kernel.address"})

    def __init__(self, kernel: Kernel, engine: EngineClient) -> None:
        self._kernel = kernel
        self._engine = engine

    def desired(self, at: Situation) -> State:
        if at.live.device is None:
            return {}
        addresses = {str(at.wanted.site.local_ip), *_peers(at.live)}
        return {f"kernel.address.{address}": {} for address in addresses}

    def observe(self, at: Situation) -> State:
        if at.live.device is None:
            return {}
        return {f"kernel.address.{address}": {} for address in self._kernel.our_addresses(at.live.device)}

    def apply(self, changes: Sequence[Change], at: Situation) -> Outcome:
        if at.live.device is None:
            return Outcome()
        failures: list[Failure] = []
        for change in changes:
            address = name_in(change.path)
            try:
                if change.after is not None:
                    self._kernel.add_address(address, at.live.device)
                elif address in _peers(Live(self._engine.observe(), at.live.device)):
                    message = f"a subscriber who has just dialled in has {address} as its peer"
                    failures.append(Failure(change.path, "AddressNeeded", message))
                else:
                    self._kernel.remove_address(address, at.live.device)
            except KernelError as error:
                failures.append(Failure(change.path, "AddressFailed", str(error)))
        return Outcome(tuple(failures))


def _peers(live: Live) -> set[str]:
    """Our addresses, as live sessions know us."""
    return {session["peer"] for session in live.sessions if session["peer"]}

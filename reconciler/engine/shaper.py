"""Which address has which rate, and that the kernel keeps to it, whatever becomes of the device.

Neighbours: ``host`` tells the rates as sessions come, go and change; ``lanes`` is how they are kept. It must
not know sessions, nor how a data path works.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.engine.access.config import UNLIMITED
from reconciler.engine.lanes import Road

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.engine.access.config import Rate

log = logging.getLogger("reconciler.engine")


class Shaper:
    """Rates by address, on a device; None where no packets are carried, and a rate means nothing.

    What the kernel refuses is logged, and tried again with every :meth:`inspect`.
    """

    def __init__(self, device: str | None) -> None:
        self._device = device
        self._road: Road | None = None
        self._rates: dict[bytes, Rate] = {}
        self._kept: dict[bytes, Rate] = {}
        self._trouble = ""

    def set(self, address: bytes, rate: Rate) -> None:
        """Keep what goes to and comes from an address to this rate from now on."""
        if rate == UNLIMITED:
            self._rates.pop(address, None)
        else:
            self._rates[address] = rate
        self._settle([address])

    def prune(self) -> None:
        """Let go of those whom an earlier engine kept to a rate and this one has not been told of."""
        if self._device is not None and self._road is None:
            with suppress(OSError):
                self._road = Road.left_behind(self._device)
        if self._road is not None:
            self._settle(self._road.addresses - self._rates.keys())

    def inspect(self) -> None:
        """Put back what has gone with its device, and do what could not be done before."""
        if self._road is not None and self._device is not None and not self._road.leads_on(self._device):
            self._road.leave()
            self._road = None
            self._kept.clear()
        self._settle([address for address, rate in self._rates.items() if self._kept.get(address) != rate])

    def end(self) -> None:
        """Leave no trace."""
        if self._road is not None:
            self._road.remove()

    def _settle(self, addresses: Iterable[bytes]) -> None:
        trouble = ""
        for address in addresses:
            try:
                self._keep(address, self._rates.get(address, UNLIMITED))
            except OSError as error:
                trouble = str(error)
        if trouble and trouble != self._trouble:
            log.error("some rate limits are not kept: %s", trouble)
        self._trouble = trouble or self._trouble

    def _keep(self, address: bytes, rate: Rate) -> None:
        if self._device is None:
            return
        if self._road is None:
            if rate == UNLIMITED:
                return
            self._road = Road(self._device)
        self._road.set(address, rate)
        if rate == UNLIMITED:
            self._kept.pop(address, None)
        else:
            self._kept[address] = rate

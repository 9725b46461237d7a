"""Where subscribers' packets wait so that a rate is kept: a queue for each address, in each direction.

Towards a subscriber it is a queue of the device on which subscribers' packets appear. From one, packets are
led through a device of ours that does nothing else (ifb), which has queues likewise; only theirs are, who
have such a limit. All of it outlives the engine. Neighbours: ``shaper`` says which rates. It must not
remember any.
"""

from __future__ import annotations

import errno
from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.linux import interface, shaping
from reconciler.linux.errors import KernelError
from reconciler.linux.rtnl import Rtnl

if TYPE_CHECKING:
    from reconciler.engine.access.config import Rate


class FullError(OSError):
    """There is no place left for one more address that ends in the same octet."""


class Road:
    """Both directions on a device. What an earlier engine has set up is taken over. Raises ``OSError``."""

    def __init__(self, device: str) -> None:
        rtnl = self._rtnl = Rtnl()
        try:
            self._index = interface.read(device).ifindex
            if _make_side(rtnl, device):
                shaping.uproot(rtnl, self._index)  # what is there leads to a device that is gone
            self._side = interface.read(side_name(device)).ifindex
            self._survey()
        except OSError:
            rtnl.close()
            raise

    def _survey(self) -> None:
        rtnl = self._rtnl
        shaping.watch_arrivals(rtnl, self._index)
        self._diverted = shaping.filtered(rtnl, self._index, shaping.ARRIVALS)
        self._down = Lanes(rtnl, self._index, shaping.DESTINATION)
        self._up = Lanes(rtnl, self._side, shaping.SOURCE)

    @classmethod
    def left_behind(cls, device: str) -> Road | None:
        """What an earlier engine has set up, if it has."""
        try:
            interface.read(side_name(device))
        except OSError:
            return None
        return cls(device)

    @property
    def addresses(self) -> set[bytes]:
        """Whose packets wait, in either direction."""
        return {*self._down.places, *self._up.places}

    def leads_on(self, device: str) -> bool:
        """Whether the device is still the one on which this was set up, and nothing has been taken away."""
        try:
            return (interface.read(device).ifindex, interface.read(side_name(device)).ifindex) == (
                self._index,
                self._side,
            )
        except OSError:
            return False

    def set(self, address: bytes, rate: Rate) -> None:
        """Keep an address to this rate from now on."""
        self._down.set(address, rate.down)
        if rate.up:
            self._up.set(address, rate.up)
            if address not in self._diverted:
                place = self._diverted[address] = self._up.places[address]
                shaping.divert(self._rtnl, self._index, place, address, self._side)
        else:
            place = self._diverted.pop(address, 0)
            if place:
                shaping.remove_filter(self._rtnl, self._index, shaping.ARRIVALS, place)
            self._up.set(address, 0)

    def leave(self) -> None:
        """Have nothing more to do with it; the kernel goes on."""
        self._rtnl.close()

    def remove(self) -> None:
        """Leave no trace."""
        with suppress(KernelError):
            shaping.uproot(self._rtnl, self._index)
        with suppress(KernelError):
            shaping.delete_device(self._rtnl, self._side)
        self.leave()


class Lanes:
    """One direction: the queues of what leaves a device with certain addresses at ``offset``."""

    def __init__(self, rtnl: Rtnl, index: int, offset: int) -> None:
        self._rtnl, self._index, self._offset = rtnl, index, offset
        shaping.plant(rtnl, index, offset)
        self.places = shaping.filtered(rtnl, index, shaping.TREE)
        self._taken = set(self.places.values())

    def set(self, address: bytes, rate: int) -> None:
        """Keep packets with this address to ``rate`` bits a second; 0: to none."""
        place = self.places.get(address)
        if not rate:
            if place is not None:
                self._close(address, place)
        elif place is not None:
            shaping.set_class(self._rtnl, self._index, place, rate)
        else:
            place = self._free(address)
            shaping.set_class(self._rtnl, self._index, place, rate)
            shaping.set_queue(self._rtnl, self._index, place, rate)
            shaping.lead(self._rtnl, self._index, place, address, self._offset)
            self.places[address] = place
            self._taken.add(place)

    def _close(self, address: bytes, place: int) -> None:
        shaping.remove_filter(self._rtnl, self._index, shaping.TREE, place)
        shaping.remove_class(self._rtnl, self._index, place)
        del self.places[address]
        self._taken.discard(place)

    def _free(self, address: bytes) -> int:
        for number in shaping.NUMBERS:
            place = shaping.slot(address[-1], number)
            if place not in self._taken:
                return place
        raise FullError(errno.ENOSPC, "too many limited addresses end in the same octet")


def side_name(device: str) -> str:
    """The device through which what comes from subscribers is led."""
    return f"{device}-up"


def _make_side(rtnl: Rtnl, device: str) -> bool:
    """Whether there was none."""
    try:
        shaping.make_ifb(rtnl, side_name(device))
    except KernelError as error:
        if error.errno != errno.EEXIST:
            raise
        return False
    return True

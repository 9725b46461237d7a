"""Which address belongs to whom: fixed, remembered, or the next of the pool.

Addresses are integers here. A user gets the address it had before for as long as nobody else needed it; a new
user gets the lowest address never given out; only when none is left does the longest idle one change hands.
Neighbours: ``admission`` asks at login and gives back at the end. It must not know sessions or frames.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from reconciler.engine.access.config import Pool


class Leases:
    """Who holds, last held, or is promised which address."""

    __slots__ = ("_excluded", "_fresh", "_idle", "_live", "_pools", "_remembered", "_reserved")

    def __init__(self) -> None:
        self._pools: tuple[Pool, ...] = ()
        self._excluded: frozenset[int] = frozenset()
        self._reserved: dict[int, bytes] = {}
        self._live: dict[int, bytes] = {}
        self._idle: dict[int, bytes] = {}  # longest idle first
        self._remembered: dict[bytes, int] = {}
        self._fresh: list[int] = []  # for each pool, below this every address was given out or is not to be

    def configure(self, pools: tuple[Pool, ...], excluded: Iterable[int]) -> None:
        """What may be given out from now on, but for ``excluded`` (our own addresses). Live leases stay."""
        self._pools = pools
        self._excluded = frozenset(excluded)
        self._fresh = [pool.start for pool in pools]
        for address in [address for address in self._idle if not self.in_pools(address)]:
            self._forget(address)

    def reserve(self, address: int, user: bytes) -> None:
        """Keep a fixed address for its user: nobody else gets it from a pool."""
        self._reserved[address] = user

    def unreserve(self, address: int, user: bytes) -> None:
        """Let a user's fixed address go back to the pool, if it is in one and not already another's."""
        if self._reserved.get(address) != user:
            return
        del self._reserved[address]
        if self.in_pools(address) and address not in self._live:
            self._idle.setdefault(address, b"")

    def take(self, user: bytes, fixed: int | None) -> int | None:
        """Lease an address to ``user``: its fixed one, or one from the pools. None: in use, or nothing is
        left.
        """
        address = fixed if fixed is not None else self._choose(user)
        return address if address is not None and self.hold(address, user) else None

    def would_take(self, user: bytes, fixed: int | None, freed: Collection[int]) -> bool:
        """Whether ``take`` would lease an address, once those that are ``freed`` are given back."""
        if fixed is not None:
            return fixed not in self._live or fixed in freed
        return any(self._fits(user, address) for address in freed) or self._choose(user) is not None

    def hold(self, address: int, user: bytes) -> bool:
        """Lease this very address to ``user``, wherever it lies. False: somebody else has it."""
        if address in self._live:
            return False
        self._forget(address)
        self._live[address] = user
        self._remembered[user] = address
        return True

    def give_back(self, address: int) -> None:
        """End a lease. The address becomes the last of those that may change hands."""
        user = self._live.pop(address)
        if self.in_pools(address):
            self._idle[address] = user
        elif self._remembered.get(user) == address:
            del self._remembered[user]

    def in_pools(self, address: int) -> bool:
        """Whether the pools, as they now are, contain this address."""
        return any(address in pool for pool in self._pools)

    def _choose(self, user: bytes) -> int | None:
        remembered = self._remembered.get(user)
        if remembered is not None and self._may_have(user, remembered):
            return remembered
        return self._never_given() or next((a for a in self._idle if self._may_have(user, a)), None)

    def _may_have(self, user: bytes, address: int) -> bool:
        return address not in self._live and self._fits(user, address)

    def _fits(self, user: bytes, address: int) -> bool:
        return (
            address not in self._excluded
            and self._reserved.get(address, user) == user
            and self.in_pools(address)
        )

    def _never_given(self) -> int | None:
        for index, pool in enumerate(self._pools):
            address, end = self._fresh[index], pool.start + pool.size
            while address < end and self._known(address):
                address += 1
            self._fresh[index] = address
            if address < end:
                return address
        return None

    def _known(self, address: int) -> bool:
        return (
            address in self._live
            or address in self._idle
            or address in self._reserved
            or address in self._excluded
        )

    def _forget(self, address: int) -> None:
        before = self._idle.pop(address, None)
        if before is not None and self._remembered.get(before) == address:
            del self._remembered[before]

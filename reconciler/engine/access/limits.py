"""What one client, or all of them together, may ask of us: rates, half-open sessions, failed logins.

Everything here is bounded in memory, whoever asks how often from however many addresses: of strangers,
those are forgotten first that were not heard of for the longest. Neighbours: ``concentrator`` asks before
discovery, ``admission`` tells of logins. It must not know frames.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from reconciler.engine.access.rate import Allowance

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Hashable

REMEMBERED: Final = 4096
"""Clients, and users, whose recent behaviour is remembered."""
FORGIVEN: Final = 300.0
"""Seconds without another failed login after which all earlier ones are forgotten."""
FIRST_LOCKOUT: Final = 2.0
"""Seconds; doubled with each further failure."""

K = TypeVar("K", bound="Hashable")
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Limits:
    """``padi_per_mac`` and ``padi_total`` a second; ``half_open`` sessions that have not logged in, of all
    clients; ``failed_logins`` in a row before a lock-out of at most ``lockout`` seconds. 0 = no limit.
    """

    padi_per_mac: int = 10
    padi_total: int = 2000
    half_open: int = 4000
    failed_logins: int = 5
    lockout: int = 60


USUAL: Final = Limits()
"""The limits until somebody sets others."""


class Recent(Generic[K, V]):
    """The values of the keys that were used most recently."""

    __slots__ = ("_make", "_values")

    def __init__(self, make: Callable[[], V]) -> None:
        self._make = make
        self._values: OrderedDict[K, V] = OrderedDict()

    def use(self, key: K) -> V:
        """The value, made now if there is none."""
        value = self._values.get(key)
        if value is None:
            value = self._make()
            self.put(key, value)
        else:
            self._values.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        self._values[key] = value
        self._values.move_to_end(key)
        if len(self._values) > REMEMBERED:
            self._values.popitem(last=False)

    def get(self, key: K) -> V | None:
        """The value, if there is one; reading is not using."""
        return self._values.get(key)

    def forget(self, key: K) -> None:
        self._values.pop(key, None)

    def forget_if(self, condition: Callable[[V], bool]) -> None:
        for key in [key for key, value in self._values.items() if condition(value)]:
            del self._values[key]


class Solicitations:
    """How fast clients may ask who is there (PADI), and each of them begin sessions (PADR)."""

    __slots__ = ("_begun", "_each", "_total")

    def __init__(self, limits: Limits) -> None:
        per_mac, total = limits.padi_per_mac, limits.padi_total
        self._each: Recent[bytes, Allowance] = Recent(lambda: Allowance(per_mac, 2 * per_mac))
        self._begun: Recent[bytes, Allowance] = Recent(lambda: Allowance(per_mac, 2 * per_mac))
        self._total = Allowance(total, total)

    def take(self, mac: bytes, now: float) -> bool:
        """Whether one more PADI of this client is answered."""
        return self._each.use(mac).take(now) and self._total.take(now)

    def take_session(self, mac: bytes, now: float) -> bool:
        """Whether this client may begin one more session."""
        return self._begun.use(mac).take(now)


class _Record:
    """Failed logins in a row: how many, when the last, with which name, until when there is no other."""

    __slots__ = ("count", "last", "name", "until")

    def __init__(self) -> None:
        self.count = 0
        self.last = self.until = float("-inf")
        self.name = b""


class Logins:
    """Whoever fails to log in again and again waits, longer each time: the client, and the user's name.

    The client that last logged in under a name is not kept out by what others try with it: of each user it is
    known which that is.
    """

    __slots__ = ("_clients", "_limits", "_names", "_proven")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._clients: Recent[bytes, _Record] = Recent(_Record)
        self._names: Recent[bytes, _Record] = Recent(_Record)
        self._proven: dict[bytes, bytes] = {}

    def configure(self, limits: Limits) -> None:
        """These limits from now on; if they are others than before, all is forgiven."""
        if limits != self._limits:
            self._limits = limits
            self._clients = Recent(_Record)
            self._names = Recent(_Record)

    def client_locked(self, mac: bytes, now: float) -> bool:
        """Whether this client still has to wait."""
        record = self._clients.get(mac)
        return record is not None and now < record.until

    def locked(self, mac: bytes, name: bytes, now: float) -> bool:
        """Whether this client, or this name from it, still has to wait."""
        record = self._names.get(name)
        name_locked = record is not None and now < record.until
        return self.client_locked(mac, now) or (name_locked and self._proven.get(name) != mac)

    def failed(self, mac: bytes, name: bytes, now: float) -> None:
        """Take note of a failed login."""
        if self._limits.failed_logins:
            self._note(self._clients.use(mac), name, now)
            self._note(self._names.use(name), name, now)

    def succeeded(self, mac: bytes, name: bytes) -> None:
        """All is forgiven. ``name`` is a user's."""
        self._clients.forget(mac)
        self._names.forget(name)
        self._proven[name] = mac

    def forgive(self, names: Collection[bytes]) -> None:
        """These users have changed: whoever failed under one of their names may try again at once."""
        for name in names:
            self._names.forget(name)
        self._clients.forget_if(lambda record: record.name in names)

    def forget(self, name: bytes) -> None:
        """Nobody has proven to be this user any more."""
        self._proven.pop(name, None)

    def _note(self, record: _Record, name: bytes, now: float) -> None:
        record.count = record.count + 1 if now < record.last + FORGIVEN else 1
        record.last, record.name = now, name
        excess = record.count - self._limits.failed_logins
        if excess >= 0:
            record.until = now + min(FIRST_LOCKOUT * 2 ** min(excess, 16), self._limits.lockout)

"""The live sessions, found by wire identity, by client, and by user; and the ids of new ones.

Neighbours: ``concentrator`` looks them up, ``lifecycle`` and ``admission`` tell what becomes of them. It must
not know why a session comes or goes.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from reconciler.engine.access.changes import REMEMBERED, Changes
from reconciler.engine.access.effects import Key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reconciler.engine.access.effects import Vlans
    from reconciler.engine.access.session import Session

    Client = tuple[str, Vlans, bytes]
    Identity = tuple[str, Vlans, bytes, int]

K = TypeVar("K")

QUARANTINE: Final = 60.0
"""Seconds for which a freed session id is not given out again, so that a late frame cannot hit a stranger."""
SILENCE: Final = 10.0
"""Seconds after a session's end in which whoever still sends in it has only not yet had the PADT."""
LAST_ID: Final = 0xFFFE
"""0 means discovery and 0xFFFF is reserved (RFC 2516 §4)."""


class SessionIds:
    """Session ids of all interfaces, rolling from ``start``, each unique while in use and a while after.

    That while is shorter only when no other id is left: so many short sessions are somebody's mischief, which
    must not keep the others out.
    """

    __slots__ = ("_freed", "_last", "_taken")

    def __init__(self, start: int) -> None:
        self._last = start % LAST_ID
        self._taken: dict[int, str | float] = {}  # the interface that has it, or since when it is free
        self._freed: deque[tuple[float, int]] = deque()

    def take(self, interface: str, now: float) -> int | None:
        """The next free id, or None when all 65,534 are in use."""
        while self._freed and (self._freed[0][0] <= now or len(self._taken) >= LAST_ID):
            del self._taken[self._freed.popleft()[1]]
        if len(self._taken) >= LAST_ID:
            return None
        while True:
            self._last = self._last % LAST_ID + 1
            if self._last not in self._taken:
                self._taken[self._last] = interface
                return self._last

    def known(self, interface: str, session_id: int, now: float) -> bool:
        """Whether the id is in use on this interface, or was until a moment ago on any."""
        taken = self._taken.get(session_id)
        if isinstance(taken, str):
            return taken == interface
        return taken is not None and now < taken + SILENCE

    def in_use(self, session_id: int) -> bool:
        """Whether a session has the id now."""
        return isinstance(self._taken.get(session_id), str)

    def hold(self, interface: str, session_id: int) -> None:
        """Take this very id."""
        self._taken[session_id] = interface

    def free(self, session_id: int, now: float) -> None:
        """Put an id into quarantine."""
        self._taken[session_id] = now
        self._freed.append((now + QUARANTINE, session_id))


class Groups(Generic[K]):
    """Sessions by what few of them share: one that is alone is kept as it is, several are kept as a tuple."""

    __slots__ = ("_sessions",)

    def __init__(self) -> None:
        self._sessions: dict[K, Session | tuple[Session, ...]] = {}

    def of(self, key: K) -> tuple[Session, ...]:
        """Those who have this in common, in the order in which they were put."""
        found = self._sessions.get(key)
        if found is None:
            return ()
        return found if isinstance(found, tuple) else (found,)

    def put(self, key: K, sessions: tuple[Session, ...]) -> None:
        """These, and no others, have this in common."""
        if sessions:
            self._sessions[key] = sessions[0] if len(sessions) == 1 else sessions
        else:
            del self._sessions[key]

    def discard(self, key: K, session: Session) -> None:
        """This one has it no more."""
        self.put(key, tuple(other for other in self.of(key) if other is not session))


class Table:
    """Sessions by their key, and by the header of their frames; by client, since one MAC address may hold
    several; and by user, oldest first. ``changes`` tells which have come, gone, or become another to look at;
    ``half_open`` is how many still have to log in.
    """

    __slots__ = ("_by_client", "_by_header", "_by_key", "_by_user", "_ended", "changes", "half_open")

    def __init__(self) -> None:
        self.changes: Changes[Key] = Changes()
        self._by_key: dict[Identity, Session] = {}
        self._by_header: dict[str, dict[bytes, Session]] = {}
        self._by_client: Groups[Client] = Groups()
        self._by_user: Groups[bytes] = Groups()
        self._ended: OrderedDict[Key, str] = OrderedDict()
        self.half_open = 0

    def __iter__(self) -> Iterator[Session]:
        return iter(self._by_key.values())

    def __len__(self) -> int:
        return len(self._by_key)

    def get(self, key: Identity) -> Session | None:
        """The session of this key, or of a plain tuple that is equal to it."""
        return self._by_key.get(key)

    def of_header(self, interface: str, header: bytes) -> Session | None:
        """The session on this interface whose frames to the subscriber begin with these octets."""
        sessions = self._by_header.get(interface)
        return None if sessions is None else sessions.get(header)

    def of_client(self, interface: str, vlans: Vlans, mac: bytes) -> tuple[Session, ...]:
        return self._by_client.of((interface, vlans, mac))

    def of_user(self, name: bytes) -> tuple[Session, ...]:
        """The sessions that are logged in as this user, oldest first, in whatever order they logged in."""
        return self._by_user.of(name)

    def add(self, session: Session) -> None:
        key = session.key
        self.half_open += 1
        self.changes.note(key)
        self._by_key[key] = session
        self._by_header.setdefault(key.interface, {})[session.header] = session
        client = key.interface, key.vlans, key.mac
        self._by_client.put(client, (*self._by_client.of(client), session))

    def remove(self, session: Session, reason: str) -> None:
        """A session is over. Why, is remembered if somebody had logged in, for as long as the change is."""
        key = session.key
        self.half_open -= session.half_open
        if session.user is not None:
            self._ended[key] = reason
            if len(self._ended) > REMEMBERED:
                self._ended.popitem(last=False)
        self.changes.note(key)
        del self._by_key[key]
        del self._by_header[key.interface][session.header]
        self._by_client.discard((key.interface, key.vlans, key.mac), session)

    def why_ended(self, key: Key) -> str | None:
        """Why the session of this key, which is over, was ended; None where that is not remembered."""
        return self._ended.get(key)

    def log_in(self, session: Session, name: bytes) -> None:
        self.changes.note(session.key)
        others = self._by_user.of(name)
        self._by_user.put(name, tuple(sorted((*others, session), key=_age)) if others else (session,))
        self.half_open -= 1

    def log_out(self, session: Session, name: bytes) -> None:
        self.changes.note(session.key)
        self._by_user.discard(name, session)
        self.half_open += session.ending is None

    def end(self, session: Session, reason: str) -> None:
        """The session is being ended, logged in or not."""
        self.half_open -= session.half_open
        session.ending = reason
        self.changes.note(session.key)


def _age(session: Session) -> tuple[float, str, bytes, int]:
    """What a plan, too, orders sessions by."""
    return session.started, session.key.interface, session.key.mac, session.key.id

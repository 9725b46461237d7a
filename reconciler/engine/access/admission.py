"""Who may log in, in place of whom, and with which address.

Neighbours: ``lifecycle`` asks at each login; ``concentrator`` passes on changes of users and settings. It
must not know frames or timers, nor end a session itself: it only names the ones that have to make room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from reconciler.engine.access.config import UNLIMITED, terms
from reconciler.engine.access.leases import Leases
from reconciler.engine.access.limits import USUAL, Logins
from reconciler.engine.access.reasons import Refusal
from reconciler.engine.access.users import Question, Users
from reconciler.engine.ppp.link import Grant

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.engine.access.config import Config, Rate, User
    from reconciler.engine.access.session import Session
    from reconciler.engine.access.table import Table
    from reconciler.engine.access.users import Proven
    from reconciler.engine.ppp.link import Credentials

    Verdict: TypeAlias = "Welcome | Refusal | Question"


class Welcome(NamedTuple):
    """These credentials are ``user``'s; ``rivals`` are its sessions that have to end to make room for this
    one. ``proof`` is for the client (``ppp.link.Grant``).
    """

    user: User
    rivals: tuple[Session, ...]
    proof: bytes


class Admission:
    """The users, the leases, and the rule for second logins."""

    __slots__ = ("_leases", "_logins", "_table", "_users")

    def __init__(self, table: Table, key: bytes) -> None:
        """``key`` (up to 64 random octets) is for the memory of good logins."""
        self._table = table
        self._users = Users(key)
        self._leases = Leases()
        self._logins = Logins(USUAL)

    @property
    def users(self) -> Users:
        return self._users

    def configure(self, config: Config) -> None:
        """Lease from these pools, within these limits, from now on."""
        self._logins.configure(config.limits)
        self._leases.configure(config.pools, {int.from_bytes(config.local_ip, "big")})

    def put(self, user: User) -> None:
        """Add a user, or replace one of the same name."""
        before = self._users.get(user.name)
        self._unreserve(before)
        if before is not None and before.secret != user.secret:
            self._logins.forget(user.name)
        self._users.put(user)
        if user.address is not None:
            self._leases.reserve(int.from_bytes(user.address, "big"), user.name)

    def remove(self, name: bytes) -> None:
        """Forget a user; no login of that name succeeds any more."""
        self._unreserve(self._users.remove(name))
        self._logins.forget(name)

    def _unreserve(self, user: User | None) -> None:
        if user is not None and user.address is not None:
            self._leases.unreserve(int.from_bytes(user.address, "big"), user.name)

    def forgive(self, names: Collection[bytes]) -> None:
        """Whoever had to wait after failed logins as one of these users waits no more."""
        self._logins.forgive(names)

    def locked_out(self, mac: bytes, now: float) -> bool:
        """Whether this client has failed so often that it is not even offered a session now."""
        return self._logins.client_locked(mac, now)

    def decide(self, session: Session, credentials: Credentials, now: float) -> Verdict:
        """Whether these credentials are good and there is room, or why not; or what has to be found out
        before ``conclude`` can say so.
        """
        if self._logins.locked(session.key.mac, credentials.name, now):
            return Refusal.LOCKED_OUT
        return self._decide(session, credentials.name, self._users.check(credentials), now)

    def conclude(self, session: Session, question: Question, good: bool, now: float) -> Verdict:
        """The same, once the question has its answer."""
        return self._decide(session, question.name, self._users.conclude(question, good), now)

    def rate(self, session: Session) -> Rate:
        """How fast the session's packets may go: by what its user may now, or might at its login if it is
        gone, so that nobody gets rid of a limit by being removed.
        """
        if session.user is None:
            return UNLIMITED
        return (self._users.get(session.user.name) or session.user).rate

    def confirm(self, session: Session, credentials: Credentials) -> Grant | Refusal:
        """Whether these are still the credentials of the user who is logged in; if so, what it has anyway."""
        checked = self._users.check(credentials)
        if isinstance(checked, Refusal):
            return checked
        if isinstance(checked, Question) or session.user is None or session.address is None:
            return Refusal.METHOD_UNSERVED
        if checked.user.name != session.user.name:
            return Refusal.OTHER_USER
        return _grant(session.config, session.address, checked.proof)

    def _decide(
        self, session: Session, name: bytes, checked: Proven | Refusal | Question, now: float
    ) -> Verdict:
        """A subscriber that comes back without having said goodbye (same MAC address) always gets its place
        back; from elsewhere the oldest session makes room, or the login is refused, as ``second_login`` says.
        Nobody makes room for a login that would then find no address.
        """
        mac = session.key.mac
        if isinstance(checked, Question):
            return checked
        if isinstance(checked, Refusal):
            self._logins.failed(mac, name, now)
            return checked
        self._logins.succeeded(mac, name)
        user, proof = checked
        live = self._table.of_user(user.name)
        surplus = len(live) + 1 - user.sessions
        if surplus <= 0:
            return Welcome(user, (), proof)
        ours = [rival for rival in live if rival.key.mac == mac]
        others = [rival for rival in live if rival.key.mac != mac]
        rivals = tuple((ours + others)[:surplus])
        if len(ours) < surplus and session.config.second_login == "refuse":
            return Refusal.TOO_MANY_SESSIONS
        freed = [rival.address for rival in rivals if rival.address is not None]
        if not self._leases.would_take(user.name, _fixed(user), freed):
            return Refusal.NO_ADDRESS
        return Welcome(user, rivals, proof)

    def admit(self, session: Session, welcome: Welcome) -> Grant | None:
        """Lease an address and log the session in. None: no address is left, or the fixed one is in use."""
        config, user = session.config, welcome.user
        address = self._leases.take(user.name, _fixed(user))
        if address is None:
            return None
        session.user, session.address = user, address
        session.logged_in = True
        self._table.log_in(session, user.name)
        return _grant(config, address, welcome.proof)

    def readmit(self, session: Session, user: User, address: int) -> bool:
        """Log in again who was logged in before a restart, on the terms of then. False: no such address."""
        if not self._leases.hold(address, user.name):
            return False
        session.user, session.address = user, address
        session.logged_in = True
        self._table.log_in(session, user.name)
        self._logins.succeeded(session.key.mac, user.name)
        return True

    def release(self, session: Session) -> None:
        """Log the session out and take its address back, if it is logged in."""
        if session.logged_in and session.user is not None and session.address is not None:
            session.logged_in = False
            self._table.log_out(session, session.user.name)
            self._leases.give_back(session.address)

    def stale(self, session: Session, config: Config) -> bool:
        """Whether a re-dial would give the subscriber something else than it has."""
        if session.user is None or session.address is None:
            return False
        user = self._users.get(session.user.name)
        if user is None or terms(config, user) != terms(session.config, session.user):
            return True
        return user.address is None and not self._leases.in_pools(session.address)


def _fixed(user: User) -> int | None:
    return None if user.address is None else int.from_bytes(user.address, "big")


def _grant(config: Config, address: int, proof: bytes) -> Grant:
    return Grant(address.to_bytes(4, "big"), config.local_ip, config.dns, config.wins, proof)

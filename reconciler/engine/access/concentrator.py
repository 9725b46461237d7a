"""The access concentrator itself, without any input or output of its own (sans-IO).

Frames, ticks and commands go in; effects come out. Neighbours: ``host`` feeds it and performs the effects;
``discovery`` and ``lifecycle`` do the work of the two stages of RFC 2516. It must not know sockets, clocks,
or where users and settings come from.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING, Final, NamedTuple

from reconciler.engine.access.admission import Admission
from reconciler.engine.access.config import Config
from reconciler.engine.access.discovery import Admitted, Discovery, Listener, Refused, answer
from reconciler.engine.access.drain import Drain
from reconciler.engine.access.effects import Dropped, Effect, Fault, Key, Send
from reconciler.engine.access.lifecycle import Lifecycle
from reconciler.engine.access.limits import Solicitations
from reconciler.engine.access.policies import Policies
from reconciler.engine.access.rate import Allowance
from reconciler.engine.access.reasons import End
from reconciler.engine.access.session import Session
from reconciler.engine.access.table import SessionIds, Table
from reconciler.engine.ppp.link import Link
from reconciler.engine.wire import ethernet, pppoe
from reconciler.engine.wire import session as wire
from reconciler.engine.wire.drop import Drop, Malformed
from reconciler.engine.wire.pppoe import PADI, PADO, PADR, PADS, PADT, SESSION, TagType

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

    from reconciler.engine.access.changes import Changes
    from reconciler.engine.access.config import User
    from reconciler.engine.access.memo import Recalled
    from reconciler.engine.access.users import Users
    from reconciler.engine.wire.ethernet import Frame

HALF_OPEN_PER_CLIENT: Final = 4
"""Sessions that one client (MAC address and VLAN) may have without having logged in; then the oldest makes
room.
"""


STRANGERS_TOLD: Final = 200
"""Clients a second that are told, by a PADT, that the session they are sending in does not exist."""


class Outcome(NamedTuple):
    """What a command leads to: effects to perform, and the sessions that it is ending."""

    effects: list[Effect]
    ended: list[Key]


class Concentrator:
    """All sessions of all listeners. ``entropy(n)`` gives n random octets; every ``now`` is monotonic
    seconds. ``secret`` is the key of the cookies: with the same one, those of an earlier process are good.
    """

    def __init__(self, entropy: Callable[[int], bytes], secret: bytes | None = None) -> None:
        self.config = Config()
        self.generation = 0
        self.listeners: dict[str, Listener] = {}
        self._entropy = entropy
        self._discovery = Discovery(secret or entropy(32))
        self._ids = SessionIds(int.from_bytes(entropy(2), "big"))
        self._policies = Policies()
        self._table = Table()
        self._admission = Admission(self._table, entropy(32))
        self._lifecycle = Lifecycle(self._table, self._admission, self._free_id)
        self._solicitations = Solicitations(self.config.limits)
        self._strangers_told = Allowance(STRANGERS_TOLD, STRANGERS_TOLD)
        self._drain: Drain | None = None

    # From the network and the clock

    def receive(self, interface: str, data: bytes, now: float) -> list[Effect]:
        """Take one frame that arrived on a listener's interface. Whatever its content, it raises nothing."""
        listener = self.listeners.get(interface)
        if listener is None:
            return [Dropped(Drop.NOT_FOR_US)]
        try:
            header = wire.header_back(data)
            session = self._table.of_header(interface, header)
            if session is not None:
                return self._lifecycle.receive(session, wire.payload(data, len(header)), now)
            frame = ethernet.decode(data)
            packet = pppoe.decode(frame.payload)
            refusal = _misaddressed(listener, frame, packet)
            if refusal is not None:
                return [Dropped(refusal)]
            if frame.ethertype == pppoe.ETHERTYPE_SESSION:
                return self._stray(listener, frame, packet, now)
            return self._discovery_stage(listener, frame, packet, now)
        except Malformed as malformed:
            return [Dropped(malformed.reason)]
        except Exception as error:
            return [Fault(Key(interface, (), data[6:12], 0), error)]

    def tick(self, now: float) -> list[Effect]:
        """Let time pass: everything that is due by ``now``."""
        effects = self._lifecycle.tick(now)
        return effects if self._drain is None else effects + self._drained(self._drain, now).effects

    def deadline(self) -> float | None:
        """When ``tick`` is next due; None while nothing waits."""
        due = self._lifecycle.deadline()
        if self._drain is None or self._drain.due == inf:
            return due
        return self._drain.due if due is None else min(due, self._drain.due)

    def waits(self, key: Key, number: int) -> bool:
        """Whether the answer to an ``Ask`` is still wanted."""
        session = self._table.get(key)
        return session is not None and self._lifecycle.waits(session, number)

    def answered(self, key: Key, number: int, good: bool | None, now: float) -> list[Effect]:
        """The answer to an ``Ask``: None if there was no room for it. One that is not wanted is dropped."""
        session = self._table.get(key)
        return [] if session is None else self._lifecycle.answered(session, number, good, now)

    # From the operator

    @property
    def users(self) -> Users:
        """Those who may log in."""
        return self._admission.users

    @property
    def changes(self) -> Changes[Key]:
        """Which sessions have changed when; ``users.changes`` tells the same of users."""
        return self._table.changes

    def __iter__(self) -> Iterator[Session]:
        """The live sessions."""
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)

    def stale(self, session: Session) -> bool:
        """Whether a re-dial would give this subscriber something else than it has."""
        return self._admission.stale(session, self.config)

    def configure(self, config: Config, generation: int) -> None:
        """Use these settings for every new session. Touches no live one."""
        self.generation = generation
        if config.limits != self.config.limits:
            self._solicitations = Solicitations(config.limits)
        self.config = config
        self._policies.clear()
        self._admission.configure(config)

    def change_users(
        self, put: Collection[User], remove: Iterable[tuple[bytes, bool]], generation: int, now: float
    ) -> Outcome:
        """Add or replace users, and remove some: ``remove`` has names, each with whether its sessions end.

        Who is disabled now loses all its sessions, unless it drains; who has another password too, if it
        renews; who may have fewer than before, the oldest surplus.
        """
        self.generation = generation
        doomed: list[tuple[Session, str]] = []
        shaped: list[Effect] = []
        for name, terminate in remove:
            self._admission.remove(name)
            if terminate:
                doomed += [(session, End.USER_REMOVED) for session in self._table.of_user(name)]
        self._admission.forgive({user.name for user in put})
        for user in put:
            before = self.users.get(user.name)
            self._admission.put(user)
            live = self._table.of_user(user.name)
            for session in live:
                if session.path_open:
                    shaped += self._lifecycle.shape(session, user.rate)
            disabled = not user.enabled and (before is None or before.enabled)
            if disabled and not user.drains:
                doomed += [(session, End.USER_DISABLED) for session in live]
            elif before is not None and user.renews and user.fingerprint != before.fingerprint:
                doomed += [(session, End.PASSWORD_CHANGED) for session in live]
            elif before is not None and len(live) > user.sessions < before.sessions:
                doomed += [(session, End.SESSIONS_LOWERED) for session in live[: len(live) - user.sessions]]
        outcome = self._end(doomed, now)
        return Outcome([*shaped, *outcome.effects], outcome.ended)

    def listen(self, listener: Listener, generation: int) -> None:
        """Serve an interface."""
        self.generation = generation
        self.listeners[listener.interface] = listener

    def resume(self, recalled: Recalled, config: Config, now: float) -> list[Effect] | None:
        """Go on with a session that was up before a restart, under the ``config`` of then. None: it cannot
        be, since its interface is not served, or its id or address has been given away.
        """
        key = recalled.key
        listener = self.listeners.get(key.interface)
        if listener is None or self._ids.in_use(key.id):
            return None
        session = self._session(key, listener, config, recalled.mru, recalled.generation, recalled.started)
        session.signature, session.line = recalled.signature, recalled.line
        if not self._admission.readmit(session, recalled.user, recalled.address):
            return None
        self._ids.hold(key.interface, key.id)
        return self._lifecycle.resume(session, recalled.agreed, now)

    def get(self, key: Key) -> Session | None:
        """The live session of this identity."""
        return self._table.get(key)

    def why_ended(self, key: Key) -> str | None:
        """Why the session of this identity is over, if somebody had logged in: told for as long as
        ``changes`` tells that it is gone.
        """
        return self._table.why_ended(key)

    def lose(self, interface: str, reason: str, now: float) -> Outcome:
        """Serve an interface no more."""
        self.listeners.pop(interface, None)
        return self.abandon(interface, reason, now)

    def abandon(self, interface: str, reason: str, now: float) -> Outcome:
        """End an interface's sessions at once, each with a PADT that may still get out."""
        lost = [session for session in self._table if session.key.interface == interface]
        effects = [effect for session in lost for effect in self._lifecycle.forget(session, reason, now)]
        return Outcome(effects, [session.key for session in lost])

    def terminate(self, keys: Iterable[Key], reason: str, now: float) -> Outcome:
        """End these sessions politely. Those that are gone already are passed over."""
        sessions = [session for key in keys if (session := self._table.get(key)) is not None]
        return self._end([(session, reason) for session in sessions], now)

    @property
    def draining(self) -> float | None:
        """How many sessions a second are being ended, while nobody is admitted; None: all is as usual."""
        return None if self._drain is None else self._drain.rate

    def drain(self, rate: float, now: float) -> None:
        """Admit nobody any more and end every session politely, ``rate`` of them a second, as time passes."""
        self._drain = Drain(rate, now)

    def admit(self) -> None:
        """No more draining: those that are not being ended yet stay, and others may come."""
        self._drain = None

    def stop(self, now: float) -> Outcome:
        """Admit nobody any more and end every session politely at once."""
        self._drain = Drain(inf, now, End.SHUTDOWN)
        return self._drained(self._drain, now)

    def _drained(self, drain: Drain, now: float) -> Outcome:
        return self._end([(session, drain.reason) for session in drain.turn(self._table, now)], now)

    @property
    def minds_idling(self) -> bool:
        """Whether any session may be ended for carrying nothing."""
        return any(session.config.idle_timeout for session in self._table)

    def carried(self, packets: Mapping[Key, int], now: float) -> list[Effect]:
        """How many packets each open path has carried by now: sessions that were idle for too long end."""
        live = ((self._table.get(key), count) for key, count in packets.items())
        known = [(session, count) for session, count in live if session is not None]
        return [effect for session, count in known for effect in self._lifecycle.carried(session, count, now)]

    def _end(self, doomed: list[tuple[Session, str]], now: float) -> Outcome:
        effects = [
            effect for session, reason in doomed for effect in self._lifecycle.end(session, reason, now)
        ]
        return Outcome(effects, [session.key for session, _ in doomed])

    # Discovery stage (RFC 2516 §5)

    def _discovery_stage(
        self, listener: Listener, frame: Frame, packet: pppoe.Packet, now: float
    ) -> list[Effect]:
        code = packet.code
        if code == PADT:
            return self._padt(listener, frame, packet, now)
        if code in (PADO, PADS):
            return [Dropped(Drop.ROGUE_AC)]
        if code not in (PADI, PADR):
            return [Dropped(Drop.BAD_CODE)]
        if packet.session_id != 0:
            return [Dropped(Drop.BAD_SESSION_ID)]
        if not self.users:
            # Refused logins are remembered by clients: silence only has them ask again.
            return [Dropped(Drop.NO_USERS)]
        if self._admission.locked_out(frame.source, now):
            return [Dropped(Drop.LOCKED_OUT)]
        if code == PADR:
            return self._padr(listener, frame, packet, now)
        if self._drain is not None:
            return [Dropped(Drop.STOPPING)]
        if not self._solicitations.take(frame.source, now):
            return [Dropped(Drop.PADI_RATE)]
        pado = self._discovery.offer(self.config, listener, frame, packet, now)
        return [Dropped(pado) if isinstance(pado, Drop) else Send(listener.interface, pado)]

    def _padr(self, listener: Listener, frame: Frame, packet: pppoe.Packet, now: float) -> list[Effect]:
        verdict = self._discovery.admit(self.config, listener, frame, packet, now)
        if isinstance(verdict, Drop):
            return [Dropped(verdict)]
        if isinstance(verdict, Refused):
            return [Send(listener.interface, answer(listener, frame, PADS, 0, verdict.tags))]
        if self._drain is not None:
            return [_no_session(listener, frame, verdict, b"shutting down")]
        siblings = self._table.of_client(listener.interface, frame.vlans, frame.source)
        for session in siblings:
            if session.signature == verdict.signature:  # its PADS was lost: say it again, and nothing else
                repeat = Send(listener.interface, session.pads)
                return [repeat if session.half_open and session.pads else Dropped(Drop.LATE_PADR)]
        effects: list[Effect] = []
        half_open = [session for session in siblings if session.half_open]
        if not self._solicitations.take_session(frame.source, now):
            return [Dropped(Drop.PADR_RATE)]
        if len(half_open) >= HALF_OPEN_PER_CLIENT:
            effects += self._lifecycle.forget(half_open[0], End.HALF_OPEN_LIMIT, now)
        return effects + self._begin(listener, frame, verdict, now)

    def _begin(self, listener: Listener, frame: Frame, admitted: Admitted, now: float) -> list[Effect]:
        crowded = 0 < self.config.limits.half_open <= self._table.half_open
        session_id = None if crowded else self._ids.take(listener.interface, now)
        if session_id is None:
            return [_no_session(listener, frame, admitted, b"too many sessions")]
        key = Key(listener.interface, frame.vlans, frame.source, session_id)
        session = self._session(key, listener, self.config, admitted.mru, self.generation, now)
        session.signature, session.line = admitted.signature, admitted.line
        session.pads = answer(listener, frame, PADS, session_id, admitted.tags)
        return self._lifecycle.begin(session, now)

    def _session(
        self, key: Key, listener: Listener, config: Config, mru: int, generation: int, started: float
    ) -> Session:
        link = Link(self._policies.of(config, mru), self._entropy)
        return Session(key, listener, config, link, mru, generation, started)

    def _padt(self, listener: Listener, frame: Frame, packet: pppoe.Packet, now: float) -> list[Effect]:
        session = self._table.get((listener.interface, frame.vlans, frame.source, packet.session_id))
        if session is None:
            return [Dropped(self._stranger(packet))]
        return self._lifecycle.forget(session, End.PADT_RECEIVED, now, padt=False)

    # Session stage (RFC 2516 §6), where there is no such session

    def _stray(self, listener: Listener, frame: Frame, packet: pppoe.Packet, now: float) -> list[Effect]:
        if packet.code != SESSION:
            return [Dropped(Drop.BAD_CODE)]
        return [Dropped(self._stranger(packet)), *self._tell(listener, frame, packet, now)]

    def _tell(self, listener: Listener, frame: Frame, packet: pppoe.Packet, now: float) -> list[Effect]:
        """A client that outlived us, or missed our PADT, learns that it has to dial again. Not one whose
        session has only just ended: after a PADT nothing more is said (RFC 2516 §5.5).
        """
        known = self._ids.known(listener.interface, packet.session_id, now)
        if known or not self._strangers_told.take(now):
            return []
        return [Send(listener.interface, answer(listener, frame, PADT, packet.session_id, ()))]

    def _stranger(self, packet: pppoe.Packet) -> Drop:
        return Drop.FOREIGN_SESSION if self._ids.in_use(packet.session_id) else Drop.UNKNOWN_SESSION

    def _free_id(self, session: Session, now: float) -> None:
        self._ids.free(session.key.id, now)


def _no_session(listener: Listener, frame: Frame, admitted: Admitted, why: bytes) -> Send:
    """The PADS for a good PADR that cannot be served now (RFC 2516 Appendix A, AC-System-Error)."""
    tags = ((TagType.AC_SYSTEM_ERROR, why), *admitted.tags[1:])
    return Send(listener.interface, answer(listener, frame, PADS, 0, tags))


def _misaddressed(listener: Listener, frame: Frame, packet: pppoe.Packet) -> Drop | None:
    """Only a PADI may be a broadcast (RFC 2516 §5); nobody else may use our address, or a group's, as a
    source.
    """
    if not ethernet.is_unicast(frame.source) or frame.source == listener.mac:
        return Drop.BAD_SOURCE
    if frame.destination == listener.mac:
        return None
    broadcast_padi = frame.destination == ethernet.BROADCAST and (
        frame.ethertype == pppoe.ETHERTYPE_DISCOVERY and packet.code == PADI
    )
    return None if broadcast_padi else Drop.NOT_FOR_US

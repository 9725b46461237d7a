"""A session's life: begun by a PADR, moved along by its link, ended by either side.

Neighbours: ``concentrator`` calls it for each frame, tick and command; ``admission`` decides at login. It
must not know discovery packets or how effects are performed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.engine.access.config import UNLIMITED
from reconciler.engine.access.effects import (
    Ask,
    ClosePath,
    Dropped,
    Effect,
    Event,
    Fault,
    OpenPath,
    Send,
    Shape,
)
from reconciler.engine.access.reasons import End, Refusal
from reconciler.engine.access.timers import Deadlines
from reconciler.engine.access.users import Question
from reconciler.engine.ppp import link as ppp
from reconciler.engine.wire.drop import Drop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from reconciler.engine.access.admission import Admission, Verdict
    from reconciler.engine.access.config import Rate
    from reconciler.engine.access.session import Session
    from reconciler.engine.access.table import Table
    from reconciler.engine.messages import EventType


class Lifecycle:
    """Drives the sessions of ``table``. ``free_id`` is told of each session that is gone."""

    __slots__ = ("_admission", "_deadlines", "_free_id", "_table")

    def __init__(self, table: Table, admission: Admission, free_id: Callable[[Session, float], None]) -> None:
        self._table = table
        self._admission = admission
        self._free_id = free_id
        self._deadlines: Deadlines[Session] = Deadlines()

    def deadline(self) -> float | None:
        """When ``tick`` is next due."""
        return self._deadlines.next()

    def begin(self, session: Session, now: float) -> list[Effect]:
        """Take a new session in, confirm it to the client, and open its link."""
        self._table.add(session)
        return [Send(session.key.interface, session.pads), *self._step(session, now, ppp.Link.open)]

    def resume(self, session: Session, agreed: ppp.Agreed, now: float) -> list[Effect]:
        """Take in a session that was up before a restart."""
        self._table.add(session)
        session.link.resume(agreed, now)
        session.path_open = session.established = True
        session.used = now
        self._deadlines.update(session, now)
        carried = OpenPath(session.key, agreed.grant.address, session.link.peer_mru)
        return [carried, *self.shape(session, self._admission.rate(session))]

    def waits(self, session: Session, number: int) -> bool:
        """Whether a login still waits for the answer to the question of this number."""
        return session.question is not None and session.link.asking == number

    def answered(self, session: Session, number: int, good: bool | None, now: float) -> list[Effect]:
        """The answer to a question; None if nobody had room for it. One that nobody waits for is dropped."""
        if session.question is None or session.link.asking != number:
            return []
        (ask, question), session.question = session.question, None
        return self._guarded(session, now, self._conclude, session, ask, question, good, now)

    def receive(self, session: Session, payload: bytes, now: float) -> list[Effect]:
        """A PPP frame for the session."""
        return self._step(session, now, ppp.Link.receive, payload)

    def tick(self, now: float) -> list[Effect]:
        """Everything that is due by ``now``."""
        effects: list[Effect] = []
        for session in self._deadlines.due(now):
            if session.until <= now and session.ending is None:
                effects += self.end(session, End.SESSION_TIMEOUT, now)
            else:
                effects += self._step(session, now, ppp.Link.tick)
        return effects

    def carried(self, session: Session, packets: int, now: float) -> list[Effect]:
        """The session has carried so many packets by now: one that was idle for long enough is ended."""
        if packets != session.carried:
            session.carried, session.used = packets, now
        elif 0 < session.config.idle_timeout <= now - session.used:
            return self.end(session, End.IDLE_TIMEOUT, now)
        return []

    def shape(self, session: Session, rate: Rate) -> list[Effect]:
        """The session's packets may go this fast from now on."""
        if rate == session.rate or session.address is None:
            return []
        session.rate = rate
        self._table.changes.note(session.key)
        return [Shape(session.address.to_bytes(4, "big"), rate)]

    def end(self, session: Session, reason: str, now: float) -> list[Effect]:
        """End a session politely: no more packets at once, Terminate-Request, PADT when that is answered or
        given up.

        Its user and address are free from now on.
        """
        if session.ending is not None:
            return []
        self._table.end(session, reason)
        return [
            *self._log_out(session),
            *self._step(session, now, ppp.Link.close, reason),
        ]

    def forget(self, session: Session, reason: str, now: float, *, padt: bool = True) -> list[Effect]:
        """End a session at once. Nothing is sent for it afterwards (RFC 2516 §5.5). If it is ending already,
        for whatever ``reason`` that is over now, it has ended for the one it began to end for.
        """
        why = session.why_ending or reason
        effects = self._log_out(session)
        if padt:
            effects.append(Send(session.key.interface, session.padt()))
        if session.user is not None:
            effects.append(self._event("session_closed", session, why))
        elif why != ppp.Reason.AUTH_FAILED:  # that one was told as login_refused
            effects.append(self._event("dial_failed", session, why))
        session.closed = True
        self._table.remove(session, why)
        self._free_id(session, now)
        return effects

    def _step(
        self, session: Session, now: float, step: Callable[..., list[ppp.Output]], *arguments: object
    ) -> list[Effect]:
        """Move one link a step, with these arguments and the time, and see to what it wants."""
        try:
            effects = self._perform(session, step(session.link, *arguments, now), now)
        except Exception as error:
            return self._fault(session, error, now)
        self._deadlines.update(session, now)
        return effects

    def _guarded(
        self, session: Session, now: float, work: Callable[..., list[Effect]], *arguments: object
    ) -> list[Effect]:
        try:
            effects = work(*arguments)
        except Exception as error:
            return self._fault(session, error, now)
        self._deadlines.update(session, now)
        return effects

    def _fault(self, session: Session, error: Exception, now: float) -> list[Effect]:
        """A bug of ours costs this session and no other."""
        fault = Fault(session.key, error)
        if session.closed:
            return [fault]
        if session.ending is None:  # else the link, which may be broken, would be asked why
            self._table.end(session, End.INTERNAL_ERROR)
        return [fault, *self.forget(session, End.INTERNAL_ERROR, now)]

    def _perform(self, session: Session, outputs: Iterable[ppp.Output], now: float) -> list[Effect]:
        effects: list[Effect] = []
        for output in outputs:
            if isinstance(output, bytes):  # most are: asked first
                effects.append(Send(session.key.interface, session.data(output)))
                continue
            match output:
                case ppp.Ask():
                    judge = self._confirm if output.again else self._log_in
                    effects += judge(session, output, now)
                case ppp.NetworkUp(address):
                    session.path_open = True
                    session.pads = b""
                    session.used = now
                    self._table.changes.note(session.key)
                    effects.append(OpenPath(session.key, address, session.link.peer_mru))
                    effects += self.shape(session, self._admission.rate(session))
                    effects.append(self._opened(session, now))
                case ppp.NetworkDown():
                    effects += self._close_path(session)
                case ppp.Finished(reason):
                    effects += self.forget(session, reason, now)
                case ppp.Dropped(drop):
                    effects.append(Dropped(drop))
        return effects

    def _log_in(self, session: Session, ask: ppp.Ask, now: float) -> list[Effect]:
        effects = self._log_out(session)  # LCP was renegotiated: the earlier login is void (RFC 1661 §3.5)
        return effects + self._follow(
            session, ask, self._admission.decide(session, ask.credentials, now), now
        )

    def _conclude(
        self, session: Session, ask: ppp.Ask, question: Question, good: bool | None, now: float
    ) -> list[Effect]:
        if good is None:
            return [Dropped(Drop.LOGIN_QUEUE), *self._refuse(session, ask, Refusal.BUSY, now)]
        return self._follow(session, ask, self._admission.conclude(session, question, good, now), now)

    def _follow(self, session: Session, ask: ppp.Ask, verdict: Verdict, now: float) -> list[Effect]:
        """Do with a login what was decided."""
        if isinstance(verdict, Question):
            session.question = ask, verdict
            return [Ask(session.key, ask.number, verdict)]
        if isinstance(verdict, Refusal):
            return self._refuse(session, ask, verdict, now)
        effects: list[Effect] = []
        for rival in verdict.rivals:
            effects += self._replace(rival, session, now)
        grant = self._admission.admit(session, verdict)
        if grant is None:
            return effects + self._refuse(session, ask, Refusal.NO_ADDRESS, now)
        return effects + self._perform(session, session.link.grant(ask.number, grant, now), now)

    def _confirm(self, session: Session, ask: ppp.Ask, now: float) -> list[Effect]:
        """A subscriber that is in has been asked again who it is; meanwhile its packets pass."""
        verdict = self._admission.confirm(session, ask.credentials)
        if isinstance(verdict, Refusal):
            return self._refuse(session, ask, verdict, now)
        return self._perform(session, session.link.grant(ask.number, verdict, now), now)

    def _refuse(self, session: Session, ask: ppp.Ask, reason: Refusal, now: float) -> list[Effect]:
        event = _event("login_refused", session, ask.credentials.name, reason, session.link.method)
        refused = session.link.refuse(ask.number, b"Login incorrect", now)
        return [event, *self._perform(session, refused, now)]

    def _replace(self, rival: Session, session: Session, now: float) -> list[Effect]:
        """The same station has forgotten its old session and would not answer for it; another one is told."""
        if rival.key.mac == session.key.mac:
            return self.forget(rival, End.REPLACED, now)
        return self.end(rival, End.REPLACED, now)

    def _log_out(self, session: Session) -> list[Effect]:
        session.question = None
        self._admission.release(session)
        return self._close_path(session)

    def _close_path(self, session: Session) -> list[Effect]:
        if not session.path_open:
            return []
        session.path_open = False
        self._table.changes.note(session.key)
        return [ClosePath(session.key), *self.shape(session, UNLIMITED)]

    def _opened(self, session: Session, now: float) -> Event:
        setup = None if session.established else now - session.started
        session.established = True
        user = None if session.user is None else session.user.name
        return _event("session_opened", session, user, "logged_in", session.link.method, setup)

    def _event(self, kind: EventType, session: Session, reason: str) -> Event:
        return _event(kind, session, None if session.user is None else session.user.name, reason)


def _event(
    kind: EventType,
    session: Session,
    name: bytes | None,
    reason: str,
    method: str | None = None,
    setup: float | None = None,
) -> Event:
    return Event(kind, name, session.key, reason, session.generation, session.line, method, setup)

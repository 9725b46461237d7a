"""What the public door can ask of the loop: status, sessions, plan, terminate, drain, why, metrics, events;
and, by its other half, ``answering.steering``, the orders and the past.

Answers are a status of HTTP's kind and a JSON-ready object; an error is ``{"error": {"code", "message"}}``.
Called from the API's threads. Neighbours: ``loop.run`` converges, ``answering.views`` shows. It must not know
HTTP or sockets.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reconciler.engine.messages import Counts, Observation, SessionKey, SessionView
from reconciler.loop.answering import answers, gauges, views, waiting
from reconciler.loop.answering.answers import Answer, fault
from reconciler.loop.answering.asked import Request, answered
from reconciler.loop.answering.orders import Orders
from reconciler.loop.answering.steering import Steering, same_file
from reconciler.loop.reading.revision import Revision, revision
from reconciler.loop.reconcile import Clocks, Reconciler
from reconciler.loop.report import Report
from reconciler.loop.run import Loop
from reconciler.loop.telling.events import Events
from reconciler.loop.telling.why import Scene, account
from reconciler.metrics import expose
from reconciler.resources.engine import EngineClient, NoEngineError, RefusedError

HEARTBEAT = 15.0
"""Seconds without events after which a follower gets a None, so that one who has left is noticed."""

DRAIN_RATE = 50
"""Sessions that are ended a second when nobody says how many."""
FASTEST_DRAIN = 100_000
_COMMIT = re.compile("[0-9a-fA-F]{4,64}")
_SECONDS = re.compile("[0-9]{1,6}([.][0-9]*)?", re.ASCII)


class Service:
    """The loop, as seen through the door: a method for each thing that can be asked."""

    def __init__(
        self, loop: Loop, reconciler: Reconciler, engine: EngineClient, events: Events, clocks: Clocks
    ) -> None:
        self._loop = loop
        self._reconciler = reconciler
        self._engine = engine
        self._events = events
        self._clocks = clocks
        self._shown: Observation | None = None
        self._since = clocks.wall() if events.since is None else events.since
        steering = Steering(loop, reconciler, Orders(reconciler, events, clocks))
        self.apply, self.rollback = steering.apply, steering.rollback
        self.pause, self.resume, self.confirm = steering.pause, steering.resume, steering.confirm
        self.history, self.diff = steering.history, steering.diff

    def status(self, request: Request) -> Answer:
        """``{"wait"?, "commit"?}``: how everything stands. With ``wait``: as soon as all is as the file says,
        and the file as in ``commit``, or that is held or invalid, or after so many seconds; ``awaited`` says
        which.
        """
        board, commit, awaited = self._loop.board, request.get("commit"), None
        if commit is not None and not _COMMIT.fullmatch(commit):
            return fault(400, "bad_request", "a commit has 4 to 64 hexadecimal digits")
        if "wait" in request:
            if not _SECONDS.fullmatch(request["wait"]):
                return fault(400, "bad_request", "`wait` is a number of seconds")
            awaited = waiting.wait(board, self._loop.look(), _where, commit, float(request["wait"]))
        drift = self._reconciler.ledger.entries
        self._shown, counted = self._seen(self._shown), self._counted()
        where, now = _where(board.report), self._clocks.wall()
        return 200, views.status(board, drift, where, self._shown, counted, now, awaited)

    def sessions(self, _request: Request) -> Answer:
        try:
            return 200, [views.session(session) for session in self._engine.observe()["sessions"]]
        except (NoEngineError, RefusedError) as error:
            return fault(503, "engine_gone", str(error))

    @answered
    def plan(self, request: Request) -> Answer:
        """``{"text"?, "path"?, "markdown"?}``: what an apply would do; ``text`` instead of the file's, as if
        it stood at ``path``. With ``markdown`` also as a comment on a pull request.
        """
        path = Path(request.get("path") or self._reconciler.path)
        text = request.get("text")
        if text is None:
            try:
                text = path.read_bytes()
            except OSError as error:
                return fault(422, "source_invalid", f"cannot read {path}: {error.strerror}")
        content = text if isinstance(text, bytes) else str(text).encode(errors="surrogateescape")
        goal = self._reconciler.understand(content, path)
        if goal.wanted is None:
            return answers.invalid(goal)
        plan, verdict = self._reconciler.plan(goal)
        source = answers.file_as(path, hashlib.sha256(content).hexdigest())
        shown = answers.planned(plan, verdict, source, markdown=bool(request.get("markdown")))
        return 200, {**shown, "watched": same_file(path, self._reconciler.path)}

    def terminate(self, request: Request) -> Answer:
        """``{"users"?, "ids"?, "addresses"?}``: end the sessions that match any of them."""
        try:
            live = [s for s in self._engine.observe()["sessions"] if s["state"] != "terminate"]
            chosen: dict[int, SessionView] = {}
            for what, field in (("users", "user"), ("ids", "id"), ("addresses", "address")):
                for wanted in request.get(what) or ():
                    matching = [session for session in live if session[field] == wanted]  # type: ignore[literal-required]
                    if not matching:
                        return fault(404, "no_session", f"no live session has the {field} {wanted}")
                    chosen.update((id(session), session) for session in matching)
            keys: list[SessionKey] = [
                {"interface": s["interface"], "mac": s["mac"], "id": s["id"]} for s in chosen.values()
            ]
            ended = self._engine.terminate(keys, "terminated_by_operator") if keys else []
        except (NoEngineError, RefusedError) as error:
            return fault(503, "engine_gone", str(error))
        named = {(key["interface"], key["mac"], key["id"]) for key in ended}
        return 200, {
            "ended": [
                views.session(s) for s in chosen.values() if (s["interface"], s["mac"], s["id"]) in named
            ]
        }

    def drain(self, request: Request) -> Answer:
        """``{"rate"?, "undo"?}``: admit nobody and end every session, ``rate`` of them a second; or, with
        ``undo``, admit subscribers again and leave those who are still there.
        """
        rate = request.get("rate", DRAIN_RATE)
        if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate <= FASTEST_DRAIN:
            return fault(400, "bad_request", f"`rate` is sessions a second, {FASTEST_DRAIN} at most")
        wanted = None if request.get("undo") is True else float(rate)
        try:
            self._engine.drain(wanted)
        except (NoEngineError, RefusedError) as error:
            return fault(503, "engine_gone", str(error))
        self._loop.hint()
        return 200, {"draining": wanted}

    def why(self, request: Request) -> Answer:
        """``{"name"}``: the last attempts of a user, or of a client by its MAC address; what they mean."""
        name = request.get("name")
        if not name:
            return fault(400, "bad_request", "whose attempts? `name` is missing")
        return 200, account(name, Scene(self._events, self._seen(), self._since, self._clocks.wall()))

    def metrics(self, _request: Request) -> tuple[int, str]:
        """What Prometheus scrapes."""
        board, lasting = self._loop.board, len(self._reconciler.ledger.lasting)
        found = gauges.samples(board, self._events.tally(), self._counted(), self._loop.bugs, lasting)
        return 200, expose(found)

    def events(self, request: Request) -> Iterator[dict[str, Any] | None]:
        """``{"follow"?}``: what is kept of the past, and with ``follow`` what comes; None as a sign of
        life.
        """
        last, patience = 0, 0.0
        while True:
            entries = self._events.after(last, patience)
            for number, entry in entries:
                last = number
                yield views.event(entry, self._commit)
            if not request.get("follow") or self._events.closed:
                return
            if not entries:
                yield None
            patience = HEARTBEAT

    def _seen(self, since: Observation | None = None) -> Observation | None:
        """What the engine shows, sooner if it was seen before; None when it does not answer."""
        try:
            return self._engine.observe(since)
        except (NoEngineError, RefusedError):
            return None

    def _counted(self) -> Counts | None:
        """What the engine has counted; None when it does not answer."""
        try:
            return self._engine.counts()
        except (NoEngineError, RefusedError):
            return None

    def _commit(self, generation: int) -> str | None:
        with self._reconciler.turn:
            return self._reconciler.history.commit(generation)


def _where(report: Report | None) -> Revision | None:
    """The place in git of what the last pass read."""
    return revision(report.intake.source.path, report.intake.source.sha256) if report else None

"""What the public door can ask of the course: apply, roll back, pause, resume, confirm; and of the past.

The half of ``answering.service`` that gives orders. Neighbours: ``answering.orders`` carries them out,
``answering.hindsight`` looks back, ``answering.answers`` has the forms. It must not know HTTP or sockets.
"""

from __future__ import annotations

from pathlib import Path

from reconciler.loop.answering import answers, asked, hindsight, views
from reconciler.loop.answering.answers import Answer, fault
from reconciler.loop.answering.asked import BadRequestError, Request, answered
from reconciler.loop.answering.orders import LONGEST, Orders
from reconciler.loop.answering.remedy import remedy
from reconciler.loop.reading.revision import followed
from reconciler.loop.reconcile import Reconciler
from reconciler.loop.run import Loop

LONGEST_WAIT = 600.0
_PATIENCE = 60.0
"""Seconds to wait until everything is settled, where nobody says how long."""

LONGEST_PAUSE = 366 * 86400.0


class Steering:
    """The orders, as heard through the door."""

    def __init__(self, loop: Loop, reconciler: Reconciler, orders: Orders) -> None:
        self._loop = loop
        self._reconciler = reconciler
        self._orders = orders

    @answered
    def apply(self, request: Request) -> Answer:
        """``{"path"?, "timeout"?, "allow_guard"?, "confirm_within"?, "saved"?, "by"?}``: converge now, also
        while the file is not followed. ``result`` is one of ``applied``, ``unchanged``, ``partial``,
        ``timeout``, ``held``. ``allow_guard`` is the id of the plan that may pass the guard; ``saved`` a plan
        with the ``sha256`` of its file. The error ``plan_stale`` says that neither is any longer what would
        be done. ``confirm``, in the answer, is the generation that is undone unless it is confirmed, or null.
        """
        path, watched = request.get("path"), self._reconciler.path
        if path is not None and not same_file(Path(path), watched):
            there = f"it would undo {path} at once" if Path(path).exists() else f"there is no {path}"
            message = f"the daemon watches {watched}: {there}; edit {watched} instead"
            return fault(409, "other_file", message)
        timeout = _timeout(request)
        within = asked.seconds(request, "confirm_within", LONGEST)
        saved = request.get("saved")
        if saved is not None and not (isinstance(saved, dict) and isinstance(saved.get("plan"), dict)):
            raise BadRequestError("`saved` is no plan")
        self._orders.await_writer()
        with self._reconciler.turn:
            allowed = asked.text(request, "allow_guard")
            held = self._orders.take(asked.by(request), within, saved, allowed)
            pending = self._reconciler.course.bearing.pending
            if held is not None:
                return answers.held(held, self._reconciler.history.applied, self._watched())
            begun, _ = self._loop.step()
        done = self._loop.converge(timeout, begun)
        if pending:
            self._loop.hint()  # the loop's thread sleeps, and knows nothing of the time that runs out
        source = done.last.intake.source
        if source.wanted is None:
            return answers.invalid(source)
        status, body = answers.converged(done, answers.file_as(source.path, source.sha256))
        return status, body if status != 200 else {**body, "confirm": views.pending(pending)}

    @answered
    def rollback(self, request: Request) -> Answer:
        """``{"number", "timeout"?, "allow_guard"?, "by"?}``: put the content of a generation in force; the
        file is not followed from then on. ``remedy`` is what brings the file to the same content, line by
        line.
        """
        number = request.get("number")
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise BadRequestError("`number` is the number of a generation")
        source, timeout = f"generation {number}", _timeout(request)
        with self._reconciler.turn:
            held = self._orders.rollback(number, asked.by(request), asked.text(request, "allow_guard"))
            if held is not None:
                return answers.held(held, self._reconciler.history.applied, source)
            begun, _ = self._loop.step()
        done = self._loop.converge(timeout, begun)
        status, body = answers.converged(done, source)
        if status != 200:
            return status, body
        generation = self._reconciler.history.generation(number)
        return 200, {**body, "remedy": remedy(self._reconciler.path, generation) if generation else []}

    @answered
    def pause(self, request: Request) -> Answer:
        """``{"for"?, "reason"?, "by"?}``: do not follow the file for so many seconds, or until ``resume``."""
        seconds = asked.seconds(request, "for", LONGEST_PAUSE)
        pause = self._orders.pause(seconds, asked.text(request, "reason") or "", asked.by(request))
        self._loop.hint()
        return 200, {"pause": views.pause(pause)}

    @answered
    def resume(self, request: Request) -> Answer:
        """``{"by"?}``: follow the file again. ``was`` is the pause that this ended, or null."""
        was = self._orders.resume(asked.by(request))
        self._loop.hint()
        return 200, {"was": views.pause(was)}

    @answered
    def confirm(self, request: Request) -> Answer:
        """``{"undo"?, "by"?}``: the generation that is on trial stays; or, with ``undo``, goes now. ``was``
        is what waited, or null.
        """
        undo = request.get("undo") is True
        was = self._orders.confirm(asked.by(request), undo=undo)
        if undo and was:
            self._loop.converge(LONGEST_WAIT)
        self._loop.hint()
        return 200, {"was": views.pending(was), "generation": self._reconciler.history.applied}

    @answered
    def history(self, request: Request) -> Answer:
        """``{"number"?, "limit"?}``: the generations, newest first; or all that is kept of one, but its
        content.
        """
        number, limit = asked.number(request, "number"), asked.number(request, "limit")
        with self._reconciler.turn:
            if number is None:
                return 200, hindsight.listing(self._reconciler, limit or hindsight.LISTED)
            found = hindsight.one(self._reconciler, number)
        if found is None:
            return fault(404, "no_generation", f"there is no generation {number} in the history")
        return 200, found

    @answered
    def diff(self, request: Request) -> Answer:
        """``{"from", "to"?}``: generations by number, ``live`` or ``file``; ``to`` is ``live`` if not given.
        What going from one to the other does, as a plan, and both texts side by side without secrets.
        """
        first, second = asked.text(request, "from") or "", asked.text(request, "to") or "live"
        sides = hindsight.sides(self._reconciler, first, second)
        for side in sides:
            if side.goal.wanted is None:
                return answers.invalid(side.goal)
        return 200, hindsight.comparison(self._reconciler, *sides)

    def _watched(self) -> str:
        goal = self._reconciler.read()
        return answers.file_as(self._reconciler.path, goal.sha256 if goal else None)


def _timeout(request: Request) -> float:
    return asked.seconds(request, "timeout", LONGEST_WAIT) or _PATIENCE


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file."""
    try:
        return one.samefile(other)
    except OSError:
        return followed(one) == followed(other)

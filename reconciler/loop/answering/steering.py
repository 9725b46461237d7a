"""What the public door can ask of the course: apply, roll back, pause, resume, confirm; and of the past.

The half of ``answering.service`` that gives orders. Neighbours: ``answering.orders`` carries them out,
``answering.hindsight`` looks back, ``answering.answers`` has the forms. It must not know HTTP or sockets.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

from reconciler.loop.answering import answers, hindsight, views
from reconciler.loop.answering.answers import Answer, fault
from reconciler.loop.answering.orders import LONGEST, OrderError, Orders
from reconciler.loop.answering.remedy import remedy
from reconciler.loop.gate import StalePlanError
from reconciler.loop.keeping.archive import NotKeptError
from reconciler.loop.keeping.course import Pending
from reconciler.loop.reconcile import Reconciler
from reconciler.loop.run import Loop
from reconciler.loop.supervise import EngineStartError
from reconciler.resources.engine import NoEngineError, RefusedError

Request: TypeAlias = Mapping[str, Any]
Result = TypeVar("Result")

LONGEST_WAIT = 600.0
_PATIENCE = 60.0
"""Seconds to wait until everything is settled, where nobody says how long."""

LONGEST_PAUSE = 366 * 86400.0
LONGEST_TEXT = 500
"""Characters of a reason or a name at most."""


class _BadRequestError(Exception):
    """The request has a value that it cannot have."""


class Steering:
    """The orders, as heard through the door."""

    def __init__(self, loop: Loop, reconciler: Reconciler, orders: Orders) -> None:
        self._loop = loop
        self._reconciler = reconciler
        self._orders = orders

    def apply(self, request: Request) -> Answer:
        """``{"path"?, "timeout"?, "allow_guard"?, "confirm_within"?, "saved"?, "by"?}``: converge now, also
        while the file is not followed. ``result`` is one of ``applied``, ``unchanged``, ``partial``,
        ``timeout``, ``held``. ``allow_guard`` is the id of the plan that may pass the guard; ``saved`` a plan
        with the ``sha256`` of its file. The error ``plan_stale`` says that neither is any longer what would
        be done. ``confirm``, in the answer, is the generation that is undone unless it is confirmed, or null.
        """
        path = request.get("path")
        if path is not None and not same_file(Path(path), self._reconciler.path):
            watched = self._reconciler.path
            message = f"the daemon watches {watched}: it would undo {path} at once; edit {watched} instead"
            return fault(409, "other_file", message)

        pending: Pending | None = None
        timeout = _PATIENCE

        def order() -> Answer | None:
            nonlocal pending, timeout
            timeout = _seconds(request, "timeout", LONGEST_WAIT) or timeout
            within = _seconds(request, "confirm_within", LONGEST)
            saved = request.get("saved")
            if saved is not None and not (isinstance(saved, dict) and isinstance(saved.get("plan"), dict)):
                raise _BadRequestError("`saved` is no plan")
            self._orders.await_writer()
            with self._reconciler.turn:
                held = self._orders.take(_by(request), within, saved, _text(request, "allow_guard"))
                pending = self._reconciler.course.bearing.pending
            if held is None:
                return None
            return answers.held(held, self._reconciler.history.applied, self._watched())

        early = self._answered(order)
        if early is not None:
            return early
        done = self._loop.converge(timeout)
        source = done.last.intake.source
        if source.wanted is None:
            return answers.invalid(source)
        status, body = answers.converged(done, answers.file_as(source.path, source.sha256))
        return status, body if status != 200 else {**body, "confirm": views.pending(pending)}

    def rollback(self, request: Request) -> Answer:
        """``{"number", "timeout"?, "allow_guard"?, "by"?}``: put the content of a generation in force; the
        file is not followed from then on. ``remedy`` is what brings the file to the same content, line by
        line.
        """
        number = request.get("number")
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            return fault(400, "bad_request", "`number` is the number of a generation")
        source, timeout = f"generation {number}", _PATIENCE

        def order() -> Answer | None:
            nonlocal timeout
            timeout = _seconds(request, "timeout", LONGEST_WAIT) or timeout
            held = self._orders.rollback(number, _by(request), _text(request, "allow_guard"))
            return answers.held(held, self._reconciler.history.applied, source) if held else None

        early = self._answered(order)
        if early is not None:
            return early
        done = self._loop.converge(timeout)
        status, body = answers.converged(done, source)
        if status != 200:
            return status, body
        generation = self._reconciler.history.generation(number)
        return 200, {**body, "remedy": remedy(self._reconciler.path, generation) if generation else []}

    def pause(self, request: Request) -> Answer:
        """``{"for"?, "reason"?, "by"?}``: do not follow the file for so many seconds, or until ``resume``."""

        def order() -> Answer:
            seconds = _seconds(request, "for", LONGEST_PAUSE)
            pause = self._orders.pause(seconds, _text(request, "reason") or "", _by(request))
            self._loop.hint()
            return 200, {"pause": views.pause(pause)}

        return self._answered(order)

    def resume(self, request: Request) -> Answer:
        """``{"by"?}``: follow the file again. ``was`` is the pause that this ended, or null."""

        def order() -> Answer:
            was = self._orders.resume(_by(request))
            self._loop.hint()
            return 200, {"was": views.pause(was)}

        return self._answered(order)

    def confirm(self, request: Request) -> Answer:
        """``{"undo"?, "by"?}``: the generation that is on trial stays; or, with ``undo``, goes now. ``was``
        is what waited, or null.
        """

        def order() -> Answer:
            undo = request.get("undo") is True
            was = self._orders.confirm(_by(request), undo=undo)
            if undo and was:
                self._loop.converge(LONGEST_WAIT)
            self._loop.hint()
            return 200, {"was": views.pending(was), "generation": self._reconciler.history.applied}

        return self._answered(order)

    def history(self, request: Request) -> Answer:
        """``{"number"?, "limit"?}``: the generations, newest first; or all that is kept of one, but its
        content.
        """

        def look() -> Answer:
            number, limit = _number(request, "number"), _number(request, "limit")
            with self._reconciler.turn:
                if number is None:
                    return 200, hindsight.listing(self._reconciler, limit or hindsight.LISTED)
                found = hindsight.one(self._reconciler, number)
            if found is None:
                return fault(404, "no_generation", f"there is no generation {number} in the history")
            return 200, found

        return self._answered(look)

    def diff(self, request: Request) -> Answer:
        """``{"from", "to"?}``: generations by number, ``live`` or ``file``; ``to`` is ``live`` if not given.
        What going from one to the other does, as a plan, and both texts side by side without secrets.
        """

        def look() -> Answer:
            first, second = _text(request, "from") or "", _text(request, "to") or "live"
            sides = hindsight.sides(self._reconciler, first, second)
            for side in sides:
                if side.goal.wanted is None:
                    return answers.invalid(side.goal)
            return 200, hindsight.comparison(self._reconciler, *sides)

        return self._answered(look)

    def _watched(self) -> str:
        goal = self._reconciler.read()
        return answers.file_as(self._reconciler.path, goal.sha256 if goal else None)

    def _answered(self, work: Callable[[], Result]) -> Result | Answer:
        """What ``work`` gives, or why it cannot be done."""
        try:
            return work()
        except _BadRequestError as bad:
            return fault(400, "bad_request", str(bad))
        except StalePlanError as stale:
            return fault(409, "plan_stale", str(stale))
        except OrderError as refused:
            return fault(409, refused.code, str(refused))
        except NotKeptError as missing:
            return fault(404, "not_kept", str(missing))
        except (NoEngineError, RefusedError, EngineStartError, OSError) as gone:
            return fault(503, "not_observable", str(gone))


def _by(request: Request) -> str:
    """Who asks, as they say themselves: whoever may use the door is believed."""
    return _text(request, "by") or "somebody"


def _text(request: Request, key: str) -> str | None:
    value = request.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
        raise _BadRequestError(f"`{key}` is a line of text, {LONGEST_TEXT} characters at most")
    return value


def _seconds(request: Request, key: str, most: float) -> float | None:
    value = request.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise _BadRequestError(f"`{key}` is a number of seconds, above 0, {most:g} at most")
    return float(value)


def _number(request: Request, key: str) -> int | None:
    text = request.get(key)
    if text is None:
        return None
    if not str(text).isascii() or not str(text).isdecimal() or len(str(text)) > 9 or int(text) < 1:
        raise _BadRequestError(f"`{key}` is a number, 1 at least")
    return int(text)


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file."""
    try:
        return one.samefile(other)
    except OSError:
        return one.resolve() == other.resolve()

"""What a request says, checked value by value; and the answer where what it asks for cannot be had.

Neighbours: ``answering.service`` and ``answering.steering`` ask; ``answering.answers`` has the forms. It must
not know what a value is for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, ParamSpec, TypeAlias

from reconciler.loop.answering.answers import Answer, fault
from reconciler.loop.answering.orders import OrderError
from reconciler.loop.gate import StalePlanError
from reconciler.loop.keeping.archive import NotKeptError
from reconciler.loop.keeping.store import StoreError
from reconciler.loop.supervise import EngineStartError
from reconciler.resources.engine import NoEngineError, RefusedError

Request: TypeAlias = Mapping[str, Any]
Asked = ParamSpec("Asked")

LONGEST_TEXT = 500
"""Characters of a reason or a name at most."""


class BadRequestError(Exception):
    """The request has a value that it cannot have. One line."""


def answered(work: Callable[Asked, Answer]) -> Callable[Asked, Answer]:
    """What gives an answer; where it cannot, one that says why."""

    @wraps(work)
    def answer(*args: Asked.args, **kwargs: Asked.kwargs) -> Answer:
        try:
            return work(*args, **kwargs)
        except BadRequestError as bad:
            return fault(400, "bad_request", str(bad))
        except StalePlanError as stale:
            return fault(409, "plan_stale", str(stale))
        except OrderError as refused:
            return fault(409, refused.code, str(refused))
        except NotKeptError as missing:
            return fault(404, "not_kept", str(missing))
        except StoreError as unwritten:
            return fault(503, "state_failed", str(unwritten))
        except (NoEngineError, RefusedError, EngineStartError, OSError) as gone:
            return fault(503, "not_observable", str(gone))

    return answer


def by(request: Request) -> str:
    """Who asks, as they say themselves: whoever may use the door is believed."""
    return text(request, "by") or "somebody"


def text(request: Request, key: str) -> str | None:
    """A line of text; None if it is not given. Raises :class:`BadRequestError`, like all below."""
    value = request.get(key)
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > LONGEST_TEXT or not value.isprintable():
        raise BadRequestError(f"`{key}` is a line of text, {LONGEST_TEXT} characters at most")
    return value


def seconds(request: Request, key: str, most: float) -> float | None:
    """A time, in seconds; None if it is not given."""
    value = request.get(key)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= most:
        raise BadRequestError(f"`{key}` is a number of seconds, above 0, {most:g} at most")
    return float(value)


def number(request: Request, key: str) -> int | None:
    """A whole number above 0, of up to 9 digits, from a query; None if it is not given."""
    given = request.get(key)
    if given is None:
        return None
    digits = str(given)
    if not digits.isascii() or not digits.isdecimal() or len(digits) > 9 or int(digits) < 1:
        raise BadRequestError(f"`{key}` is a number, 1 at least")
    return int(digits)

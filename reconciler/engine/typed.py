"""Whether a value that came as JSON is what a message's type says.

``messages`` declares the types; this reads them, so that they are said once. A type is read when it is first
met, and made into a function: users come by the thousand. Neighbours: ``commands``. It must not know what any
message means.
"""

from __future__ import annotations

from functools import cache
from types import UnionType
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    NotRequired,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Check = Callable[[object], bool]


def fits(value: object, kind: Any) -> bool:
    """Whether ``value`` is one of ``kind``: a TypedDict, a list, a choice, an alternative, or a plain type.

    A mapping has all its keys but those that may be left out, and no other; True is not a number.
    """
    return _check(kind)(value)


@cache
def _check(kind: Any) -> Check:
    if is_typeddict(kind):
        return _mapping(kind)
    arguments = get_args(kind)
    if get_origin(kind) is list:
        item = _check(arguments[0])
        return lambda value: isinstance(value, list) and all(map(item, value))
    if get_origin(kind) is Literal:
        return lambda value: type(value) is str and value in arguments
    if isinstance(kind, UnionType):
        alternatives = tuple(map(_check, arguments))
        return lambda value: any(fit(value) for fit in alternatives)
    return lambda value: type(value) is kind


def _mapping(kind: Any) -> Check:
    """All keys of a TypedDict that must be there, each as it should be, and no other than it knows."""
    hints = get_type_hints(kind, include_extras=True)
    optional = {key for key, hint in hints.items() if get_origin(hint) is NotRequired}
    known = {key: _check(get_args(hint)[0] if key in optional else hint) for key, hint in hints.items()}
    required = frozenset(known.keys() - optional if kind.__total__ else ())

    def fit(value: object) -> bool:
        return (
            isinstance(value, dict)
            and required <= value.keys()
            and all(key in known and known[key](item) for key, item in value.items())
        )

    return fit

"""Whether a value that came as JSON is what a message's type says.

``messages`` declares the types; this reads them, so that they are said once. Neighbours: ``commands``. It
must not know what any message means.
"""

from __future__ import annotations

from functools import cache
from types import UnionType
from typing import Any, Literal, NotRequired, get_args, get_origin, get_type_hints, is_typeddict


def fits(value: object, kind: Any) -> bool:
    """Whether ``value`` is one of ``kind``: a TypedDict, a list, a choice, an alternative, or a plain type.

    A mapping has all its keys but those that may be left out, and no other; True is not a number.
    """
    if is_typeddict(kind):
        return _is_mapping(value, kind)
    arguments = get_args(kind)
    if get_origin(kind) is list:
        return isinstance(value, list) and all(fits(item, arguments[0]) for item in value)
    if get_origin(kind) is Literal:
        return type(value) is str and value in arguments
    if isinstance(kind, UnionType):
        return any(fits(value, alternative) for alternative in arguments)
    return type(value) is kind


def _is_mapping(value: object, kind: Any) -> bool:
    known, required = _keys(kind)
    return (
        isinstance(value, dict)
        and required <= value.keys()
        and all(key in known and fits(item, known[key]) for key, item in value.items())
    )


@cache
def _keys(kind: Any) -> tuple[dict[str, Any], frozenset[str]]:
    """A TypedDict's keys with their types, and those that must be there."""
    hints = get_type_hints(kind, include_extras=True)
    optional = {key for key, hint in hints.items() if get_origin(hint) is NotRequired}
    known = {key: get_args(hint)[0] if key in optional else hint for key, hint in hints.items()}
    return known, frozenset(known.keys() - optional if kind.__total__ else ())

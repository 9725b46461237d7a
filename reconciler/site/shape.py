"""The model as a tree of keys: what is expected at a path of the file, and what of it may be shown.

Read from the model's types, so that a new field needs no second entry. Neighbours: ``site.findings`` asks it
for the keys that exist, ``site.source`` for what is no secret. This module must not know texts or places.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, wraps
from types import UnionType
from typing import Annotated, Any, Final, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel

from reconciler.site.declared import on_change
from reconciler.site.impact import OnChange
from reconciler.site.model import Site
from reconciler.site.place import Path
from reconciler.site.secrets import Secret
from reconciler.site.tables import Forwarding, Guard, LcpEcho, Limits, Nat, SelfHeal
from reconciler.site.user import RateLimit, User

T = TypeVar("T")

_TABLES: Final = (Site, User, RateLimit, Forwarding, Nat, LcpEcho, Limits, Guard, SelfHeal)

KEYWORDS: Final = frozenset(key for model in _TABLES for key in model.model_fields)
"""Every key of the format, wherever it belongs."""


def _of_its_kind(function: Callable[[Path], T]) -> Callable[[Path], T]:
    """What it says of a path, it says of all that differ in the operator's names alone: 100,000 users are not
    remembered one by one.
    """
    known = cache(function)

    @wraps(function)
    def of_kind(path: Path) -> T:
        if len(path) > 1 and path[0] in _NAMING and isinstance(path[1], str):
            path = (path[0], "NAME", *path[2:])
        return known(path)

    return of_kind


@_of_its_kind
def keys_at(path: Path) -> tuple[str, ...]:
    """The keys that the mapping at ``path`` may have; empty when any name will do, or none is expected."""
    expected = _at(path)
    return tuple(expected.model_fields) if _is_model(expected) else ()


def homes(key: str) -> tuple[Path, ...]:
    """The paths of the mappings of settings that know ``key``: ``ip_forward`` -> ``(("forwarding",),)``."""
    tables: list[Path] = [(), *((name,) for name in Site.model_fields), ("users", "NAME")]
    return tuple(path for path in tables if key in keys_at(path))


@_of_its_kind
def takes_names(path: Path) -> bool:
    """Whether the mapping at ``path`` has names of the operator's choice as keys."""
    return get_origin(_at(path)) is Mapping


def holds_keys(path: Path) -> bool:
    """Whether a mapping, and never a single value, is expected at ``path``. (A user may be just a
    password, healing just a word.)
    """
    return takes_names(path) or (_is_model(_at(path)) and _at(path) not in {User, SelfHeal})


@_of_its_kind
def is_public(path: Path) -> bool:
    """Whether a single value at ``path`` may be shown. Only a known setting may: what stands where nothing is
    expected could be a password under a misspelt key.
    """
    expected = _at(path)
    if get_origin(expected) is tuple:
        expected = _bare(get_args(expected)[0])
    if expected is SelfHeal:
        return True
    return (
        expected is not None and expected is not Secret and not _is_model(expected) and not takes_names(path)
    )


def on_change_at(path: Path) -> OnChange:
    """What is declared beside the setting at ``path`` about changing it.

    :raises KeyError: no such setting.
    """
    table = _at(path[:-1])
    if not path or not _is_model(table):
        raise KeyError(path)
    return on_change(table, str(path[-1]))


def _is_model(expected: Any) -> bool:
    return isinstance(expected, type) and issubclass(expected, BaseModel)


@_of_its_kind
def _at(path: Path) -> Any:
    """The type that the model expects at ``path``; None when it expects nothing there."""
    expected: Any = Site
    for step in path:
        if _is_model(expected):
            field = expected.model_fields.get(step)
            expected = None if field is None else _bare(field.annotation)
        elif get_origin(expected) is Mapping and isinstance(step, str):
            expected = _bare(get_args(expected)[1])
        elif get_origin(expected) is tuple and isinstance(step, int):
            expected = _bare(get_args(expected)[0])
        else:
            return None
    return expected


def _bare(annotation: Any) -> Any:
    """The type without ``Annotated`` and without ``| None``."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in {Union, UnionType}:
        return next(_bare(arm) for arm in get_args(annotation) if arm is not type(None))
    return annotation


_NAMING: Final = frozenset(
    name for name, field in Site.model_fields.items() if get_origin(_bare(field.annotation)) is Mapping
)
"""The settings in which the operator gives names."""

"""What there is to say about one key of the format: type, default, impact, description.

Read from the model, for the reference documentation and for ``reconciler explain``. This module must not
know a site.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from reconciler.site.declared import on_change
from reconciler.site.impact import Effect, Impact, OnChange
from reconciler.site.kinds import Words
from reconciler.site.model import Site
from reconciler.site.secrets import Secret
from reconciler.site.shape import keys_at, takes_names
from reconciler.site.tables import SelfHeal
from reconciler.site.user import User

ANY: Final = "*"
"""Stands for a name of the operator's choice in a path: ``users.*.ip``."""

_TYPES: Final[dict[object, str]] = {
    int: "whole number",
    bool: "true or false",
    str: "text",
    IPv4Address: "IPv4 address",
    Secret: "text, kept secret",
    SelfHeal: "mapping, or one word for all",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One key. ``impact`` has a line for each kind of change, or one for all; ``keys`` are those of the
    mapping that it holds.
    """

    path: str
    type: str
    default: str
    impact: tuple[str, ...]
    description: str
    examples: tuple[str, ...]
    keys: tuple[str, ...]


def entry(path: str) -> Entry | None:
    """The key at ``users.*.ip``, where a name may stand for the ``*``; None when there is no such key."""
    found = next((known for known in paths() if _matches(path, known)), None)
    if found is None:
        return None
    *above, last = found.split(".")
    if last == ANY:
        return Entry(
            found, "mapping, or the password alone", "required", (), _summary(User), (), _below(found)
        )
    table, field = _field(above, last)
    return Entry(
        found,
        type_of(field),
        default_of(field),
        impact_of(on_change(table, last)),
        field.description or "",
        tuple(_example(example) for example in field.examples or ()),
        _below(found),
    )


def paths() -> tuple[str, ...]:
    """Every path, in the order of the model."""
    return tuple(_paths(()))


def closest(path: str) -> str | None:
    """The path that was likely meant."""
    known = paths()
    by_key = [one for one in known if one.rpartition(".")[2] == path.rpartition(".")[2]]
    close = by_key or difflib.get_close_matches(path, known, 1, 0.5)
    if close:
        return close[0]
    keys = {one.rpartition(".")[2]: one for one in reversed(known)}
    likely = difflib.get_close_matches(path.rpartition(".")[2], keys, 1)
    return keys[likely[0]] if likely else None


def type_of(field: FieldInfo) -> str:
    """The type in words, with its bounds."""
    bounds = {
        name: getattr(note, name) for note in field.metadata for name in ("ge", "le") if hasattr(note, name)
    }
    text = _type(field.annotation)
    if bounds:
        text += f", {bounds.get('ge', '...')} to {bounds.get('le', '...')}"
    return text


def default_of(field: FieldInfo) -> str:
    """The default as it would be written, or ``required``, ``unset``, ``see its keys``."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "unset"
    return "see its keys" if isinstance(value, BaseModel) else _example(value)


def impact_of(declared: OnChange) -> tuple[str, ...]:
    """What a change does to live sessions: in one line when it is always the same."""
    effects = {"added": declared.added, "changed": declared.changed, "removed": declared.removed}
    if declared.added == declared.changed == declared.removed:
        return (f"A change: {_effect(declared.changed)}.",)
    return tuple(f"{when}: {_effect(effect)}." for when, effect in effects.items())


def _effect(effect: Effect) -> str:
    if effect.impact is Impact.NONE:
        return "NONE"
    text = f"{effect.impact.name} for {effect.touches.value}"
    others = {name: impact for name, impact in (effect.choices or {}).items() if impact is not effect.impact}
    return text + "".join(
        f" ({impact.name} with `{effect.policy}: {name}`)" for name, impact in others.items()
    )


def _matches(path: str, known: str) -> bool:
    """Whether a path is a known one. A name may have dots in it where a key follows."""
    head, star, tail = known.partition(ANY)
    name = path.removeprefix(head).removesuffix(tail) if star else ""
    return path == head + name + tail and bool(name) == bool(star) and (bool(tail) or "." not in name)


def _paths(above: tuple[str, ...]) -> Iterator[str]:
    for key in keys_at(above):
        here = (*above, key)
        yield ".".join(here)
        if takes_names(here):
            here = (*here, ANY)
            yield ".".join(here)
        yield from _paths(here)


def _below(path: str) -> tuple[str, ...]:
    steps = tuple(path.split("."))
    return (ANY,) if takes_names(steps) else keys_at(steps)


def _field(above: list[str], key: str) -> tuple[type[BaseModel], FieldInfo]:
    table: Any = Site
    for step in above:
        table = User if step == ANY else _bare(table.model_fields[step].annotation)
    return table, table.model_fields[key]


def _bare(annotation: Any) -> Any:
    return _bare(get_args(annotation)[0]) if get_origin(annotation) is Annotated else annotation


def _type(annotation: Any) -> str:
    origin, arms = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return next((note.text for note in arms[1:] if isinstance(note, Words)), _type(arms[0]))
    if origin in {Union, UnionType}:
        return next(_type(arm) for arm in arms if arm is not type(None))
    if origin is Literal:
        return " or ".join(f"`{arm}`" for arm in arms)
    if origin is tuple:
        return f"list of {_type(arms[0])}"
    return _TYPES.get(annotation, "mapping")


def _summary(model: type[BaseModel]) -> str:
    return " ".join((model.__doc__ or "").split())


def _example(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_example, value))}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_example(inner)}" for key, inner in value.items()) + "}"
    return str(value).lower() if isinstance(value, bool) else str(value)

"""JSON schemas (draft 2020-12) of the types in ``answers`` and ``requests``.

It reads what it meets there, and nothing else: TypedDicts with the texts below their keys, lists, mappings,
choices, alternatives, plain types. It must not know what any of them means.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterable, Mapping
from itertools import pairwise
from types import NoneType, UnionType
from typing import (
    Any,
    Literal,
    NotRequired,
    Required,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

Schema = dict[str, Any]

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", NoneType: "null"}


class Schemas:
    """``named`` collects the schema of each TypedDict by its name; elsewhere it is referred to at
    ``reference`` (with a ``%s``).
    """

    def __init__(self, reference: str) -> None:
        self.named: dict[str, Schema] = {}
        self._reference = reference

    def of(self, kind: Any) -> Schema:
        """The schema of a type. Raises ``TypeError`` for one that has none here."""
        arguments, origin = get_args(kind), get_origin(kind)
        if kind is Any:
            return {}
        if is_typeddict(kind):
            return self._named(kind)
        if origin is list:
            return {"type": "array", "items": self.of(arguments[0])}
        if origin in (dict, Mapping):
            return {"type": "object", "additionalProperties": self.of(arguments[1])}
        if origin is Literal:
            return {"type": "string", "enum": list(arguments)}
        if origin in (Union, UnionType):
            return _any_of([self.of(one) for one in arguments])
        if kind in _PLAIN:
            return {"type": _PLAIN[kind]}
        raise TypeError(f"no schema for {kind}")

    def _named(self, kind: Any) -> Schema:
        if kind.__name__ not in self.named:
            self.named[kind.__name__] = {}  # against a type that holds itself
            self.named[kind.__name__] = self._object(kind)
        return {"$ref": self._reference % kind.__name__}

    def _object(self, kind: Any) -> Schema:
        keys, notes = dict(_keys(kind)), _notes(kind)
        required = [key for key, (_, needed) in keys.items() if needed]
        return {
            "type": "object",
            "description": described(kind),
            "properties": {
                key: self.of(inner) | ({"description": notes[key]} if key in notes else {})
                for key, (inner, _) in keys.items()
            },
            **({"required": required} if required else {}),
        }


def described(kind: Any) -> str:
    """A type's docstring as one line of Markdown."""
    return _line(inspect.getdoc(kind) or "")


def strict(schema: Any) -> Any:
    """The same, but that admits no key that it does not name: to find out which are not described."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    found = {key: strict(value) for key, value in schema.items()}
    return {**found, "additionalProperties": False} if "properties" in found else found


def _keys(kind: Any) -> Iterable[tuple[str, tuple[Any, bool]]]:
    """Each key with its type, and whether it must be there."""
    for key, hint in get_type_hints(kind, include_extras=True).items():
        marked = get_origin(hint) in (Required, NotRequired)
        needed = get_origin(hint) is Required if marked else kind.__total__
        yield key, (get_args(hint)[0] if marked else hint, needed)


def _notes(kind: Any) -> dict[str, str]:
    """What stands below the keys of a TypedDict, as far as its source is there."""
    found: dict[str, str] = {}
    for base in getattr(kind, "__orig_bases__", ()):
        found |= _notes(base) if is_typeddict(base) else {}
    try:
        body = ast.parse(textwrap.dedent(inspect.getsource(kind))).body[0]
    except (OSError, TypeError):
        return found
    for key, note in pairwise(body.body if isinstance(body, ast.ClassDef) else ()):
        match key, note:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                found[name] = _line(text)
    return found


def _line(text: str) -> str:
    return " ".join(text.replace("``", "`").split())


def _any_of(schemas: list[Schema]) -> Schema:
    plain = [schema["type"] for schema in schemas if schema.keys() == {"type"}]
    if len(plain) == len(schemas):
        return {"type": plain}
    named = [schema for schema in schemas if schema.get("type") == "string" and "enum" in schema]
    if named and {"type": "string"} in schemas:  # some of its values have names
        return _any_of([schema for schema in schemas if schema not in named])
    return schemas[0] if len(schemas) == 1 else {"anyOf": schemas}

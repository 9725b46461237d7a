"""What is wrong with single keys and values, in words: the model's refusals, unknown keys, keys without
value.

This module must hold no rules of its own: the rules are in the model, the texts about them here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from reconciler.site.diagnostic import Diagnostic, Related
from reconciler.site.escape import visible
from reconciler.site.place import Path, Place
from reconciler.site.shape import homes, keys_at, takes_names
from reconciler.site.source import key_is_public
from reconciler.site.tree import Listing, Node, Scalar, Table, node_at, value_place

_ABOUT_SECRETS = ("E127", "E135", "E136", "E138")
_LOCK_OUT = "to lock a user out, keep the user and set `enabled: false`"


def refused(error: ValidationError, root: Table) -> Iterator[Diagnostic]:
    """A finding for each error that the model reports about the values of ``root``."""
    errors = error.errors(include_url=False, include_input=False)
    for entry in errors:
        loc = tuple(entry["loc"])
        if entry["type"] == "missing":
            # A key that is there but could not be read has its finding already.
            if root.key(str(loc[0])) is None:
                yield _missing(str(loc[0]))
        # What is too short because its entries were refused has their findings.
        elif entry["type"] != "too_short" or _is_bare(node_at(root, loc)):
            yield _refusal(entry["type"], loc, entry.get("ctx", {}), root)


def users_in(error: ValidationError) -> set[str]:
    """The users about whom the model reports an error."""
    places = (entry["loc"] for entry in error.errors(include_url=False, include_input=False))
    return {str(loc[1]) for loc in places if len(loc) > 1 and loc[0] == "users"}


def unknown_key(outer: Path, key: Scalar, value: Node) -> Diagnostic:
    """A key that the format does not have in the mapping at ``outer``, with the closest that it has."""
    if not key_is_public(outer, key, value):
        return Diagnostic("E120", "a key without value that is not known here", key.place)
    message = f"`{visible(key.text)}` is not a key {_where(outer)}"
    return Diagnostic("E120", message, key.place, "not known here", _suggestion(key.text, outer))


def given_again(outer: Path, table: Table, key: Scalar, value: Node) -> Diagnostic:
    """A key that stands in the mapping at ``outer`` for the second time."""
    what = f"`{visible(key.text)}`" if key_is_public(outer, key, value) else "a key"
    first = table.key(key.text)
    related = () if first is None else (Related(first.place, "first given here"),)
    return Diagnostic("E103", f"{what} is given twice", key.place, "given again", "keep one of them", related)


def no_value(outer: Path, key: Scalar, value: Node) -> Diagnostic:
    """A key with nothing behind it."""
    path = (*outer, key.text)
    if path == ("users",):
        return Diagnostic("E144", "`users`: there are none", key.place, "nothing follows", _LOCK_OUT)
    if not key_is_public(outer, key, value):
        advice = "write `key: value`, with a colon and a space"
        return Diagnostic("E133", "a key without a value", key.place, "nothing follows", advice)
    advice = "remove the key, or give it a value; quote a value that begins with `#`"
    return Diagnostic("E133", f"{subject(path)}: no value", key.place, "nothing follows", advice)


def subject(path: Path) -> str:
    """What a path is about, in words: ``mtu``, ``ip of user theo``."""
    if path[0] == "users" and len(path) > 1:
        user = f"user {visible(str(path[1]))}"
        return user if len(path) == 2 else f"`{path[2]}` of {user}"
    return f"`{'.'.join(str(step) for step in path if isinstance(step, str))}`"


def _is_bare(node: Node | None) -> bool:
    return (isinstance(node, Table) and not node.written) or (isinstance(node, Listing) and not node.items)


def _missing(key: str) -> Diagnostic:
    line = "version: 1" if key == "version" else f"{key}: ..."
    return Diagnostic("E130", f"`{key}` is missing", help=f"add a line `{line}`")


def _refusal(kind: str, loc: tuple[int | str, ...], context: Mapping[str, Any], root: Table) -> Diagnostic:
    about_key = loc[-1] == "[key]"
    path = loc[:-1] if about_key else loc
    code, message, advice = _words(kind, path, context)
    label = ""
    if about_key or code in _ABOUT_SECRETS:
        # A secret is not pointed at: the range would tell its length.
        place = _key_place(root, path)
    elif kind == "too_long":
        place, label = value_place(root, (*path, int(context["max_length"]))), "one too many"
    else:
        place = value_place(root, path)
    return Diagnostic(code, f"{subject(path)}: {message}", place, label, advice)


def _words(kind: str, path: Path, context: Mapping[str, Any]) -> tuple[str, str, str]:
    """Code, message and help for a kind of error. One that starts with E comes from ``site.values``."""
    match kind:
        case "literal_error":
            choices = str(context["expected"]).replace("'", "`")
            return "E128", "not one of the values it can have", f"write {choices}"
        case "greater_than_equal":
            return "E129", f"must be at least {context['ge']}", ""
        case "less_than_equal":
            return "E129", f"must be at most {context['le']}", ""
        case "too_short" if takes_names(path):
            return "E144", "there are none", _LOCK_OUT
        case "too_short":
            return "E131", f"needs at least {context['min_length']} entry", ""
        case "too_long":
            return "E131", f"takes at most {context['max_length']} entries", "remove the surplus"
        case "tuple_type":
            return "E121", "must be a list", f"write it in brackets: `{path[-1]}: [...]`"
        case "model_type" if len(path) == 2:
            return "E121", "must be a password or a mapping", "write `password: ...` below the name, indented"
        case "model_type" | "dict_type":
            return "E121", "must be a mapping", "write `key: value` lines below it, indented"
    return kind, context["says"], context["advice"]


def _key_place(root: Table, path: Path) -> Place | None:
    """Where the key of ``path`` stands, or the nearest key around it."""
    for length in range(len(path), 0, -1):
        table = node_at(root, path[: length - 1])
        key = table.key(str(path[length - 1])) if isinstance(table, Table) else None
        if key is not None:
            return key.place
    return None


def _suggestion(name: str, outer: Path) -> str:
    home = homes(name)
    if home:
        return f"`{name}` is a key {_where(home[0])}"
    from difflib import get_close_matches

    known = keys_at(outer)
    close = get_close_matches(name.lower().replace("-", "_"), known, n=1)
    return f"did you mean `{close[0]}`?" if close else f"known here: {', '.join(known)}"


def _where(path: Path) -> str:
    if not path:
        return "at the top of the file"
    return "of a user" if path[0] == "users" else f"of `{path[0]}`"

"""Breaks a process of ours, once: copied as ``sitecustomize.py`` to where Python looks for that.

A file ``fault`` beside it says where the next error is to happen. Its text has a password, as the texts of
errors that nobody thought of may have.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

FAULT = Path(__file__).with_name("fault")


def due(where: str) -> bool:
    """Whether it is to happen here; it does once."""
    if not FAULT.exists() or FAULT.read_text() != where:
        return False
    FAULT.unlink()
    return True


def broken(where: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, but for when the fault is due: then it fails with all that it was given in the text."""

    def run(*given: Any, **named: Any) -> Any:
        if due(where):
            raise RuntimeError(f"{where}: {[_shown(one) for one in given]}")
        return function(*given, **named)

    return run


def _shown(given: Any) -> str:
    """With everything that classes of ours hide."""
    wanted = getattr(given, "wanted", None)
    if wanted is not None:
        return str([known.secret.reveal() for known in wanted.secrets.values()])
    fields = getattr(given, "__slots__", ()) if hasattr(given, "password") or hasattr(given, "text") else ()
    return f"{given!r} {[getattr(given, name) for name in fields if hasattr(given, name)]}"


def into_the_engine() -> None:
    from reconciler.engine import commands
    from reconciler.engine.access.users import Users

    commands.user = broken("the engine", commands.user)
    setattr(Users, "check", broken("a login", Users.check))  # noqa: B010 - a method is not to be assigned to


def into_the_reconciler() -> None:
    from reconciler.loop.answering.service import Service
    from reconciler.resources.users import Users

    setattr(Users, "apply", broken("a pass", Users.apply))  # noqa: B010
    setattr(Service, "status", broken("a request", Service.status))  # noqa: B010


if "reconciler.engine" in sys.orig_argv:
    into_the_engine()
elif "run" in sys.orig_argv and "reconciler" in sys.orig_argv:
    into_the_reconciler()

"""Where an error of ours happened, without its text: that may quote a password or what a stranger sent.

Shared by both processes. Standard library alone; it must not know what was being done.
"""

from __future__ import annotations

import sys
import threading
import traceback
from types import TracebackType


def places(error: BaseException) -> str:
    """The calls that led to it, the innermost first: ``parse (wire/ppp.py:31) < receive (...)``."""
    frames = reversed(traceback.extract_tb(error.__traceback__))
    return " < ".join(f"{frame.name} ({frame.filename}:{frame.lineno})" for frame in frames)


def described(error: BaseException) -> str:
    """Its type and its places, in one line."""
    return f"{type(error).__name__} in {places(error)}"


def instead_of_tracebacks() -> None:
    """Have an error that nobody catches, in whichever thread, reported to standard error in one line. An
    interpreter's own report would have its text.
    """

    def report(error: BaseException | None) -> None:
        if error is not None and sys.stderr is not None:
            sys.stderr.write(f"ended by a bug: {described(error)}\n")

    def uncaught(_kind: type[BaseException], error: BaseException, _trace: TracebackType | None) -> None:
        report(error)

    sys.excepthook = uncaught
    threading.excepthook = lambda arguments: report(arguments.exc_value)

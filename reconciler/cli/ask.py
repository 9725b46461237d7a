"""Asking the daemon, for every command that does: no answer is exit status 7, an error in the answer 1."""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from typing import Any

from reconciler.cli.common import EXIT_ERROR, EXIT_NO_DAEMON, EXIT_STALE, Common, Failure
from reconciler.control.client import AnswerError, Client, NoDaemonError


def get(common: Common, route: str, patience: float = 30.0, **query: str) -> Any:
    """The answer to a GET. Raises :class:`Failure`."""
    try:
        return Client(common.runtime_dir).get(route, patience=patience, **query)
    except NoDaemonError as error:
        raise Failure(str(error), EXIT_NO_DAEMON) from None
    except AnswerError as error:
        raise Failure(str(error), EXIT_ERROR) from None


def post(common: Common, route: str, patience: float = 30.0, **request: Any) -> Any:
    """The answer to a POST. Raises :class:`Failure`, and ``AnswerError`` for an error that has more to
    show.
    """
    try:
        return try_post(common, route, patience, **request)
    except NoDaemonError as error:
        raise Failure(str(error), EXIT_NO_DAEMON) from None


def try_post(common: Common, route: str, patience: float = 30.0, **request: Any) -> Any:
    """The same, but raises ``NoDaemonError`` for who can do without a daemon."""
    return Client(common.runtime_dir).post(route, patience=patience, **request)


def order(common: Common, route: str, patience: float = 30.0, **request: Any) -> Any:
    """The answer to an order, which says who gives it. Raises :class:`Failure`, with status 5 for a plan that
    is not what would be done now.
    """
    try:
        return post(common, route, patience, by=who(), **request)
    except AnswerError as error:
        status = EXIT_STALE if error.code == "plan_stale" else EXIT_ERROR
        raise Failure(str(error), status) from None


def who() -> str:
    """Who is at the keyboard: the login behind sudo, if there is one."""
    try:
        return os.environ.get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"


def lines(common: Common, route: str, **query: str) -> Iterator[Any]:
    """The objects of a stream. Raises :class:`Failure`."""
    try:
        yield from Client(common.runtime_dir).lines(route, **query)
    except NoDaemonError as error:
        raise Failure(str(error), EXIT_NO_DAEMON) from None

"""The other end of the public door: asks the daemon of a runtime directory. Standard library alone, quick
to import.

It must not know what the answers are for.
"""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from reconciler.control.door import SOCKET_NAME

TIMEOUT = 30.0

_LONGEST_PATH = 107
"""Octets of a unix socket's path (unix(7))."""


class NoDaemonError(Exception):
    """Nobody answers. One line that says what to do. ``absent``: there is no daemon, rather than one in
    trouble.
    """

    def __init__(self, message: str, *, absent: bool = False) -> None:
        super().__init__(message)
        self.absent = absent


class AnswerError(Exception):
    """The daemon said no. ``code`` is for machines, ``str()`` is one line, ``details`` the whole error."""

    def __init__(self, details: Mapping[str, Any]) -> None:
        super().__init__(str(details.get("message", "")))
        self.code = str(details.get("code", ""))
        self.details = details


class Client:
    """Asks the daemon whose socket is in ``runtime_dir``.

    All raise :class:`NoDaemonError` when there is no answer, :class:`AnswerError` when the answer is an
    error.
    """

    def __init__(self, runtime_dir: Path) -> None:
        self._path = runtime_dir / SOCKET_NAME

    def get(self, route: str, /, *, patience: float = TIMEOUT, **query: str) -> Any:
        return self._ask("GET", route + ("?" + urlencode(query) if query else ""), None, patience)

    def post(self, route: str, /, *, patience: float = TIMEOUT, **request: Any) -> Any:
        body = {key: value for key, value in request.items() if value is not None}
        return self._ask("POST", route, json.dumps(body).encode(), patience)

    def lines(self, route: str, /, **query: str) -> Iterator[Any]:
        """The objects of a stream, as they come."""
        connection = _Connection(self._path, None)
        try:
            connection.request("GET", route + "?" + urlencode(query))
            answer = connection.getresponse()
            while line := answer.readline():
                if line.strip():
                    yield json.loads(line)
        except (OSError, http.client.HTTPException) as error:
            raise self._nobody(error) from None
        finally:
            connection.close()

    def _ask(self, method: str, path: str, body: bytes | None, timeout: float) -> Any:
        connection = _Connection(self._path, timeout)
        try:
            headers = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            document = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise self._nobody(error) from None
        finally:
            connection.close()
        if answer.status != 200:
            raise AnswerError(document.get("error", {}))
        return document

    def _nobody(self, error: Exception) -> NoDaemonError:
        if isinstance(error, PermissionError):
            return NoDaemonError(
                f"not allowed to ask the daemon on {self._path}: run as root, or as one of its group"
            )
        if isinstance(error, TimeoutError):
            return NoDaemonError(f"the daemon on {self._path} did not answer in time")
        if isinstance(error, FileNotFoundError | NotADirectoryError | ConnectionRefusedError):
            return NoDaemonError(
                f"no daemon answers on {self._path}: start one with `reconciler run site.yaml`,"
                " or name its --runtime-dir",
                absent=True,
            )
        if len(bytes(self._path)) > _LONGEST_PATH:
            return NoDaemonError(
                f"{self._path.parent} is too long for sockets: choose a shorter --runtime-dir"
            )
        return NoDaemonError(f"the daemon on {self._path} broke off: {type(error).__name__}")


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float | None) -> None:
        super().__init__("localhost", timeout=timeout)
        self._unix_path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(str(self._unix_path))
        except OSError:
            self.close()
            raise

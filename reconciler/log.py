"""The reconciler's log on standard error: text for people on a terminal, JSON lines for machines otherwise.

What is logged may contain names from outside: control characters never reach the terminal. It must not
decide what is worth a line.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import Literal, TextIO

from reconciler.site.escape import visible

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
_COLOUR = {"WARNING": "\x1b[33m", "ERROR": "\x1b[31m", "CRITICAL": "\x1b[31m"}


class TextFormatter(logging.Formatter):
    """``12:00:00 warning message``."""

    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        if level and self._colour:
            level = f"{_COLOUR.get(record.levelname, '')}{level}\x1b[0m"
        return f"{time.strftime('%H:%M:%S', time.localtime(record.created))} {level}{_line(record)}"


class JsonFormatter(logging.Formatter):
    """One object a line: ``time`` (RFC 3339, UTC), ``level``, ``message``, and the fields that came with
    it.
    """

    def format(self, record: logging.LogRecord) -> str:
        whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        fields = {key: value for key, value in vars(record).items() if key not in _STANDARD}
        return json.dumps(
            {
                "time": f"{whole}.{int(record.msecs):03d}Z",
                "level": record.levelname.lower(),
                "message": _line(record),
                **fields,
            },
            default=str,
        )


def configure(
    verbosity: int = 0,
    style: Literal["text", "json"] | None = None,
    stream: TextIO | None = None,
    *,
    colour: bool = True,
) -> None:
    """Log to ``stream``: warnings from ``verbosity`` -1, all that happens from 0, details from 1.

    ``style`` None: text on a terminal, JSON otherwise.
    """
    out = stream or sys.stderr
    terminal = out.isatty()
    handler = logging.StreamHandler(out)
    if style == "text" or (style is None and terminal):
        handler.setFormatter(TextFormatter(colour=colour and terminal))
    else:
        handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("reconciler")
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(logging.WARNING if verbosity < 0 else logging.INFO if verbosity == 0 else logging.DEBUG)


def _line(record: logging.LogRecord) -> str:
    return visible(record.getMessage())

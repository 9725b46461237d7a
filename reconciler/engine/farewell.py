"""Ends the engine of a runtime directory, and its sessions, from outside: for whoever removes the program.

It speaks the command socket's words as ``service`` does, and must not know what ending means.
"""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PATIENCE = 15.0
"""Seconds that an engine may take; it gives its subscribers four to say goodbye."""


def end(path: Path) -> None:
    """Have the engine that listens at ``path`` end every session and then itself, and wait for it.

    Raises ``OSError`` when there is none, or when it takes too long.
    """
    with socket.socket(socket.AF_UNIX) as engine:
        engine.settimeout(PATIENCE)
        engine.connect(str(path))
        engine.sendall(json.dumps({"id": 1, "do": "shutdown"}).encode() + b"\n")
        while engine.recv(1 << 16):
            pass

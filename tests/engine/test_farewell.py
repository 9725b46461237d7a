"""Ending an engine from outside."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import pytest

from reconciler.engine import farewell


def test_it_says_the_word_and_waits_for_the_end(tmp_path: Path) -> None:
    heard: list[object] = []
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "engine.sock"))
        listening.listen()

        def engine() -> None:
            client, _ = listening.accept()
            with client:
                heard.append(json.loads(client.recv(4096)))
                client.sendall(b'{"id": 1, "ok": {}}\n')
                heard.append("ended")

        thread = threading.Thread(target=engine)
        thread.start()
        farewell.end(tmp_path / "engine.sock")
        thread.join()
    assert heard == [{"id": 1, "do": "shutdown"}, "ended"]


def test_without_an_engine_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        farewell.end(tmp_path / "engine.sock")

"""What a stranger calls himself cannot break a line or move a cursor, wherever it is shown (D44)."""

from __future__ import annotations

import json
import logging

import pytest

from reconciler.cli.events import _text
from reconciler.engine import views
from reconciler.engine.access.effects import Event, Key
from reconciler.engine.access.line import Line
from reconciler.log import JsonFormatter, TextFormatter

NAMES = [b"\x1b]0;title\x07", b"two\nlines", b"a\r\0b", "\u202ereversed".encode(), b"\xff\xfe", b"x" * 255]


@pytest.mark.parametrize("name", NAMES)
def test_D44_a_refused_name_is_one_plain_line_everywhere(name: bytes) -> None:
    key = Key("eth0", (), b"\x02\xc1\0\0\0\1", 7)
    view = views.event_view(Event("login_refused", name, key, "unknown_user", 1, Line(name, name)))
    on_the_socket = json.dumps({"event": view})
    assert on_the_socket.isascii()
    assert on_the_socket.isprintable()
    assert f"{view['circuit_id']}{view['remote_id']}".isprintable()
    shown = _text({"commit": None, **view, "time": "12:00:00"})
    record = logging.makeLogRecord({"msg": "login refused: %s", "args": (view["user"],)})
    for said in (shown, TextFormatter(colour=False).format(record), JsonFormatter().format(record)):
        assert said.isprintable()
    assert str(view["circuit_id"]).isprintable()

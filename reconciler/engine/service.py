"""The engine's command socket: lines of JSON in and out, and events to those who follow.

Neighbours: ``host`` tells when a socket is ready; ``commands`` knows what a request means. It must not know
either's content. A client that does not read what it asked for is cut off, not waited for.
"""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Generator
from typing import TYPE_CHECKING

from reconciler.engine import commands, views
from reconciler.engine.commands import CommandError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from reconciler.engine.access.effects import Event
    from reconciler.engine.host import Host
    from reconciler.engine.messages import Answer
    from reconciler.engine.observing import Slices

LONGEST_LINE = 64 << 20
"""Octets of one request at most."""
BACKLOG = 64 << 20
"""Octets that may wait for one client to read them."""
MOST_CLIENTS = 64
"""Connections at once; another is closed as soon as it is made."""


class Client:
    """One connection."""

    __slots__ = ("following", "incoming", "outgoing", "socket")

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self.incoming = bytearray()
        self.outgoing = bytearray()
        self.following = False


class Service:
    """Serves the command socket at ``path``, readable and writable by the owner alone. Raises ``OSError``."""

    def __init__(self, host: Host, path: Path) -> None:
        self._host = host
        self._path = path
        self._clients: dict[int, Client] = {}
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        path.unlink(missing_ok=True)
        self._listening.bind(str(path))
        path.chmod(0o600)
        self._listening.listen(16)
        host.register(self._listening.fileno(), self._welcome)
        host.on_event = self.publish

    def publish(self, event: Event) -> None:
        """Tell an event to every client that follows."""
        followers = [client for client in self._clients.values() if client.following]
        if followers:
            answer: Answer = {"event": views.event_view(event, self._host.past(event.key))}
            for client in followers:
                self._send(client, answer)

    def close(self) -> None:
        """Serve no more. What was already answered is still delivered where the client reads it at once."""
        self._path.unlink(missing_ok=True)
        self._host.unregister(self._listening.fileno())
        self._listening.close()
        for client in list(self._clients.values()):
            self._part(client)

    def _welcome(self, _mask: int) -> None:
        try:
            sock, _ = self._listening.accept()
        except OSError:
            return
        if len(self._clients) >= MOST_CLIENTS:
            sock.close()
            return
        sock.setblocking(False)
        client = self._clients[sock.fileno()] = Client(sock)
        self._host.register(sock.fileno(), lambda mask: self._attend(client, mask))

    def _attend(self, client: Client, mask: int) -> None:
        if mask & select.EPOLLOUT:
            self._flush(client)
        if mask & (select.EPOLLIN | select.EPOLLHUP | select.EPOLLERR) and client.socket.fileno() >= 0:
            self._read(client)

    def _read(self, client: Client) -> None:
        try:
            data = client.socket.recv(1 << 20)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        client.incoming += data
        if not data or len(client.incoming) > LONGEST_LINE:
            self._part(client)
            return
        if b"\n" in data:
            *lines, rest = client.incoming.split(b"\n")
            client.incoming = rest
            for line in lines:
                answer = self._answer(client, line)
                if answer is not None:
                    self._send(client, answer)

    def _answer(self, client: Client, line: bytearray) -> Answer | None:
        """None: the answer comes later, in parts."""
        try:
            request = json.loads(line)
            number, name = int(request.pop("id")), request.pop("do")
        except (ValueError, AttributeError, KeyError, TypeError, OverflowError, RecursionError):
            return {"error": {"code": "bad_request", "message": "a request is a JSON object with id and do"}}
        if name == "follow":
            client.following = True
            return {"id": number, "ok": {}}
        try:
            result = commands.run(self._host, name, request)
        except CommandError as error:
            return {"id": number, "error": error.body}
        if isinstance(result, Generator):
            self._host.later(self._parts(client, number, result))
            return None
        return {"id": number, "ok": result}

    def _parts(self, client: Client, number: int, slices: Slices[object]) -> Iterator[None]:
        """Send what a long answer consists of, as long as the client is there."""
        while client.socket.fileno() >= 0:
            try:
                part = next(slices)
            except StopIteration as end:
                self._send(client, {"id": number, "ok": end.value})
                return
            if part is not None:
                self._send(client, {"id": number, "part": part})
            yield

    def _send(self, client: Client, answer: Answer) -> None:
        if client.socket.fileno() < 0:
            return
        client.outgoing += json.dumps(answer, separators=(",", ":")).encode() + b"\n"
        if len(client.outgoing) > BACKLOG:
            self._part(client)
        else:
            self._flush(client)

    def _flush(self, client: Client) -> None:
        try:
            while client.outgoing:
                del client.outgoing[: client.socket.send(client.outgoing)]
        except BlockingIOError:
            self._host.modify(client.socket.fileno(), select.EPOLLIN | select.EPOLLOUT)
            return
        except OSError:
            self._part(client)
            return
        self._host.modify(client.socket.fileno(), select.EPOLLIN)

    def _part(self, client: Client) -> None:
        descriptor = client.socket.fileno()
        if self._clients.pop(descriptor, None) is not None:
            self._host.unregister(descriptor)
            client.socket.close()

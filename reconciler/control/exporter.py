"""The metrics on a TCP address, for a Prometheus elsewhere: GET /metrics, and nothing else.

Everything else of the public door stays on the unix socket. A few scrapers at once are served, each with a
time limit, so that whoever reaches the port can hold up no more than other scrapes. It must not know what is
measured.
"""

from __future__ import annotations

import ipaddress
import socket
import socketserver
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from reconciler.control.handler import Handler
from reconciler.metrics import CONTENT_TYPE

PATH = "/metrics"
MOST_SCRAPERS = 8
"""Connections at once; another is closed as soon as it is made."""

_IDLE = 30.0
"""Seconds that a scraper may take to ask, or to ask again."""


class ListenError(Exception):
    """The address cannot be listened on. One line."""


class Address(NamedTuple):
    """An IP address of this machine, and a TCP port."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """``127.0.0.1:9101`` or ``[::1]:9101``. Raises ``ValueError``, in words for the operator."""
        host, colon, port = text.rpartition(":")
        if not colon or not port.isascii() or not port.isdigit() or not 0 <= int(port) <= 65535:
            raise ValueError("give an address and a port: 127.0.0.1:9101 or [::1]:9101")
        bracketed = host.startswith("[") and host.endswith("]")
        try:
            address = ipaddress.ip_address(host[1:-1] if bracketed else host)
        except ValueError:
            raise ValueError(f"{host or 'nothing'} is not an IP address of this machine") from None
        if bracketed != (address.version == 6):
            raise ValueError("an IPv6 address stands in brackets, and no other: [::1]:9101")
        return cls(str(address), int(port))

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class Exporter:
    """Serves what ``scrape`` says in threads until closed. Raises :class:`ListenError`."""

    def __init__(self, address: Address, scrape: Callable[[], str]) -> None:
        try:
            self._server = _Server(address, scrape)
        except OSError as error:
            raise ListenError(f"cannot listen on {address} for metrics: {error.strerror}") from None
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.2,), name="metrics", daemon=True
        )

    @property
    def address(self) -> Address:
        """Where it listens: port 0 has become a real one."""
        host, port, *_ = self._server.server_address
        return Address(str(host), int(port))

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        if self._thread.ident is not None:  # what never ran would be waited for in vain
            self._server.shutdown()
        self._server.server_close()


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True

    def __init__(self, address: Address, scrape: Callable[[], str]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        self.scrape = scrape
        self._room = threading.BoundedSemaphore(MOST_SCRAPERS)
        super().__init__((address.host, address.port), _Handler)

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - the base's signature
        return self._room.acquire(blocking=False)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._room.release()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A scraper that has left, or a bug, which the next scrape shows as well."""


class _Handler(Handler):
    timeout = _IDLE
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's name
        """Whoever reaches the port could fill the log."""

    def do_GET(self) -> None:  # noqa: N802 - the base's name
        if self.path.partition("?")[0] == PATH:
            self.send(200, CONTENT_TYPE, self.server.scrape().encode())
        else:
            self.send(404, "text/plain; charset=utf-8", b"there is only /metrics\n")

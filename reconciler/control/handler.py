"""What both doors' HTTP has in common: the version, how we name ourselves, and a whole answer at once.

Neighbours: ``control.server`` and ``control.exporter``. It must not know what is asked or answered.
"""

from __future__ import annotations

from contextlib import suppress
from http.server import BaseHTTPRequestHandler


class Handler(BaseHTTPRequestHandler):
    """One connection, over which requests follow each other."""

    protocol_version = "HTTP/1.1"
    server_version = "reconciler"
    sys_version = ""

    def send(self, status: int, content_type: str, body: bytes) -> None:
        """Answer a request."""
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        with suppress(OSError):  # they may have left
            self.wfile.write(body)

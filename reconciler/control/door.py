"""Where the public door is: all that its two ends have to agree on before they speak.

Apart from the table of routes, whose types take long to import: a command only wants to knock.
"""

from __future__ import annotations

from typing import Final

SOCKET_NAME: Final = "control.sock"
"""The socket's name inside the runtime directory."""

"""Option types of ``run`` that say who may reach the daemon: the control socket's mode and group, an address
for the metrics.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from reconciler.control.exporter import Address

_OWNER = 0o600
_OTHERS_WRITE = 0o002


class Mode(click.ParamType[int]):
    """Permissions in octal. Whoever may write to the socket may end sessions: never everybody."""

    name = "mode"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if not re.fullmatch("(0o?)?[0-7]{3}", str(value), re.ASCII):
            self.fail(f"{value!r} is not a mode: write it in octal, such as 0660", param, ctx)
        mode = int(str(value).removeprefix("0o"), 8)
        if mode & _OWNER != _OWNER:
            self.fail(f"{value!r} would shut root out: begin with 06", param, ctx)
        if mode & _OTHERS_WRITE:
            self.fail(f"{value!r} would let everybody end sessions: use --socket-group", param, ctx)
        return mode


class Group(click.ParamType[int]):
    """A group of this machine, by name or number."""

    name = "group"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        import grp

        if str(value).isascii() and str(value).isdigit():
            return int(value)
        try:
            return grp.getgrnam(str(value)).gr_gid
        except KeyError:
            self.fail(f"there is no group {value!r}: `groupadd --system {value}` makes it", param, ctx)


class Listen(click.ParamType["Address"]):
    """An address and a port to listen on."""

    name = "address"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Address:
        from reconciler.control.exporter import Address

        try:
            return Address.parse(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)

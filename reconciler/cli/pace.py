"""How many a second: an option of commands that end sessions a few at a time."""

from __future__ import annotations

import re
from typing import Any

import click


class Pace(click.ParamType[float]):
    """So many a second: ``20/s``, ``20`` or ``0.5/s``."""

    name = "rate"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        match = re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)(?:/s)?", str(value), re.ASCII)
        if match is None or not float(match[1]):
            self.fail(f"{value!r} is not a pace: write 20/s", param, ctx)
        return float(match[1])

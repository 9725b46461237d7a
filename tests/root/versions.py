"""The program as a later version: a copy with another number, another protocol, another word in the log."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from reconciler import __version__
from reconciler.engine.messages import PROTOCOL
from tests.generate import ROOT

LATER = "99.0"


def later(directory: Path) -> Path:
    """Makes it in ``directory``; it runs where that is the working directory."""
    shutil.copytree(
        ROOT / "reconciler", directory / "reconciler", ignore=shutil.ignore_patterns("__pycache__")
    )
    package = directory / "reconciler"
    rewrite(package / "__init__.py", re.escape(__version__), LATER)
    rewrite(package / "engine/messages.py", f"PROTOCOL = {PROTOCOL}", f"PROTOCOL = {PROTOCOL + 1}")
    rewrite(package / "engine/restore.py", "sessions go on", "sessions go on in the new engine")
    return directory


def rewrite(path: Path, old: str, new: str) -> None:
    """Replace a pattern, which must be there."""
    text, count = re.subn(old, new, path.read_text())
    assert count, f"{path.name} has no {old}"
    path.write_text(text)

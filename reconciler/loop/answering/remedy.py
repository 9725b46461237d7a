"""How to bring the site file to the content of a generation: the very commands, to be run by a person.

Only what was looked up is proposed: a revert is named when the commit before has that content, a checkout
when a commit has it. It must not run anything that changes a file.
"""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Final

from reconciler.loop.keeping.generations import Generation
from reconciler.loop.reading.revision import commits, committed, followed, revision

SEARCHED: Final = 50
"""Commits in which the content is looked for."""


def remedy(path: Path, wanted: Generation) -> list[str]:
    """Commands, one a line, after which the file at ``path`` has the generation's content."""
    real = followed(path)
    out = [f"reconciler history {wanted.number} --out {shlex.quote(str(path))} --force"]
    try:
        where = revision(real, None)
        if where is None:
            return out
        git, name = f"git -C {shlex.quote(str(real.parent))}", shlex.quote(real.name)
        if committed(real, where.commit) == wanted.sha256:
            return [f"{git} checkout {where.commit[:12]} -- {name}"]
        if committed(real, f"{where.commit}^") == wanted.sha256:
            return [f"{git} revert --no-edit {where.commit[:12]}"]
        for commit in commits(real, SEARCHED):
            if committed(real, commit) == wanted.sha256:
                message = shlex.quote(f"back to generation {wanted.number}")
                return [f"{git} checkout {commit[:12]} -- {name}", f"{git} commit -m {message} -- {name}"]
    except (OSError, subprocess.TimeoutExpired):
        return out
    return out

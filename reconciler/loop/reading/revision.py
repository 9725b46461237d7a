"""Which commit a site file's content is.

Asked for content that was read, not for what lies there now: a checkout may have moved on meanwhile, and what
is in force would be said to be of a commit that nobody has read yet. Works wherever git does: clones, linked
worktrees of a bare repository, what git-sync keeps, a detached HEAD. It must not know what the content means.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

_TIMEOUT = 5.0


@dataclass(frozen=True, slots=True)
class Revision:
    """The commit that is checked out where a file is. ``branch`` is None when HEAD is detached. ``dirty``:
    the content is not the commit's. ``author`` is the name that the commit gives.
    """

    commit: str
    branch: str | None
    dirty: bool
    author: str = ""


def followed(path: Path) -> Path:
    """Where a path leads through links. One in a ring of links, which leads nowhere, is taken as it is."""
    return Path(os.path.realpath(path))


def revision(path: Path, sha256: str | None) -> Revision | None:
    """Where content with the hash ``sha256`` (hexadecimal; None is no content), read from ``path``, stands in
    git. None outside of a repository, without git, where git refuses to look (another user's repository), or
    when it does not answer in time.
    """
    real = followed(path)
    try:
        answer = _git(real.parent, "rev-parse", "HEAD", "--abbrev-ref", "HEAD")
        if answer is None:
            return None
        commit, branch = answer.decode(errors="replace").split()
        known, author = _committed(real, commit)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return Revision(commit, None if branch == "HEAD" else branch, known is None or known != sha256, author)


def committed(path: Path, commit: str) -> str | None:
    """The hash (SHA-256, hexadecimal) of the file's content in a commit; None if it is not in it. Raises what
    comes of no git, or of one that hangs.
    """
    return _committed(path, commit)[0]


def commits(path: Path, most: int) -> list[str]:
    """The last commits that changed the file, newest first. Raises as :func:`committed` does."""
    answer = _git(path.parent, "rev-list", f"--max-count={most}", "HEAD", "--", path.name)
    return (answer or b"").decode(errors="replace").split()


@lru_cache(maxsize=64)
def _committed(path: Path, commit: str) -> tuple[str | None, str]:
    """The hash of a file's content in a commit, as a checkout would write it, and the commit's author."""
    content = _git(path.parent, "cat-file", "--filters", f"{commit}:./{path.name}")
    author = _git(path.parent, "show", "--no-patch", "--format=%an", commit) or b""
    known = None if content is None else hashlib.sha256(content).hexdigest()
    return known, author.decode(errors="replace").strip()


def _git(directory: Path, *arguments: str) -> bytes | None:
    """What git prints; None when it fails. Raises what comes of no git, or of one that hangs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environment |= {"GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}
    answer = subprocess.run(
        ["git", *arguments],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=_TIMEOUT,
        check=False,
    )
    return None if answer.returncode else answer.stdout

"""Who writes a site file, and how: each does to a directory what the program named does.

``begin`` makes the first file and gives back the path to watch; ``write`` puts another text there.
"""

from __future__ import annotations

import mmap
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple


class Writer(NamedTuple):
    """``pause``, passed to ``write``, waits until the loop has looked at what is there so far."""

    name: str
    begin: Callable[[Path, str], Path]
    write: Callable[[Path, str, Callable[[], None]], None]
    hinted: bool = True
    """Whether the kernel tells of it."""


def _first(home: Path, text: str) -> Path:
    (home / "site.yaml").write_text(text)
    return home / "site.yaml"


def _in_place(home: Path, text: str, _pause: Callable[[], None]) -> None:
    (home / "site.yaml").write_text(text)


def _by_rename(home: Path, text: str, _pause: Callable[[], None]) -> None:
    (home / ".site.yaml.new").write_text(text)
    (home / ".site.yaml.new").rename(home / "site.yaml")


def _vim(home: Path, text: str, _pause: Callable[[], None]) -> None:
    """With 'backup' and 'backupcopy=no': the old file becomes the backup, the new one takes its name."""
    (home / "4913").touch()
    (home / "4913").unlink()
    (home / "site.yaml").rename(home / "site.yaml~")
    (home / "site.yaml").write_text(text)


def _vim_copying(home: Path, text: str, _pause: Callable[[], None]) -> None:
    """With 'backupcopy=yes': a copy becomes the backup, the file is written over."""
    shutil.copy2(home / "site.yaml", home / "site.yaml~")
    (home / "site.yaml").write_text(text)


def _sed(home: Path, text: str, _pause: Callable[[], None]) -> None:
    password = next(line for line in text.splitlines() if "theo:" in line)
    subprocess.run(["sed", "-i", f"s/^.*theo:.*$/{password}/", "site.yaml"], cwd=home, check=True)


def _git(home: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org", "-c", "init.defaultBranch=main"]
    command = ["git", *identity, "-C", str(home), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _git_begin(home: Path, text: str) -> Path:
    (home / "upstream").mkdir()
    _git(home / "upstream", "init", "-q")
    _git_commit(home, text)
    _git(home, "clone", "-q", "upstream", "box")
    return home / "box" / "site.yaml"


def _git_commit(home: Path, text: str) -> None:
    (home / "upstream" / "site.yaml").write_text(text)
    _git(home / "upstream", "add", "site.yaml")
    _git(home / "upstream", "commit", "-q", "--allow-empty", "-m", "an edit")


def _git_checkout(home: Path, text: str, _pause: Callable[[], None]) -> None:
    _git_commit(home, text)
    _git(home / "box", "fetch", "-q")
    _git(home / "box", "checkout", "-q", "--detach", "origin/main")


def _delete_and_create(home: Path, text: str, pause: Callable[[], None]) -> None:
    (home / "site.yaml").unlink()
    pause()
    (home / "site.yaml").write_text(text)


def _config_map(home: Path, text: str) -> Path:
    """site.yaml -> ..data/site.yaml, ..data -> ..0"""
    (home / "..0").mkdir()
    (home / "..0" / "site.yaml").write_text(text)
    (home / "..data").symlink_to("..0")
    (home / "site.yaml").symlink_to("..data/site.yaml")
    return home / "site.yaml"


def _config_map_swap(home: Path, text: str, _pause: Callable[[], None]) -> None:
    old = (home / "..data").readlink()
    new = home / f"..{int(old.name[2:]) + 1}"
    new.mkdir()
    (new / "site.yaml").write_text(text)
    (home / "..data_tmp").symlink_to(new.name)
    (home / "..data_tmp").rename(home / "..data")
    shutil.rmtree(home / old)


def _tree(home: Path, text: str) -> Path:
    """current/sites/site.yaml, current -> trees/0"""
    (home / "trees" / "0" / "sites").mkdir(parents=True)
    (home / "trees" / "0" / "sites" / "site.yaml").write_text(text)
    (home / "current").symlink_to("trees/0")
    return home / "current" / "sites" / "site.yaml"


def _tree_swap(home: Path, text: str, _pause: Callable[[], None]) -> None:
    old = (home / "current").readlink()
    new = home / "trees" / str(int(old.name) + 1)
    (new / "sites").mkdir(parents=True)
    (new / "sites" / "site.yaml").write_text(text)
    (home / "next").symlink_to(new.relative_to(home))
    (home / "next").rename(home / "current")
    shutil.rmtree(home / old)


def _directory(home: Path, text: str) -> Path:
    (home / "etc").mkdir()
    return _first(home / "etc", text)


def _directory_made_again(home: Path, text: str, pause: Callable[[], None]) -> None:
    shutil.rmtree(home / "etc")
    pause()
    (home / "etc").mkdir()
    pause()
    (home / "etc" / "site.yaml").write_text(text)


def _directory_made_again_at_once(home: Path, text: str, _pause: Callable[[], None]) -> None:
    shutil.rmtree(home / "etc")
    _directory(home, text)


def _burst(home: Path, text: str, pause: Callable[[], None]) -> None:
    """A hundred saves, each undone by the next but the last."""
    before = (home / "site.yaml").read_text()
    for number in range(100):
        _by_rename(home, text if number % 2 else before, pause)


def _empty_for_a_moment(home: Path, text: str, pause: Callable[[], None]) -> None:
    (home / "site.yaml").write_text("")
    pause()
    (home / "site.yaml").write_text(text)


def _slowly(home: Path, text: str, pause: Callable[[], None]) -> None:
    """The first half would be a valid site with fewer users."""
    half = text.index("  pablo:")
    with (home / "site.yaml").open("w") as file:
        pause()
        file.write(text[:half])
        file.flush()
        pause()
        file.write(text[half:])


@contextmanager
def _same_times(path: Path) -> Iterator[None]:
    before = path.stat()
    yield
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    after = path.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def _same_size_and_mtime(home: Path, text: str, _pause: Callable[[], None]) -> None:
    with _same_times(home / "site.yaml"):
        (home / "site.yaml").write_text(text)


def _same_size_and_mtime_by_rename(home: Path, text: str, pause: Callable[[], None]) -> None:
    with _same_times(home / "site.yaml"):
        _by_rename(home, text, pause)


def _memory_map(home: Path, text: str, _pause: Callable[[], None]) -> None:
    content = text.encode()
    with (home / "site.yaml").open("r+b") as file, mmap.mmap(file.fileno(), len(content)) as memory:
        memory[:] = content


def _secret(home: Path, text: str) -> Path:
    """The password is in a file of its own, behind a link."""
    (home / "secrets").mkdir()
    _secret_changed(home, text, lambda: None)
    (home / "theo").symlink_to("secrets/theo")
    return _first(home, _with_theo(text, "{password_file: theo}"))


def _secret_changed(home: Path, text: str, _pause: Callable[[], None]) -> None:
    value = next(line for line in text.splitlines() if "theo:" in line).split(": ", 1)[1]
    beside = home / "secrets" / "new"
    beside.write_text("" if value == "[" else value)  # an empty one is as wrong as a broken site
    beside.rename(home / "secrets" / "theo")


def _with_theo(text: str, value: str) -> str:
    return "".join(
        f"  theo: {value}\n" if "theo:" in line else line for line in text.splitlines(keepends=True)
    )


WRITERS = (
    Writer("save in place", _first, _in_place),
    Writer("save by rename", _first, _by_rename),
    Writer("vim with a backup", _first, _vim),
    Writer("vim with a copied backup", _first, _vim_copying),
    Writer("sed -i", _first, _sed),
    Writer("git checkout", _git_begin, _git_checkout),
    Writer("delete and create", _first, _delete_and_create),
    Writer("..data swapped (Kubernetes)", _config_map, _config_map_swap),
    Writer("link in the middle swapped (git-sync)", _tree, _tree_swap),
    Writer("directory removed and made again", _directory, _directory_made_again),
    Writer("directory made again at once", _directory, _directory_made_again_at_once),
    Writer("burst", _first, _burst),
    Writer("empty for a moment", _first, _empty_for_a_moment),
    Writer("half written", _first, _slowly),
    Writer("same size and same mtime", _first, _same_size_and_mtime),
    Writer("same size and same mtime, by rename", _first, _same_size_and_mtime_by_rename),
    Writer("memory map", _first, _memory_map, hinted=False),
    Writer("password file replaced behind a link", _secret, _secret_changed),
)

"""Compiles the engine's core, what every frame goes through, as one extension module.

mypyc makes C of its annotated Python. The files stay as they are, beside what was made of them, and are
what runs wherever nothing was. Neighbours: ``build.py``, the benchmarks and the tests, each as a program.
Usage: ``python packaging/compile.py DIRECTORY``, where DIRECTORY holds the package ``reconciler``. It takes a
C compiler, and this Python's headers.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from mypyc.build import mypycify
from setuptools import setup

PACKAGE = "reconciler"
ENGINE = Path(PACKAGE, "engine")
ROOMS = ("wire", "crypto", "ppp", "access")
LOOP = ("host", "counts", "chronicle")
AS_THEY_ARE = {"__init__.py", "effects.py"}
"""Nothing to gain: they hold no code, and what ``effects`` declares mypyc cannot."""


def main() -> None:
    """Compile in a place of its own, and put there only what was made."""
    where = Path(sys.argv[1]).absolute()
    with TemporaryDirectory() as stage:
        shutil.copytree(where / PACKAGE, Path(stage, PACKAGE), ignore=shutil.ignore_patterns("*.so"))
        os.chdir(stage)
        compile_into(Path("made"))
        shutil.copytree("made", where, dirs_exist_ok=True)


def compile_into(made: Path) -> None:
    """Make the extension modules of the rooms below the working directory."""
    files = [path for room in ROOMS for path in Path(ENGINE, room).glob("*.py")]
    files += [Path(ENGINE, name).with_suffix(".py") for name in LOOP]
    modules = sorted(str(path) for path in files if path.name not in AS_THEY_ARE)
    extensions = mypycify(["--strict", *modules], debug_level="0", group_name=PACKAGE)
    build = ["--quiet", "build_ext", "--build-lib", str(made)]
    setup(name=PACKAGE, packages=[], ext_modules=extensions, script_args=build)


if __name__ == "__main__":
    main()

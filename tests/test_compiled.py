"""The engine with its core compiled, as Debian's package has it, passes the tests that its Python passes."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.generate import ROOT

CHOSEN = ("tests/engine", "--ignore=tests/engine/datapath", "-m", "not interpreted and not root")


@pytest.mark.timeout(900)
def test_the_compiled_core_passes_the_tests_of_the_engine(tmp_path: Path) -> None:
    package = tmp_path / "reconciler"
    shutil.copytree(ROOT / package.name, package)
    program = (sys.executable, ROOT / "packaging/compile.py", tmp_path)
    subprocess.run(program, check=True, stdout=subprocess.DEVNULL)
    for made in package.rglob("*.so"):
        made.with_name(made.name.partition(".")[0] + ".py").unlink()
    assert not (package / "engine/access/concentrator.py").exists(), "the core is not compiled"
    shutil.copytree(ROOT / "tests", tmp_path / "tests")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)

    pytest_ = (sys.executable, "-m", "pytest", "-q", "--hypothesis-profile=ci", *CHOSEN)
    ran = subprocess.run(pytest_, check=False, cwd=tmp_path, capture_output=True, text=True)

    assert ran.returncode == 0, ran.stdout

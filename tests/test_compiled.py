"""The engine with its core compiled, as Debian's package has it, passes the tests that its Python passes."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

from bench.world import compiled
from tests.generate import ROOT

CHOSEN = ("tests/engine", "--ignore=tests/engine/datapath", "-m", "not interpreted and not root")


@pytest.mark.timeout(900)
def test_the_compiled_core_passes_the_tests_of_the_engine() -> None:
    with compiled() as code:
        for made in (code / "reconciler").rglob("*.so"):
            made.with_name(made.name.partition(".")[0] + ".py").unlink()
        left = code / "reconciler/engine/access/concentrator.py"
        assert not left.exists(), "the core is not compiled"
        shutil.copytree(ROOT / "tests", code / "tests")
        shutil.copy(ROOT / "pyproject.toml", code)

        pytest_ = (sys.executable, "-m", "pytest", "-q", "--hypothesis-profile=ci", *CHOSEN)
        ran = subprocess.run(pytest_, check=False, cwd=code, capture_output=True, text=True)

    assert ran.returncode == 0, ran.stdout

"""What is imported of pppoe-server's set-up is what the example site declares: it plans to nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.generate import ROOT
from tests.importers import test_pppoe_server as setup
from tests.patience import PATIENCE
from tests.root.box import Box

pytestmark = pytest.mark.root


def test_the_imported_set_up_plans_to_no_changes_against_the_example(box: Box, tmp_path: Path) -> None:
    def say(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "reconciler", *map(str, arguments)]
        where = {"RECONCILER_RUNTIME_DIR": str(tmp_path / "run"), "NO_COLOR": "1"}
        return subprocess.run(
            command,
            env={**os.environ, **where},
            capture_output=True,
            text=True,
            check=False,
            timeout=2 * PATIENCE,
        )

    box.edit((ROOT / "examples" / "site.yaml").read_text(encoding="utf-8"))
    box.start("--datapath", "tun")
    box.ready()
    files = {"--pap-secrets": setup.SECRETS, "--options": setup.OPTIONS, "--sysctl": setup.SYSCTL}
    arguments: list[str | Path] = ["import", "pppoe-server", "--command", setup.COMMAND]
    for option, text in files.items():
        path = tmp_path / option.lstrip("-")
        path.write_text(text)
        arguments += [option, path]
    imported = tmp_path / "imported.yaml"
    done = say(*arguments, "-O", imported)
    assert done.returncode == 0, done.stderr
    assert "not imported: 0" in done.stderr
    planned = say("apply", imported, "--dry-run", "--detailed-exitcode")
    assert (planned.returncode, planned.stdout.partition("\n")[0]) == (0, "No changes."), planned

"""``reconciler import``: the new file holds the passwords, and nothing else shows them."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from tests.cli.conftest import Said
from tests.importers import test_accel_ppp as accel
from tests.importers import test_pppoe_server as pppoe

Say: TypeAlias = Callable[..., Said]


def test_pppoe_server_to_a_new_file(say: Say, tmp_path: Path) -> None:
    files = {"pap": pppoe.SECRETS, "options": pppoe.OPTIONS, "sysctl": pppoe.SYSCTL}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    site = tmp_path / "site.yaml"
    arguments = ["import", "pppoe-server", "--command", pppoe.COMMAND, "--pap-secrets", tmp_path / "pap"]
    arguments += ["--options", tmp_path / "options", "--sysctl", tmp_path / "sysctl"]
    said = say(*arguments, "-O", site)
    assert (said.status, said.out) == (0, "")
    assert "3 users; not imported: 0" in said.err
    assert stat.S_IMODE(site.stat().st_mode) == 0o600
    assert say("validate", site).status == 0
    assert say(*arguments).out == site.read_text()
    again = say(*arguments, "-O", site)
    assert again.status == 1
    assert "there already" in again.err


def test_accel_ppp_to_standard_output(say: Say, tmp_path: Path) -> None:
    (tmp_path / "conf").write_text(accel.CONF)
    (tmp_path / "chap").write_text(accel.SECRETS.replace("test", "hunter2"))
    said = say("import", "accel-ppp", "--conf", tmp_path / "conf", "--chap-secrets", tmp_path / "chap")
    assert said.status == 0
    assert "  theo: hunter2" in said.out.replace("'", "")
    assert "not imported: " in said.err
    assert "hunter2" not in said.err


def test_what_is_still_missing_is_said_and_is_an_error(say: Say, tmp_path: Path) -> None:
    (tmp_path / "conf").write_text("[pppoe]\ninterface=eth0\n")
    said = say("import", "accel-ppp", "--conf", tmp_path / "conf")
    assert said.status == 1
    assert "E130" in said.err


def test_a_file_in_another_encoding_is_said_with_its_line(say: Say, tmp_path: Path) -> None:
    (tmp_path / "pap").write_bytes(b"theo * test *\npablo * t\xe9st *\n")
    said = say("import", "pppoe-server", "--command", pppoe.COMMAND, "--pap-secrets", tmp_path / "pap")
    assert (said.status, said.out) == (1, "")
    assert f"{tmp_path / 'pap'}:2 is not UTF-8 text: save it as UTF-8" in said.err


def test_what_is_no_such_command(say: Say) -> None:
    assert say("import", "pppoe-server", "--command", "pppd").status == 1

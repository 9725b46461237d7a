"""``reconciler user``: the file changes where it was asked to, at once, and no password is seen."""

from __future__ import annotations

import gc
import hashlib
import io
import os
import stat
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TypeAlias

import pytest

from reconciler.cli import password, sitefile
from reconciler.cli.common import Failure
from reconciler.site import hashes
from reconciler.site.load import load
from tests.cli.conftest import Daemon, Said
from tests.loop.world import SITE

Say: TypeAlias = Callable[..., Said]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "a.yaml"
    path.write_text(SITE)
    path.chmod(0o640)
    return path


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts a text on standard input."""

    def run(text: str) -> None:
        stdin = SimpleNamespace(buffer=io.BytesIO(text.encode()), isatty=lambda: False)
        monkeypatch.setattr("reconciler.cli.password.sys", SimpleNamespace(stdin=stdin))

    return run


@pytest.mark.parametrize("arguments", [("user", "add", "zoe", "--generate", "--file"), ("fmt",)])
def test_a_large_file_costs_no_search_for_garbage(
    say: Say, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    large = tmp_path / "large.yaml"
    large.write_text(SITE + "".join(f"  u{number}:   {{password: x}}\n" for number in range(2000)))
    searches: list[int] = []

    def count(phase: str, info: dict[str, int]) -> None:
        searches.extend([info["generation"]] * (phase == "start"))

    gc.callbacks.append(count)
    try:
        assert say(*arguments, large).status == 0
    finally:
        gc.callbacks.remove(count)
    assert len(searches) < 30


def test_adding_a_user_shows_the_difference_without_the_password(
    say: Say, site: Path, typed: Callable[[str], None]
) -> None:
    typed("hunter 2\n")
    said = say("user", "add", "yunhan", "--password-file", "-", "--file", site)
    assert (said.status, said.out) == (0, "")
    assert "+  yunhan:" in said.err
    assert "hunter" not in said.err
    assert "one" not in said.err, "nor the passwords of the lines around"
    assert "hunter 2" in site.read_text()
    assert stat.S_IMODE(site.stat().st_mode) == 0o640


def test_a_name_that_is_mistyped_is_told_the_closest(say: Say, site: Path) -> None:
    before = site.read_bytes()
    said = say("user", "remove", "teho", "--file", site)
    assert (said.status, said.err) == (1, "error: user teho is not there: did you mean theo?\n")
    assert site.read_bytes() == before


def test_a_generated_password_is_printed_once_and_alone(say: Say, site: Path) -> None:
    said = say("user", "passwd", "theo", "--generate", "--file", site)
    assert len(said.out.strip()) == 16
    assert said.out.strip() in site.read_text()
    assert said.out.strip() not in said.err


def test_a_hash_that_proves_the_password(say: Say, site: Path) -> None:
    site.write_text(SITE + "auth: [pap]\n")
    said = say("user", "passwd", "theo", "--hash", "--generate", "--file", site)
    assert said.status == 0
    text = yaml_value(site, "theo")
    made = hashes.scrypt(text)
    password = said.out.strip().encode()
    cost = {"n": made.n, "r": made.r, "p": made.p, "maxmem": 64 << 20, "dklen": 32}
    assert hashlib.scrypt(password, salt=made.salt, **cost) == made.key
    assert said.out.strip() not in site.read_text()
    assert text not in said.err


def yaml_value(site: Path, name: str) -> str:
    found = load(site.read_bytes(), "site.yaml").site
    assert found is not None
    secret = found.users[name].password_hash
    assert secret is not None
    return secret.reveal()


def test_disable_enable_ip_and_remove(say: Say, site: Path) -> None:
    assert say("user", "disable", "pablo", "--file", site).status == 0
    assert say("user", "ip", "theo", "10.0.1.17", "--file", site).status == 0
    rows = {row["name"]: row for row in say("user", "list", "--file", site, "-o", "json").json}
    assert (rows["pablo"]["enabled"], rows["theo"]["ip"]) == (False, "10.0.1.17")
    assert "pool" not in say("user", "list", "--file", site).out
    assert say("user", "ip", "theo", "pool", "--file", site).status == 0
    assert say("user", "enable", "pablo", "--file", site).status == 0
    assert "nothing to change" in say("user", "enable", "pablo", "--file", site).err
    assert say("user", "remove", "pablo", "--file", site).status == 0
    assert [row["name"] for row in say("user", "list", "--file", site, "-o", "json").json] == ["theo"]


def test_what_is_refused_changes_nothing_and_says_why(say: Say, site: Path) -> None:
    said = say("user", "ip", "theo", "10.0.1.9", "--file", site)
    assert said.status == 1
    assert "E104" in said.err
    assert "one" not in said.err
    assert say("user", "remove", "nobody", "--file", site).status == 1
    assert site.read_text() == SITE


def test_no_terminal_no_prompt(say: Say, site: Path, typed: Callable[[str], None]) -> None:
    typed("")
    said = say("user", "passwd", "theo", "--file", site)
    assert said.status == 1
    assert "--password-file" in said.err


def test_prompt_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(password, "sys", SimpleNamespace(stdin=SimpleNamespace(isatty=lambda: True)))
    monkeypatch.setattr("click.prompt", lambda *_args, **given: "typed" if given["hide_input"] else "")
    assert password.obtain(None, False) == "typed"


@pytest.mark.parametrize(("content", "says"), [(b"a\nb\n", "more than one line"), (b"\xff", "UTF-8")])
def test_a_password_file_has_one_line(
    say: Say, site: Path, tmp_path: Path, content: bytes, says: str
) -> None:
    secret = tmp_path / "secret"
    secret.write_bytes(content)
    assert says in say("user", "passwd", "theo", "--password-file", secret, "--file", site).err


def test_a_link_is_followed_and_nothing_is_left_behind(say: Say, site: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.yaml"
    link.symlink_to(site)
    before = set(tmp_path.iterdir())
    assert say("user", "disable", "theo", "--file", link).status == 0
    assert link.is_symlink()
    assert "enabled: false" in site.read_text()
    assert set(tmp_path.iterdir()) == before


def test_an_edit_by_somebody_else_meanwhile_is_not_lost(site: Path, tmp_path: Path) -> None:
    before = set(tmp_path.iterdir())
    with pytest.raises(Failure, match="somebody else"):
        sitefile.replace(site, b"what was read", b"what would be written")
    assert site.read_text() == SITE
    assert set(tmp_path.iterdir()) == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_the_owner_stays(say: Say, site: Path) -> None:
    os.chown(site, 1234, 2345)
    assert say("user", "disable", "theo", "--file", site).status == 0
    found = site.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (1234, 2345, 0o640)


def test_the_file_is_the_one_here_or_the_daemons(
    daemon: Daemon, say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert say("status", "--wait").status == 0
    assert say("user", "disable", "theo").status == 0
    assert "enabled: false" in daemon.path.read_text()
    (here / "site.yaml").write_text(SITE)
    assert say("user", "disable", "theo").status == 0
    assert "enabled: false" in (here / "site.yaml").read_text()


def test_no_file_at_all(say: Say, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert "--file" in say("user", "list").err

"""``reconciler secret``, ``user passwd --age`` and what ``validate`` says of passwords."""

from __future__ import annotations

import difflib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pyrage
import pytest

from reconciler.loop.reading.boxkey import BoxKey
from reconciler.site import age
from reconciler.site.load import load
from tests.cli.conftest import Said
from tests.loop.world import SITE

Say: TypeAlias = Callable[..., Said]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    path = tmp_path / "a.yaml"
    path.write_text(SITE)
    return path


@pytest.fixture
def box(tmp_path: Path) -> BoxKey:
    return BoxKey(tmp_path / "state")


def opened(site: Path, name: str, *keys: pyrage.x25519.Identity) -> str:
    """The password of a user, as whoever has one of the keys reads it."""
    found = load(site.read_bytes(), "a.yaml", denying=False).site
    assert found is not None
    value = found.users[name].password_age
    assert value is not None, f"{name} is not encrypted"
    return age.password_of(name, pyrage.decrypt(age.octets(value.reveal()), keys))


def test_the_recipient_is_the_box_and_stays_so(say: Say, box: BoxKey) -> None:
    first = say("secret", "recipient")
    assert (first.status, first.out) == (0, f"{box.public}\n")
    assert say("secret", "recipient", "-o", "json").json == {"recipient": box.public, "file": str(box.path)}
    assert stat.S_IMODE(box.path.stat().st_mode) == 0o600


def test_a_key_that_is_open_to_others_is_told(say: Say, box: BoxKey) -> None:
    assert box.public
    box.path.chmod(0o644)
    said = say("secret", "recipient")
    assert (said.status, said.out) == (1, "")
    assert "open to others" in said.err


def test_without_a_recipient_nothing_is_encrypted_and_no_key_is_made(
    say: Say, site: Path, box: BoxKey
) -> None:
    said = say("user", "passwd", "theo", "--age", "--generate", "--file", site)
    assert said.status == 1
    assert "`reconciler secret recipient` prints the box's" in said.err
    assert site.read_text() == SITE
    assert not box.path.exists()


def test_a_key_that_others_keep_to_themselves_is_none_here(
    say: Say, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoxKey, "path", property(lambda _: Refusing()))
    said = say("user", "passwd", "theo", "--age", "--generate", "--file", site)
    assert (said.status, "for whom?" in said.err) == (1, True)


class Refusing:
    """A path in a directory that is not ours to look into."""

    def exists(self) -> bool:
        raise PermissionError(13, "Permission denied")


def test_only_the_users_lines_change(say: Say, site: Path, box: BoxKey) -> None:
    assert box.public
    said = say("user", "passwd", "theo", "--age", "--generate", "--file", site)
    assert said.status == 0
    lines = difflib.ndiff(SITE.splitlines(), site.read_text().splitlines())
    changed = [line for line in lines if line[0] in "+-"]
    assert changed[:2] == ["-   theo: one", "+   theo:"]
    assert [line.split(":")[0] for line in changed[2:]] == ["+     password_age"]
    assert opened(site, "theo", box.identity) == said.out.strip()
    assert said.out.strip() not in said.err


def test_the_file_says_for_whom_and_an_option_adds_to_them(say: Say, site: Path, box: BoxKey) -> None:
    declared, operator = (pyrage.x25519.Identity.generate() for _ in range(2))
    site.write_text(f"age_recipients: [{declared.to_public()}]\n{SITE}")
    more = ("--recipient", str(operator.to_public()))
    said = say("user", "passwd", "theo", "--age", "--generate", "--file", site, *more)
    password = said.out.strip()
    assert opened(site, "theo", declared) == opened(site, "theo", operator) == password
    with pytest.raises(pyrage.DecryptError):
        opened(site, "theo", box.identity)
    assert say("user", "add", "maria", "--age", "--generate", "--file", site).status == 0
    assert opened(site, "maria", declared)


def test_what_is_no_recipient_is_told(say: Say, site: Path) -> None:
    said = say("user", "passwd", "theo", "--age", "--generate", "--file", site, "--recipient", "age1x")
    assert said.status == 1
    assert "--recipient: not a recipient" in said.err


def test_two_forms_at_once_are_one_too_many(say: Say, site: Path) -> None:
    assert say("user", "passwd", "theo", "--age", "--hash", "--generate", "--file", site).status == 64


def test_an_encrypted_password_is_not_replaced_by_plain_text(say: Say, site: Path, box: BoxKey) -> None:
    assert box.public
    say("user", "passwd", "theo", "--age", "--generate", "--file", site)
    before = site.read_text()
    said = say("user", "passwd", "theo", "--generate", "--file", site)
    assert (said.status, "say --age" in said.err) == (1, True)
    assert site.read_text() == before


def test_encrypt_takes_all_that_is_plain_and_again_all_that_is_not(say: Say, site: Path, box: BoxKey) -> None:
    assert box.public
    said = say("secret", "encrypt", "--file", site)
    assert (said.status, "encrypted: 2" in said.err) == (0, True)
    assert [opened(site, name, box.identity) for name in ("theo", "pablo")] == ["one", "two"]
    once = site.read_text()
    assert "nothing to change" in say("secret", "encrypt", "--file", site).err
    operator = pyrage.x25519.Identity.generate()
    again = say("secret", "encrypt", "--again", "--file", site, "--recipient", str(operator.to_public()))
    assert again.status == 0
    assert site.read_text() != once
    assert [opened(site, name, operator) for name in ("theo", "pablo")] == ["one", "two"]


def test_again_takes_a_key_that_opens_what_is_there(
    say: Say, site: Path, box: BoxKey, tmp_path: Path
) -> None:
    assert box.public
    say("secret", "encrypt", "--file", site)
    kept = tmp_path / "kept.key"
    box.path.rename(kept)
    before = site.read_text()
    assert say("secret", "recipient").status == 0
    said = say("secret", "encrypt", "--again", "--file", site)
    assert (said.status, "encrypted for another key" in said.err) == (1, True)
    assert site.read_text() == before
    assert say("secret", "encrypt", "--again", "--age-identity", kept, "--file", site).status == 0
    assert opened(site, "theo", BoxKey(box.path.parent).identity) == "one"


def test_validate_says_what_it_cannot_look_at(say: Say, site: Path, box: BoxKey) -> None:
    assert box.public
    say("secret", "encrypt", "--file", site)
    said = say("validate", site)
    assert (said.status, said.out) == (0, "")
    assert "encrypted passwords not checked: 2" in said.err
    for option in (("--secrets",), ("--age-identity", box.path)):
        said = say("validate", *option, site)
        assert (said.status, said.out) == (0, "")
        assert "not checked" not in said.err


def test_validate_with_a_key_finds_a_value_of_another_user(say: Say, site: Path, box: BoxKey) -> None:
    assert box.public
    say("user", "passwd", "theo", "--age", "--generate", "--file", site)
    site.write_text(site.read_text().replace("  theo:", "  thea:"))
    assert say("validate", site).status == 0
    said = say("validate", "--age-identity", box.path, site, "-o", "json")
    assert said.status == 1
    assert [finding["code"] for finding in said.json if finding["severity"] == "error"] == ["E154"]


def test_plain_text_is_a_note_until_it_is_denied(say: Say, site: Path) -> None:
    said = say("validate", site, "-o", "json")
    assert said.status == 0
    assert [(finding["code"], finding["severity"]) for finding in said.json] == [("W205", "note")]
    for denied in ("W205", "all"):
        assert say("validate", "--deny", denied, site).status == 1
    assert say("validate", "--deny", "W203", site).status == 0
    assert say("validate", "--deny", "W999", site).status == 64


def test_validate_looks_at_files_when_asked(say: Say, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    users = "  eva: {password_file: p, ip: 10.0.1.7}\n  ivo: {password_env: IVO, ip: 10.0.1.8}\n"
    site.write_text(SITE + users)
    (site.parent / "p").write_text("secret\n")
    (site.parent / "p").chmod(0o640)
    assert say("validate", "--deny", "W206", site).status == 0
    said = say("validate", "--secrets", site, "-o", "json")
    assert {finding["code"] for finding in said.json} == {"W205", "W206", "E151"}
    monkeypatch.setenv("IVO", "secret")
    assert say("validate", "--secrets", site).status == 0
    assert say("validate", "--secrets", "--deny", "W206", site).status == 1
    (site.parent / "p").chmod(0o600)
    assert say("validate", "--secrets", "--deny", "W206", site).status == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file away")
def test_a_password_file_of_somebody_else_is_warned_of(say: Say, site: Path) -> None:
    site.write_text(SITE.replace("theo: one", "theo: {password_file: p}"))
    (site.parent / "p").write_text("one")
    (site.parent / "p").chmod(0o600)
    os.chown(site.parent / "p", 4321, -1)
    said = say("validate", "--secrets", site)
    assert "it belongs to uid 4321" in said.out


@pytest.mark.parametrize("content", [None, "no key\n"])
def test_run_refuses_a_key_that_is_none(say: Say, site: Path, tmp_path: Path, content: str | None) -> None:
    key = tmp_path / "key"
    if content is not None:
        key.write_text(content)
        key.chmod(0o600)
    said = say("run", site, "--age-identity", key)
    assert said.status == 1
    assert said.err.splitlines()[-1].startswith("error: --age-identity: ")

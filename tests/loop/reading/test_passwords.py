"""A site's passwords are got at every look: files and keys that come, change and go are noticed."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pyrage
import pytest

from reconciler.loop.reading.boxkey import BoxKey
from reconciler.loop.reading.goal import Goal, Reader
from reconciler.loop.reading.unseal import Unsealer
from reconciler.loop.warnings import Warnings
from reconciler.site import age
from tests.loop.world import SITE


class Desk:
    """A site file in a directory, and a reader of it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.box = BoxKey(directory / "state")
        self.path = directory / "site.yaml"
        self.other = directory / "other.key"
        self.reader = Reader(b"key", "box", Unsealer((self.box.path, self.other)))

    def save(self, theo: str) -> Goal:
        self.path.write_text(SITE.replace("theo: one", f"theo: {theo}"))
        return self.look()

    def look(self) -> Goal:
        return self.reader.look(self.path)

    def sealed(self, content: bytes) -> str:
        recipient = pyrage.x25519.Recipient.from_str(self.box.public)
        return f"{{password_age: {age.written(pyrage.encrypt(content, [recipient]))}}}"

    def print_of(self, goal: Goal) -> str:
        assert goal.wanted is not None, goal.text
        return goal.wanted.fingerprints["theo"]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_another_password_in_a_file_is_another_fingerprint(desk: Desk) -> None:
    file = desk.directory / "theo"
    file.write_text("one\n")
    file.chmod(0o600)
    first = desk.save("{password_file: theo}")
    assert file in first.files, "it is watched"
    assert desk.print_of(desk.look()) == desk.print_of(first)
    file.write_text("two\n")
    assert desk.print_of(desk.look()) != desk.print_of(first)
    file.unlink()
    gone = desk.look()
    assert (gone.wanted, file in gone.files) == (None, True), "and watched until it is back"


def test_the_form_is_no_change_and_neither_is_encrypting_anew(desk: Desk) -> None:
    plain = desk.save("one")
    prints = [desk.print_of(desk.save(desk.sealed(b"theo\none"))) for _ in range(2)]
    assert prints == [desk.print_of(plain)] * 2
    assert desk.print_of(desk.save(desk.sealed(b"theo\nother"))) != desk.print_of(plain)


def test_a_key_that_comes_later_serves_from_the_next_look_on(desk: Desk) -> None:
    operator = pyrage.x25519.Identity.generate()
    value = age.written(pyrage.encrypt(b"theo\none", [operator.to_public()]))
    first = desk.save(f"{{password_age: {value}}}")
    assert first.wanted is None
    assert "there is no key to decrypt it with" in first.problem
    assert {desk.box.path, desk.other} <= first.files, "the keys' files are watched"
    assert not desk.box.path.exists(), "and none is made"
    assert desk.box.public
    assert "encrypted for another key" in desk.look().problem
    desk.other.write_text(f"{operator}\n")
    desk.other.chmod(0o644)
    assert "open to others" in desk.look().problem
    desk.other.chmod(0o600)
    good = desk.look()
    assert good.wanted is not None
    assert good.wanted.secrets["theo"].secret.reveal() == "one"


def test_another_users_value_is_refused(desk: Desk) -> None:
    goal = desk.save(desk.sealed(b"pablo\nhunter2"))
    assert goal.wanted is None
    assert "it was not encrypted for this user" in goal.problem
    assert "hunter2" not in goal.text


def test_what_was_decrypted_is_not_decrypted_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.save(desk.sealed(b"theo\none"))
    text = desk.path.read_text()
    calls: list[bytes] = []
    real = pyrage.decrypt

    def counted(sealed: bytes, keys: list[pyrage.x25519.Identity]) -> bytes:
        calls.append(sealed)
        return real(sealed, keys)

    monkeypatch.setattr(pyrage, "decrypt", counted)
    desk.path.write_text(text + "mtu: 1400\n")
    assert desk.look().wanted is not None
    assert calls == []
    desk.save(desk.sealed(b"theo\nother"))
    assert len(calls) == 1


def test_a_file_that_is_open_to_others_is_a_warning_told_once(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    file = desk.directory / "theo"
    file.write_text("one\n")
    file.chmod(0o644)
    goal = desk.save("{password_file: theo}")
    assert goal.wanted is not None
    assert [found.code for found in goal.findings] == ["W206"]
    warnings = Warnings()
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            warnings.tell(desk.look())
    (told,) = caplog.messages
    assert told.startswith(
        "site.yaml:7: theo, with the password of theo, is open to others: its mode is 0644"
    )
    assert told.endswith("(W206: `chmod 600 theo`, and let root own it)")
    file.chmod(0o600)
    assert desk.look().findings == ()


def test_it_is_the_file_behind_a_link_that_counts(desk: Desk) -> None:
    (desk.directory / "real").mkdir()
    real = desk.directory / "real" / "theo"
    real.write_text("one\n")
    real.chmod(0o600)
    (desk.directory / "theo").symlink_to("real/theo")
    assert desk.save("{password_file: theo}").findings == ()
    real.chmod(0o640)
    assert [found.code for found in desk.look().findings] == ["W206"]


def test_the_site_can_deny_it(desk: Desk) -> None:
    file = desk.directory / "theo"
    file.write_text("one\n")
    file.chmod(0o644)
    desk.path.write_text("deny_warnings: [W206]\n" + SITE.replace("theo: one", "theo: {password_file: theo}"))
    goal = desk.look()
    assert goal.wanted is None
    assert "its mode is 0644" in goal.problem


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a file away")
def test_a_file_of_somebody_else_is_a_warning(desk: Desk) -> None:
    file = desk.directory / "theo"
    file.write_text("one\n")
    file.chmod(0o600)
    os.chown(file, 4321, -1)
    (found,) = desk.save("{password_file: theo}").findings
    assert (found.code, "it belongs to uid 4321" in found.message) == ("W206", True)

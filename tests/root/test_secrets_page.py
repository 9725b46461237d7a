"""``docs/secrets.md``: each command is run, and its output compared; and what it says of files holds live."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from reconciler.lab.instance import Status, condition
from reconciler.lab.sandbox import Sandbox
from tests.generate import ROOT
from tests.pages import Example, examples
from tests.patience import PATIENCE
from tests.root.ward import HEAD, Ward

pytestmark = pytest.mark.root

SITE = f"""\
{HEAD}\
pool_size: 8
users:
  theo: test
  pablo:
    password: test
"""
EXAMPLES = examples(ROOT / "docs" / "secrets.md")
SECTIONS = list(dict.fromkeys(example.section for example in EXAMPLES))


@pytest.fixture
def ward() -> Iterator[Ward]:
    with Sandbox(SITE, ("theo", "pablo")) as sandbox:
        yield Ward(sandbox)


def save(ward: Ward, text: str) -> None:
    ward.instance.save(text)
    ward.instance.wait_in_force(text)


def sealed(ward: Ward) -> None:
    """The box's recipient is in the file, as the page asks for, and the users' passwords encrypted."""
    recipient = ward.type("reconciler secret recipient").strip()
    save(ward, SITE.replace("users:", f"age_recipients: [{recipient}]\nusers:"))


def encrypted(ward: Ward, asked: list[Example]) -> None:
    recipient, password, *rest = asked
    ward.says(recipient)
    sealed(ward)
    ward.says(password)
    for example in rest:
        ward.says(example)
    text = ward.instance.site.read_text()
    assert "test" not in text
    ward.instance.wait_in_force(text)
    assert ward.dial("pablo", "pablo"), "the daemon reads what was encrypted"
    values = [line.split("password_age: ")[1].rstrip("}\n") for line in text.splitlines() if "_age:" in line]
    ward.instance.save(text.replace(values[1], values[0]))
    ward.instance.wait_for(
        lambda status: condition(status, "SourceInvalid"), "the copied value's refusal", PATIENCE
    )
    assert ward.sandbox.callers["pablo"].wait_event("down", wait=0.5) is None, "and nobody is touched"


def in_a_file(ward: Ward, asked: list[Example]) -> None:
    exposed, plan = asked
    secret = Mounted(ward.directory / "secrets", "theo", "test")
    save(ward, SITE.replace("theo: test", "theo: {password_file: secrets/theo}"))
    ward.says(exposed)
    assert "W206" in ward.instance.log.read_text()
    assert ward.dial("theo", "theo")
    assert ward.dial("pablo", "pablo")
    ward.instance.kill()
    secret.swap("new")
    ward.says(plan)
    ward.instance.start()
    stale = [one["user"] for one in ward.instance.ask("sessions", "--stale")]
    assert stale == ["theo"]


class Mounted:
    """A secret as Kubernetes mounts it: the file is a link through ``..data``, which is swapped."""

    def __init__(self, directory: Path, name: str, password: str) -> None:
        self._directory, self._name, self._version = directory, name, 0
        directory.mkdir()
        self.swap(password)
        (directory / name).symlink_to(f"..data/{name}")

    def swap(self, password: str) -> None:
        self._version += 1
        real = self._directory / f"..{self._version}"
        real.mkdir()
        (real / self._name).write_text(password)
        (real / self._name).chmod(0o644)
        beside = self._directory / "..data_tmp"
        beside.symlink_to(real.name)
        beside.replace(self._directory / "..data")


class Later:
    """Whether another generation than this one is in force."""

    def __init__(self, generation: int) -> None:
        self._generation = generation

    def __call__(self, status: Status) -> bool:
        return bool(status["generation"]["applied"] > self._generation)


def no_plain_text(ward: Ward, asked: list[Example]) -> None:
    (denied,) = asked
    ward.says(denied)
    ward.instance.save("deny_warnings: [W205]\n" + SITE)
    ward.instance.wait_for(lambda status: condition(status, "SourceInvalid"), "the refusal", PATIENCE)


def another_key(ward: Ward, asked: list[Example]) -> None:
    (again,) = asked
    sealed(ward)
    ward.type("reconciler secret encrypt")
    before = ward.instance.site.read_text()
    ward.instance.wait_in_force(before)
    assert ward.dial("theo", "theo")
    ward.says(again)
    text = ward.instance.site.read_text()
    assert text != before
    ward.instance.wait_in_force(text)
    assert ward.instance.ask("sessions", "--stale") == [], "no password has changed"


SCENES: dict[str, Callable[[Ward, list[Example]], None]] = {
    "Encrypted in the file": encrypted,
    "In a file": in_a_file,
    "No plain text in this repository": no_plain_text,
    "Another password, another key": another_key,
}


@pytest.mark.parametrize("section", SECTIONS)
def test_the_commands_of_the_page_do_what_it_says(ward: Ward, section: str) -> None:
    SCENES[section](ward, [example for example in EXAMPLES if example.section == section])


def test_every_scene_is_on_the_page() -> None:
    assert list(SCENES) == SECTIONS


def test_a_secret_that_is_swapped_is_in_force_at_once_and_touches_nobody_else(ward: Ward) -> None:
    secret = Mounted(ward.directory / "secrets", "theo", "test")
    save(ward, SITE.replace("theo: test", "theo: {password_file: secrets/theo}"))
    assert ward.dial("theo", "theo")
    assert ward.dial("pablo", "pablo")
    for password in ("second", "third"):
        generation = ward.instance.status()["generation"]["applied"]
        secret.swap(password)
        ward.instance.wait_for(Later(generation), "the change", PATIENCE)
        assert [one["user"] for one in ward.instance.ask("sessions", "--stale")] == ["theo"]
        theo = ward.sandbox.callers["theo"]
        since = len(theo.events)
        theo.order("hangup")
        assert theo.wait_event("down", since=since, wait=PATIENCE)
        assert not ward.dial("theo", "theo")
        assert ward.dial("theo", "theo", password)

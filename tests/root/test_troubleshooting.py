"""``docs/troubleshooting.md``: each symptom is brought about, each command run, and its output compared."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from reconciler.lab.instance import condition
from reconciler.lab.sandbox import Sandbox
from reconciler.linux import netns, sysctl
from tests.generate import ROOT
from tests.pages import Example, examples

pytestmark = pytest.mark.root

SITE = """\
version: 1
interface: eth0
ac_name: SERVER
local_ip: 10.214.2.100
pool_start: 10.214.2.101
pool_size: 8
dns_servers: [8.8.8.8, 8.8.4.4]
auth: [chap, pap]
forwarding:
  ip_forward: true
  proxy_arp: true
users:
  theo: test
  pablo: test
"""


EXAMPLES = examples(ROOT / "docs" / "troubleshooting.md")
SECTIONS = list(dict.fromkeys(example.section for example in EXAMPLES))


class Ward:
    """A sandbox, and commands typed in it, in a directory that holds what the page speaks of."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.directory = sandbox.directory
        for name, password in (("theo", "test"), ("old", "guess")):
            (self.directory / f"{name}.password").write_text(f"{password}\n")

    def start(self, example: Example) -> subprocess.Popen[str]:
        """Type a command: at a subscriber's if it dials, else at the concentrator's."""
        dials = example.command.startswith("reconciler probe")
        topology, instance = self.sandbox.topology, self.sandbox.instance
        directories = {
            "RECONCILER_RUNTIME_DIR": str(instance.runtime_dir),
            "RECONCILER_STATE_DIR": str(instance.state_dir),
        }
        argv = [sys.executable, "-m", *example.command.split()]
        with netns.inside(topology.namespace("theo") if dials else topology.ac):
            return subprocess.Popen(
                argv,
                cwd=self.directory,
                env={**os.environ, **directories, "NO_COLOR": "1", "PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )

    def says(self, example: Example, process: subprocess.Popen[str] | None = None) -> None:
        """Compare what a command prints with the page."""
        with process or self.start(example) as running:
            said, _ = running.communicate(timeout=60)
        example.check(said)

    def dial(self, line: str, user: str, password: str = "test") -> bool:
        return bool(self.sandbox.callers[line].dial(user, password)["event"] == "up")

    def traced(self, example: Example, user: str) -> None:
        """Type a command that listens, and have somebody dial once it does."""
        trace = self.start(example)
        assert trace.stderr is not None
        assert trace.stderr.readline().startswith("listening on eth0")
        assert self.dial(user, user)
        self.says(example, trace)

    def save(self, text: str, fulfilled: str) -> None:
        self.sandbox.instance.save(text)
        self.sandbox.instance.wait_for(lambda status: condition(status, fulfilled), fulfilled, 15)


def a_wrong_login(ward: Ward, asked: list[Example]) -> None:
    assert not ward.dial("theo", "theo", "guess")
    assert not ward.dial("pablo", "Pablo")
    for example in asked:
        ward.says(example)


def nobody_answers(ward: Ward, asked: list[Example]) -> None:
    trace, status = asked
    ward.traced(trace, "theo")
    ward.says(status)


def a_deploy(ward: Ward, asked: list[Example]) -> None:
    for example in asked:
        ward.says(example)


def nothing_loads(ward: Ward, asked: list[Example]) -> None:
    sessions, status = asked
    assert ward.dial("theo", "theo")
    ward.says(sessions)
    with netns.inside(ward.sandbox.topology.ac):
        sysctl.write(sysctl.IP_FORWARD, 0)
    ward.sandbox.instance.wait_for(
        lambda status: any(one["healed"] for one in status["drift"]), "drift being put back", 15
    )
    ward.says(status)


def a_dropped_session(ward: Ward, asked: list[Example]) -> None:
    assert ward.dial("theo", "theo")
    ward.sandbox.instance.save(SITE.replace("  theo: test", "  theo: {password: test, enabled: false}"))
    assert ward.sandbox.callers["theo"].wait_event("down", wait=10)
    ward.sandbox.instance.wait_for(lambda status: status["sessions"]["live"] == 0, "the end", 10)
    for example in asked:
        ward.says(example)


def a_change_without_effect(ward: Ward, asked: list[Example]) -> None:
    ward.save(SITE.replace("pool_size: 8", "pool_size: many"), "SourceInvalid")
    for example in asked:
        ward.says(example)


def for_somebody_else(ward: Ward, asked: list[Example]) -> None:
    (trace,) = asked
    ward.traced(trace, "theo")
    assert (ward.directory / "theo.pcap").stat().st_size > 500


SCENES: dict[str, Callable[[Ward, list[Example]], None]] = {
    '"Error 691", or the router shows that the login failed': a_wrong_login,
    '"Error 651" or "678": nobody answers': nobody_answers,
    "Does it work at all?": a_deploy,
    "Online, but nothing loads": nothing_loads,
    "It worked, and then the session ended": a_dropped_session,
    "A change in the file has no effect": a_change_without_effect,
    "For somebody else to look at": for_somebody_else,
}


@pytest.fixture
def ward() -> Iterator[Ward]:
    with Sandbox(SITE, ("theo", "pablo")) as sandbox:
        yield Ward(sandbox)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_symptom_is_found_by_the_commands_of_the_page(ward: Ward, section: str) -> None:
    SCENES[section](ward, [example for example in EXAMPLES if example.section == section])


def test_every_scene_is_on_the_page() -> None:
    assert list(SCENES) == SECTIONS

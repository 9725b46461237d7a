"""``docs/troubleshooting.md``: each symptom is brought about, each command run, and its output compared."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from reconciler.lab.instance import condition
from reconciler.lab.sandbox import Sandbox
from reconciler.linux import netns, sysctl
from tests.generate import ROOT
from tests.pages import Example, examples
from tests.patience import PATIENCE
from tests.root.ward import HEAD, Ward

pytestmark = pytest.mark.root

SITE = f"""\
{HEAD}\
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


def traced(ward: Ward, example: Example, user: str) -> None:
    """Type a command that listens, and have somebody dial once it does."""
    with ward.typed(example.command) as trace:
        assert trace.stderr is not None
        assert trace.stderr.readline().startswith("listening on eth0")
        assert ward.dial(user, user)
        said, _ = trace.communicate(timeout=PATIENCE)
    example.check(said)


def a_wrong_login(ward: Ward, asked: list[Example]) -> None:
    assert not ward.dial("theo", "theo", "guess")
    assert not ward.dial("pablo", "Pablo")
    for example in asked:
        ward.says(example)


def nobody_answers(ward: Ward, asked: list[Example]) -> None:
    trace, status = asked
    traced(ward, trace, "theo")
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
    ward.instance.wait_for(
        lambda status: any(one["healed"] for one in status["drift"]), "drift being put back", PATIENCE
    )
    ward.says(status)


def a_dropped_session(ward: Ward, asked: list[Example]) -> None:
    assert ward.dial("theo", "theo")
    ward.instance.save(SITE.replace("  theo: test", "  theo: {password: test, enabled: false}"))
    assert ward.sandbox.callers["theo"].wait_event("down", wait=PATIENCE)
    ward.instance.wait_for(lambda status: status["sessions"]["live"] == 0, "the end", PATIENCE)
    for example in asked:
        ward.says(example)


def a_change_without_effect(ward: Ward, asked: list[Example]) -> None:
    ward.instance.save(SITE.replace("pool_size: 8", "pool_size: many"))
    ward.instance.wait_for(lambda status: condition(status, "SourceInvalid"), "the refusal", PATIENCE)
    for example in asked:
        ward.says(example)


def for_somebody_else(ward: Ward, asked: list[Example]) -> None:
    (trace,) = asked
    traced(ward, trace, "theo")
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
    """With the files beside the site that the page speaks of."""
    with Sandbox(SITE, ("theo", "pablo")) as sandbox:
        for name, password in (("theo", "test"), ("old", "guess")):
            (sandbox.directory / f"{name}.password").write_text(f"{password}\n")
        yield Ward(sandbox)


@pytest.mark.parametrize("section", SECTIONS)
def test_a_symptom_is_found_by_the_commands_of_the_page(ward: Ward, section: str) -> None:
    SCENES[section](ward, [example for example in EXAMPLES if example.section == section])


def test_every_scene_is_on_the_page() -> None:
    assert list(SCENES) == SECTIONS

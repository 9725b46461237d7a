"""Another version of the program takes over, and gives back, under two hundred subscribers' traffic."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from reconciler import __version__
from tests.generate import ROOT
from tests.patience import PATIENCE
from tests.root.box import Box, condition
from tests.root.crowd import Crowd
from tests.root.versions import LATER, later, rewrite
from tests.root.wire import Cable

pytestmark = [pytest.mark.root, pytest.mark.timeout(600)]

COUNT = 200
NAMES = tuple(f"u{number}" for number in range(COUNT))
SITE = """\
version: 1
interface: eth0
local_ip: 10.214.2.100
pool_start: 10.214.3.1
pool_size: 250
auth: [pap]
limits: {padi_per_mac: 0, padi_total: 0}
users:
""" + "".join(f"  {name}: test\n" for name in NAMES)
IDENTITY = ("user", "id", "mac", "address", "since")


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    return later(tmp_path / "newer")


def identities(box: Box) -> list[dict[str, Any]]:
    views = box.client.get("/v1/sessions")
    return sorted(({key: one[key] for key in IDENTITY} for one in views), key=str)


def engine_is(box: Box, version: str) -> dict[str, Any]:
    """The status once everything is as the file says under an engine of that version."""
    return box.until(
        lambda status: (status["engine"] or {}).get("version") == version and condition(status, "Ready")[0],
        f"an engine {version}",
    )


def restarted(process: subprocess.Popen[bytes], box: Box, home: Path) -> subprocess.Popen[bytes]:
    assert box.finish(process) == 0
    return box.start("--datapath", "tun", home=home)


def test_another_version_takes_over_and_nobody_of_200_notices(box: Box, cable: Cable, newer: Path) -> None:
    process = box.start("--datapath", "tun", home=ROOT)
    old = engine_is(box, __version__)["engine"]["pid"]
    with Crowd(cable, NAMES) as crowd:
        crowd.until_up()
        before = identities(box)
        assert len(before) == COUNT

        process = restarted(process, box, newer)
        new = engine_is(box, LATER)["engine"]["pid"]
        assert new != old
        assert f"{COUNT} of {COUNT} sessions go on in the new engine" in engine_log(box)
        assert identities(box) == before, "the new engine, in place of the old one"

        process = restarted(process, box, newer)
        assert engine_is(box, LATER)["engine"]["pid"] == new
        assert identities(box) == before, "the same engine, taken over by another reconciler"

        os.kill(new, signal.SIGKILL)
        box.until(lambda status: (status["engine"] or {}).get("pid") not in (None, new), "another engine")
        engine_is(box, LATER)
        assert identities(box) == before, "the same version again, after a crash"

        assert box.finish(process) == 0
        assert box.start("--datapath", "tun", home=ROOT).wait(PATIENCE) == 1
        assert f"version {LATER}) speaks protocol" in box.log.read_text()
        assert f"start `reconciler run` of version {LATER}; nobody was dropped" in box.log.read_text()

        box.start("--datapath", "tun", home=newer)
        engine_is(box, LATER)
        assert identities(box) == before, "the older version would not touch what it does not know"
        assert (crowd.up, crowd.lost()) == (COUNT, {})
    assert box.client.get("/v1/status")["unpredicted_drops_total"] == 0


def test_an_engine_that_could_not_read_the_journal_is_not_put_in_place(
    box: Box, cable: Cable, newer: Path
) -> None:
    rewrite(newer / "reconciler/engine/journal.py", r"(?m)^VERSION = \d+", "VERSION = 0")
    process = box.start("--datapath", "tun", home=ROOT)
    pid = engine_is(box, __version__)["engine"]["pid"]
    with Crowd(cable, NAMES[:5]) as crowd:
        crowd.until_up()
        assert box.finish(process) == 0
        assert box.start("--datapath", "tun", home=newer).wait(PATIENCE) == 1
        assert "goes on, since ours could not" in box.log.read_text()
        assert "was written by a newer engine" in box.log.read_text()
        box.start("--datapath", "tun", home=ROOT)
        assert engine_is(box, __version__)["engine"]["pid"] == pid
        assert (crowd.up, crowd.lost()) == (5, {})


def engine_log(box: Box) -> str:
    return (box.directory / "run" / "engine.log").read_text()

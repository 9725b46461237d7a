"""The engine is killed, or replaced by another version, under Debian's pppd: it notices nothing."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.lab.instance import condition
from reconciler.lab.sandbox import Sandbox
from reconciler.lab.topology import FAR_ADDRESS
from tests.patience import PATIENCE
from tests.root.guest.pppd import Pppd
from tests.root.guest.test_pppd import live
from tests.root.versions import LATER, later

pytestmark = [pytest.mark.root, pytest.mark.guest]


def test_a_killed_engine_is_not_noticed_by_pppd(subscriber: Callable[[], Pppd], sandbox: Sandbox) -> None:
    theo = subscriber()
    assert theo.dial("theo", "test").up
    before = live(sandbox)["theo"]
    engine = sandbox.instance.status()["engine"]["pid"]
    os.kill(engine, signal.SIGKILL)

    def replaced(status: dict[str, object]) -> bool:
        return condition(status, "Ready") and status["engine"]["pid"] != engine  # type: ignore[index]

    sandbox.instance.wait_for(replaced, "another engine", PATIENCE)
    after = live(sandbox)["theo"]
    assert [after[key] for key in ("user", "id", "address", "since")] == [
        before[key] for key in ("user", "id", "address", "since")
    ]
    assert theo.pings(FAR_ADDRESS, 3) == 3


def test_an_upgrade_is_not_noticed_by_pppd(
    subscriber: Callable[[], Pppd], sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theo = subscriber()
    assert theo.dial("theo", "test").up
    before = live(sandbox)["theo"]
    sandbox.instance.kill()  # stopped, it would drain: it is the lab's
    monkeypatch.chdir(later(tmp_path / "later"))
    sandbox.instance.start()
    assert sandbox.instance.status()["engine"]["version"] == LATER
    after = live(sandbox)["theo"]
    assert [after[key] for key in ("user", "id", "address", "since")] == [
        before[key] for key in ("user", "id", "address", "since")
    ]
    assert theo.pings(FAR_ADDRESS, 3) == 3

"""What commands print for machines is as ``reconciler schema`` says, to the last key."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import jsonschema
import pytest

from reconciler.control import outputs
from reconciler.control.outputs import OUTPUTS
from reconciler.control.schema import strict
from reconciler.site.diagnostic import Diagnostic
from reconciler.site.report import as_json
from tests.cli.conftest import Daemon, Said
from tests.generate import ROOT
from tests.loop.world import SITE

Say: TypeAlias = Callable[..., Said]
PABLO = "  pablo:\n    password: two\n    ip: 10.0.1.9\n"


def fits(name: str, found: Any) -> None:
    """``found`` is as the schema says, and has no key that it does not name."""
    jsonschema.Draft202012Validator(strict(outputs.schema(name))).validate(found)


@pytest.mark.parametrize("name", OUTPUTS)
def test_it_is_a_schema_and_the_one_in_the_repository(say: Say, name: str) -> None:
    printed = say("schema", name)
    jsonschema.Draft202012Validator.check_schema(printed.json)
    assert (ROOT / "schemas" / f"{name}.schema.json").read_text(encoding="utf-8") == printed.out


def test_a_plan_and_what_came_of_it(daemon: Daemon, say: Say) -> None:
    assert say("status", "--wait").status == 0
    daemon.engine.dial("pablo")
    daemon.engine.dial("theo")
    daemon.rest()
    daemon.edit(SITE.replace(PABLO, "").replace("theo: one", "theo: other") + "mtu: 1400\n")
    plan = say("apply", daemon.path, "--dry-run", "-o", "json").json
    assert {change["op"] for change in plan["changes"]} == {"remove", "update"}
    assert {one["impact"] for change in plan["changes"] for one in change["sessions"]} == {"LATER", "DROP"}
    fits("plan", plan)
    fits("apply", say("apply", daemon.path, "-o", "json").json)
    fits("plan", say("apply", daemon.path, "--dry-run", "-o", "json").json)
    fits("history", say("history", "-o", "json").json)
    fits("diff", say("diff", "1", "2", "-o", "json").json)


def test_a_plan_without_a_daemon(say: Say, tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(SITE)
    fits("plan", say("apply", tmp_path / "site.yaml", "--dry-run", "-o", "json").json)


def test_status_sessions_events_and_why(daemon: Daemon, say: Say) -> None:
    status = say("status", "--wait", "-o", "json").json
    assert status["awaited"]["outcome"] == "met"
    fits("status", status)
    daemon.engine.dial("theo")
    sessions = say("sessions", "-o", "json").json
    assert sessions
    fits("sessions", sessions)
    events = [json.loads(line) for line in say("events", "-o", "ndjson").out.splitlines()]
    assert {"session_opened", "generation_applied"} <= {event["type"] for event in events}
    for event in events:
        fits("events", event)
    fits("why", say("why", "theo", "-o", "json").json)
    fits("why", say("why", "nobody", "-o", "json").json)
    daemon.edit("nonsense\n")
    assert say("apply", daemon.path).status == 1
    fits("status", say("status", "-o", "json").json)
    daemon.engine.stop()
    fits("status", say("status", "-o", "json").json)


def test_findings(say: Say, tmp_path: Path) -> None:
    site = tmp_path / "site.yaml"
    for text in (SITE, "", SITE + "  theo: again\n", SITE.replace("8", "many")):
        site.write_text(text)
        fits("findings", say("validate", site, "-o", "json").json)


def test_keys_are_described() -> None:
    impact = outputs.schema("plan")["$defs"]["ChangeView"]["properties"]["impact"]
    assert "The worst that befalls a session" in impact["description"]


def test_a_key_that_is_not_described_is_noticed() -> None:
    found: dict[str, Any] = {**as_json([Diagnostic("E102", "nothing is declared")], "site.yaml")[0]}
    fits("findings", [found])
    with pytest.raises(jsonschema.ValidationError, match="'surplus' was unexpected"):
        fits("findings", [{**found, "surplus": 1}])
    del found["label"]
    with pytest.raises(jsonschema.ValidationError, match="'label' is a required"):
        fits("findings", [found])

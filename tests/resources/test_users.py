"""Users: what the engine is told of them, and whose sessions end."""

from __future__ import annotations

from reconciler.resources.users import BATCH
from tests.fakes.engine import FakeEngine, RefusalError
from tests.fakes.sites import wanted
from tests.resources.box import Box, changes
from tests.site.samples import NT, SCRYPT


def test_hashes_reach_the_engine_as_hashes_and_count_as_changes(box: Box, engine: FakeEngine) -> None:
    box.converge(wanted({"theo": "one", "pablo": "two"}))
    users = {"theo": {"nt_hash": NT}, "pablo": {"password_hash": SCRYPT}}
    desired, actual, _ = box.both(wanted(users, auth=["pap"]))
    assert {change.path for change in changes(desired, actual)} == {"users.theo", "users.pablo", "auth"}
    box.converge(wanted(users, auth=["pap"]))
    assert engine.users["theo"]["secret"] == {"kind": "nt_hash", "hash": NT}
    assert engine.users["pablo"]["secret"] == {
        "kind": "scrypt",
        "n": 16,
        "r": 1,
        "p": 1,
        "salt": "4e61436c",
        "key": "23b8d3d482677101e50799389c0aa1ed5aa93553df6acb49e9e71e3d7d8e5449",
    }


def test_many_users_come_in_batches_and_a_batch_that_is_refused_keeps_nobody_else_out(
    box: Box, engine: FakeEngine
) -> None:
    many = wanted(users={f"user{number:04}": "x" for number in range(2 * BATCH + 1)})
    engine.faults["users"] = [RefusalError("failed", "no memory")]
    failed = [failure.path for outcome in box.converge(many) for failure in outcome.failures]
    assert failed == [f"users.user{number:04}" for number in range(BATCH)]
    asked = [len(request["put"]) for request in engine.requests if request["do"] == "users"]
    assert asked == [BATCH, BATCH, 1]
    box.converge(many)
    assert box.left(many) == []


def test_removed_user_loses_only_their_sessions(box: Box, engine: FakeEngine) -> None:
    box.converge(wanted())
    engine.dial("theo")
    pablo = engine.dial("pablo")
    outcomes = box.converge(wanted(users={"theo": "one"}))
    ended = [key for outcome in outcomes for key in outcome.ended]
    assert ended == [{"interface": "eth1", "mac": pablo["mac"], "id": pablo["id"]}]
    assert [session["user"] for session in engine.sessions] == ["theo"]


def test_removed_user_drains_when_the_site_says_so(box: Box, engine: FakeEngine) -> None:
    box.converge(wanted())
    engine.dial("pablo")
    box.converge(wanted(users={"theo": "one"}, on_remove="drain"))
    assert list(engine.users) == ["theo"]
    assert [session["user"] for session in engine.sessions] == ["pablo"]


def test_password_change_ends_sessions_in_the_same_request_when_the_site_says_so(
    box: Box, engine: FakeEngine
) -> None:
    box.converge(wanted())
    theo, pablo = engine.dial("theo"), engine.dial("pablo")
    box.converge(wanted(users={"theo": "other", "pablo": {"password": "two", "ip": "10.0.1.9"}}))
    assert engine.live() == [theo, pablo], "keep is the default"
    again = {"theo": "third", "pablo": {"password": "two", "ip": "10.0.1.9"}}
    outcomes = box.converge(wanted(users=again, on_password_change="terminate"))
    assert [key["id"] for outcome in outcomes for key in outcome.ended] == [theo["id"]]
    assert "terminate" not in [request["do"] for request in engine.requests]


def test_passwords_show_in_no_state_and_no_repr(box: Box) -> None:
    wish = wanted(users={"theo": "open sesame"})
    desired, _, at = box.both(wish)
    assert "open sesame" not in repr(desired) + repr(wish) + repr(at)

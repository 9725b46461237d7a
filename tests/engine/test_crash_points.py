"""The engine ends at every moment of a set-up, a goodbye and a restore, in virtual time: whoever dialled is
served in the end, and what the engine, the data path and the leases hold is one and the same.

``tests/root/test_crash_points.py`` does the same to real processes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from reconciler.engine.journal import Journal
from tests.fakes.hosted import Carrier, Hosted, _Wire
from tests.fakes.kernel import FakeKernel
from tests.peer import Subscriber

ACTS = (
    (Journal, "load"),
    (Journal, "commit"),
    (Carrier, "attach"),
    (Carrier, "open"),
    (Carrier, "close"),
    (Carrier, "flush"),
    (_Wire, "send"),
)
SETTINGS = {
    "ac_name": "SERVER",
    "local_ip": "10.214.2.100",
    "pools": [{"name": "default", "start": "10.214.2.101", "size": 64}],
    "echo_interval": 1,
    "echo_failures": 2,
}
NAMES = ("theo", "pablo", "yunhan")


class End(BaseException):
    """The engine's process is over: nothing may catch this."""


class Fate:
    """Passes every moment before and after an act of the engine, but for the one at which it ends it."""

    def __init__(self) -> None:
        self.passed: list[str] = []
        self.end_at = 0

    def arm(self, number: int) -> None:
        """From now on, the ``number``th moment is the last; 0: none is."""
        self.passed.clear()
        self.end_at = number

    def moment(self, what: str) -> None:
        self.passed.append(what)
        if len(self.passed) == self.end_at:
            self.end_at = 0
            raise End

    @contextmanager
    def over_everything(self) -> Iterator[None]:
        with ExitStack() as stack:
            for owner, name in ACTS:
                stack.enter_context(patch.object(owner, name, self._around(getattr(owner, name), name)))
            yield

    def _around(self, act: Callable[..., Any], name: str) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            self.moment(f"before {name}")
            done = act(*given, **named)
            self.moment(f"after {name}")
            return done

        return run


@pytest.fixture
def fate() -> Iterator[Fate]:
    made = Fate()
    with made.over_everything():
        yield made


@contextmanager
def world(directory: Path, auth: str) -> Iterator[Hosted]:
    directory.mkdir()
    hosted = Hosted(directory, FakeKernel(("eth0",)))
    users = [
        {
            "name": name,
            "secret": {"kind": "password", "text": "test"},
            "address": None,
            "enabled": True,
            "sessions": 1,
            "fingerprint": "f",
            "rate": {"down": 0, "up": 0},
        }
        for name in NAMES
    ]
    for do, arguments in (
        ("configure", {"settings": {**SETTINGS, "auth": [auth]}}),
        ("users", {"put": users, "remove": []}),
        ("listen", {"interface": "eth0"}),
    ):
        hosted.answer(do, lambda _part: None, {"generation": 1, **arguments})
    yield hosted
    hosted.close()


def alive(hosted: Hosted, fate: Fate, act: Callable[[], object]) -> None:
    """Do something; when the engine ends over it, another one takes over, also when that ends at once."""
    try:
        act()
    except End:
        while True:
            try:
                hosted.restart()
                return
            except End:
                continue


def until(hosted: Hosted, fate: Fate, subscriber: Subscriber, state: str) -> None:
    """A subscriber dials, again when it is told that it is over, and when nothing happens for ten seconds."""
    for moment in range(80):
        if subscriber.state == state:
            return
        if moment % 20 == 19:
            alive(hosted, fate, lambda: hosted.hang_up(subscriber, "eth0", polite=False))
        if subscriber.state in ("idle", "closed", "failed"):
            alive(hosted, fate, lambda: hosted.dial(subscriber, "eth0"))
        alive(hosted, fate, lambda: hosted.advance(0.5))
    raise AssertionError(f"it is {subscriber.state} ({subscriber.failure}), not {state}")


def assert_at_one(hosted: Hosted, *subscribers: Subscriber) -> None:
    """Both ends, the data path and the leases agree on who is there."""
    wanted = {subscriber.mac: subscriber.address for subscriber in subscribers}
    assert {session.key.mac: session.address for session in hosted.up()} == {
        mac: int.from_bytes(address, "big") for mac, address in wanted.items()
    }
    assert {key.mac: address for key, (address, _) in hosted.carrier.paths.items()} == wanted
    assert set(hosted.leases()) == {".".join(map(str, address)) for address in wanted.values()}


@pytest.mark.parametrize("auth", ["pap", "chap", "mschapv2"])
def test_an_engine_that_ends_at_any_moment_of_a_set_up_or_a_goodbye(
    tmp_path: Path, fate: Fate, auth: str
) -> None:
    moments = 1
    for number in count():
        if number > moments:
            break
        with world(tmp_path / str(number), auth) as hosted:
            theo = Subscriber(b"\x02\xc1\0\0\0\1", b"theo", seed=number)
            fate.arm(number)
            until(hosted, fate, theo, "up")
            assert_at_one(hosted, theo)
            alive(hosted, fate, lambda hosted=hosted, theo=theo: hosted.hang_up(theo, "eth0", polite=True))  # type: ignore[misc]
            for _ in range(30):  # one that a dying engine took is missed by an echo
                alive(hosted, fate, lambda hosted=hosted: hosted.advance(1.0))  # type: ignore[misc]
            if theo.state == "up":  # its goodbye went down with an engine
                hosted.hang_up(theo, "eth0", polite=False)
            assert_at_one(hosted)
            if number == 0:
                moments = len(fate.passed)
                assert {"before send", "after commit", "before flush", "after close"} <= set(fate.passed)
            assert fate.end_at == 0, f"moment {number} did not come"


def test_an_engine_that_ends_at_any_moment_of_a_restore(tmp_path: Path, fate: Fate) -> None:
    moments = 1
    for number in count():
        if number > moments:
            break
        with world(tmp_path / str(number), "pap") as hosted:
            everybody = [
                Subscriber(b"\x02\xc1\0\0\0" + bytes([n]), name.encode(), seed=n)
                for n, name in enumerate(NAMES)
            ]
            for one in everybody:
                until(hosted, fate, one, "up")
            before = hosted.sessions().keys()
            fate.arm(number)
            alive(hosted, fate, hosted.restart)
            alive(hosted, fate, lambda hosted=hosted: hosted.advance(10.0))  # type: ignore[misc]
            if number == 0:
                moments = len(fate.passed)
                assert {"after load", "before open", "after flush"} <= set(fate.passed)
            assert hosted.sessions().keys() == before
            assert_at_one(hosted, *everybody)
            assert fate.end_at == 0, f"moment {number} did not come"

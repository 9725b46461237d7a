"""A concentrator on a bench: the lab's site on one interface, driven frame by frame in virtual time."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from reconciler.engine.access.concentrator import Concentrator, Outcome
from reconciler.engine.access.config import Config, User, packed
from reconciler.engine.access.discovery import Listener
from reconciler.engine.access.effects import ClosePath, Dropped, Event, Fault, Key, OpenPath, Send
from reconciler.engine.access.secret import Password

if TYPE_CHECKING:
    from reconciler.engine.access.effects import Effect
    from tests.peer import Subscriber

AC_MAC = bytes.fromhex("02ac00000001")
SITE: dict[str, Any] = {
    "ac_name": "SERVER",
    "local_ip": "10.214.2.100",
    "pools": [{"name": "default", "start": "10.214.2.101", "size": 64}],
    "dns_servers": ["8.8.8.8", "8.8.4.4"],
}


class Entropy:
    """Octets that look random and are the same in every run."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, size: int) -> bytes:
        self._count += 1
        return (self._count * 0x9E3779B97F4A7C15 % (1 << 8 * max(size, 8))).to_bytes(max(size, 8), "big")[
            -size:
        ]


class Bench:
    """``concentrator`` and whoever is plugged in. ``log`` keeps every effect; ``paths`` what is open."""

    def __init__(self, *names: str) -> None:
        self.now = 1000.0
        self.concentrator = Concentrator(Entropy(), b"secret")
        self.concentrator.listen(Listener("eth0", AC_MAC, 1500), 1)
        self.configure(**SITE)
        self.subscribers: list[Subscriber] = []
        self.log: list[Effect] = []
        self.paths: dict[Key, bytes] = {}
        self.put(*(user(name) for name in names or ("theo", "pablo", "yunhan")))

    def configure(self, **settings: Any) -> None:
        config = self.concentrator.config.merged(settings)  # type: ignore[arg-type]
        self.concentrator.configure(config, self.concentrator.generation + 1)

    def put(self, *users: User) -> Outcome:
        return self._perform(self.concentrator.change_users(users, (), self._generation(), self.now))

    def remove(self, name: str, *, terminate: bool = True) -> Outcome:
        gone = [(name.encode(), terminate)]
        return self._perform(self.concentrator.change_users((), gone, self._generation(), self.now))

    def receive(self, data: bytes, interface: str = "eth0") -> list[Effect]:
        """One frame, and its effects, not delivered to anybody."""
        return self.concentrator.receive(interface, data, self.now)

    def plug_in(self, subscriber: Subscriber) -> Subscriber:
        self.subscribers.append(subscriber)
        return subscriber

    def dial(self, subscriber: Subscriber) -> Subscriber:
        """Let it dial and wait until nothing more happens at once."""
        if subscriber not in self.subscribers:
            self.plug_in(subscriber)
        self.to_ac(subscriber.dial(self.now))
        self.advance(2.0)
        return subscriber

    def to_ac(self, frames: list[bytes]) -> None:
        """Put frames on the wire, and let both sides talk until they have nothing more to say at once."""
        self._talk(deque(frames))

    def deliver(self, effects: list[Effect]) -> None:
        """Perform effects; what is sent reaches every subscriber at once."""
        self._talk(deque(self._answers(effects)))

    def _talk(self, to_ac: deque[bytes]) -> None:
        while to_ac:
            to_ac.extend(self._answers(self.receive(to_ac.popleft())))

    def _answers(self, effects: list[Effect]) -> list[bytes]:
        for effect in effects:
            self.log.append(effect)
            match effect:
                case OpenPath(key, address, _):
                    self.paths[key] = address
                case ClosePath(key):
                    del self.paths[key]
                case Fault(_, error):
                    raise AssertionError("a bug in the engine") from error
        sent = [effect.frame for effect in effects if isinstance(effect, Send)]
        return [answer for frame in sent for s in self.subscribers for answer in s.receive(frame, self.now)]

    def advance(self, seconds: float) -> None:
        """Let time pass, deadline by deadline."""
        end = self.now + seconds
        while True:
            waiting = [self.concentrator.deadline(), *(s.deadline() for s in self.subscribers)]
            due = min((when for when in waiting if when is not None), default=end)
            if due >= end:
                self.now = end
                return
            self.now = max(due, self.now)
            self.deliver(self.concentrator.tick(self.now))
            for subscriber in self.subscribers:
                self.to_ac(subscriber.tick(self.now))

    def events(self, kind: str) -> list[tuple[bytes | None, str]]:
        return [(e.user, e.reason) for e in self.log if isinstance(e, Event) and e.type == kind]

    def drops(self) -> list[str]:
        return [effect.reason for effect in self.log if isinstance(effect, Dropped)]

    def _generation(self) -> int:
        return self.concentrator.generation + 1

    def _perform(self, outcome: Outcome) -> Outcome:
        self.deliver(outcome.effects)
        return outcome


def user(name: str, password: str = "test", address: str | None = None, **more: Any) -> User:
    fixed = None if address is None else packed(address)
    fingerprint = f"print of {password}"
    return User(name.encode(), Password(password.encode()), fixed, fingerprint=fingerprint, **more)


def config(**settings: Any) -> Config:
    return Config().merged({**SITE, **settings})  # type: ignore[typeddict-item]

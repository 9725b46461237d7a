"""After a restart of the engine everybody dials at once, and everybody gets in."""

from __future__ import annotations

from collections import deque
from dataclasses import asdict

from reconciler.engine.access.concentrator import Concentrator
from reconciler.engine.access.config import Config, User
from reconciler.engine.access.discovery import Listener
from reconciler.engine.access.effects import Dropped, Effect, Fault, Key, OpenPath, Send
from reconciler.engine.access.limits import USUAL
from reconciler.engine.access.secret import Password
from reconciler.engine.wire.drop import Drop
from tests.engine.access.bench import AC_MAC, SITE, Entropy
from tests.peer import Subscriber
from tests.peer_negotiation import ECHO, LCP, control

SUBSCRIBERS = 1000
STEP = 0.02


class Town:
    """A thousand subscribers on one switch that sends each its own frames; time goes in small steps."""

    def __init__(self) -> None:
        self.now = 1000.0
        names = [f"user{n}".encode() for n in range(SUBSCRIBERS)]
        self.users = [User(name, Password(b"test")) for name in names]
        macs = [b"\x02\xc1" + n.to_bytes(4, "big") for n in range(SUBSCRIBERS)]
        self.clients = {mac: Subscriber(mac, name) for mac, name in zip(macs, names, strict=True)}
        self.drops: set[Drop] = set()
        self.start()

    def start(self) -> None:
        """A new engine that knows the users and nothing of the sessions before."""
        self.leased: set[bytes] = set()
        self.ac = Concentrator(Entropy())
        pools = [{"name": "default", "start": "10.0.0.1", "size": 2 * SUBSCRIBERS}]
        self.ac.configure(Config().merged({**SITE, "pools": pools}), 1)  # type: ignore[typeddict-item]
        self.ac.change_users(self.users, (), 1, self.now)
        self.ac.listen(Listener("eth0", AC_MAC, 1500), 1)

    def talk(self, frames: list[bytes]) -> None:
        waiting = deque(frames)
        while waiting:
            waiting.extend(self.hear(self.ac.receive("eth0", waiting.popleft(), self.now)))

    def hear(self, effects: list[Effect]) -> list[bytes]:
        answers: list[bytes] = []
        for effect in effects:
            match effect:
                case Send(_, frame):
                    answers += self.clients[frame[:6]].receive(frame, self.now)
                case OpenPath(_, address, _):
                    assert address not in self.leased, "one address for two"
                    self.leased.add(address)
                case Dropped(reason):
                    self.drops.add(reason)
                case Fault(_, error):
                    raise error
        return answers

    def run(self, seconds: float) -> None:
        for _ in range(round(seconds / STEP)):
            self.now += STEP
            self.talk(self.hear(self.ac.tick(self.now)))
            for client in self.clients.values():
                due = client.deadline()
                if due is not None and due <= self.now:
                    self.talk(client.tick(self.now))

    def serves(self, client: Subscriber) -> bool:
        """Whether the engine has the session that the client believes to have."""
        found = self.ac._table.get(Key("eth0", (), client.mac, client.session_id))
        return found is not None and found.path_open

    def up(self) -> int:
        return sum(client.state == "up" and self.serves(client) for client in self.clients.values())


def test_X5_D36_a_thousand_subscribers_are_back_soon_after_a_restart() -> None:
    town = Town()
    town.talk([frame for client in town.clients.values() for frame in client.dial(town.now)])
    town.run(2)
    assert (town.up(), len(town.leased)) == (SUBSCRIBERS, SUBSCRIBERS)
    town.start()
    for _ in range(30):  # each second all of them ask for a sign of life, and dial if they are told to
        town.run(1)
        for client in town.clients.values():
            if client.state == "up" and not town.serves(client):
                town.talk(client._session([control(LCP, ECHO, 9, client.ppp.magic)]))
            elif client.state in ("closed", "failed"):
                town.talk(client.dial(town.now))
    assert (town.up(), len(town.leased)) == (SUBSCRIBERS, SUBSCRIBERS)
    assert asdict(town.ac.config.limits) == asdict(USUAL), "with the usual limits"

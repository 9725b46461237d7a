"""A street of clients, a concentrator, and somebody who meddles with their frames as a fuzzer says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from math import inf
from typing import Any

from reconciler.engine.access.concentrator import Concentrator
from reconciler.engine.access.discovery import Listener
from reconciler.engine.access.secret import Scrypt
from tests.engine.access.bench import AC_MAC, SITE, Entropy, config, user
from tests.fuzz.choices import Choices
from tests.fuzz.mutate import MACS, mutated
from tests.fuzz.oracle import Oracle
from tests.peer_negotiation import control
from tests.personas import PERSONAS

SLOW = Scrypt(2, 1, 1, b"salt", bytes(32))
"""A password that it takes a while to check: what the answer is, and when it comes, the fuzzer says."""
USERS = ("theo", "pablo", "yunhan")
AT_FIRST = ("windows", "linux pppd", "soho without mru", "macos")
PROTOCOLS = (0xC021, 0xC021, 0x8021, 0x8057, 0xC023, 0xC223, 0x80FD, 0x0021, 0x0057)
TIMES = (0.001, 0.06, 1.1, 3.1, 31.0, 61.0)
SETTINGS: tuple[dict[str, Any], ...] = (
    {},
    {"service_names": ["internet"]},
    {"auth": ["pap"]},
    {"second_login": "refuse"},
    {"mtu": 1400, "dns_servers": []},
    {"pools": [{"name": "small", "start": "10.214.2.101", "size": 1}]},
    {"limits": {"padi_per_mac": 0, "padi_total": 0, "half_open": 2, "failed_logins": 2, "lockout": 5}},
)
FREE = {"padi_per_mac": 0, "padi_total": 0, "half_open": 0, "failed_logins": 0, "lockout": 0}


class World:
    """Each client has a cable of its own; ``waiting`` is what has been sent to the concentrator so far."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.ac = Concentrator(Entropy())
        self.ac.configure(config(limits=FREE), 1)
        hashed = replace(user("yunhan"), secret=SLOW)
        self.ac.change_users([user("theo"), user("pablo"), hashed], (), 1, self.now)
        self.ac.listen(Listener("eth0", AC_MAC, 1508), 1)
        self.oracle = Oracle(self.ac)
        names = [name.encode() for name in (*USERS, "mallory")]
        at_first = [PERSONAS[name] for name in AT_FIRST]
        self.clients = [at_first[n].subscriber(mac, names[n]) for n, mac in enumerate(MACS)]
        self.waiting: list[bytes] = []
        self.history: list[bytes] = []

    def play(self, choices: Choices, steps: int = 200) -> None:
        """Act as chosen until nothing is left to choose, then let everything come to its end."""
        while choices and steps:
            steps -= 1
            choices.pick(_ACTS)(self, choices)
        self.oracle.assert_ends(self.now)

    def send(self, frame: bytes) -> None:
        """One frame to the concentrator; the clients hear what it says."""
        self.history = [*self.history[-63:], frame]
        self._hear(self.oracle.receive(frame, self.now))

    def _hear(self, frames: list[bytes]) -> None:
        for frame in frames:
            for client in self.clients:
                self.waiting += client.receive(frame, self.now)
        del self.waiting[:-64]

    # What may happen

    def dial(self, choices: Choices) -> None:
        client = choices.pick(self.clients)
        self.waiting += client.dial(self.now)

    def change_persona(self, choices: Choices) -> None:
        place = choices.number(len(self.clients))
        persona = choices.pick(list(PERSONAS.values()))
        self.clients[place] = persona.subscriber(MACS[place], self.clients[place].ppp.user)

    def hang_up(self, choices: Choices) -> None:
        client = choices.pick(self.clients)
        self.waiting += client.hangup(self.now, polite=bool(choices.number(2)))

    def talk(self, _choices: Choices) -> None:
        """Let everybody talk undisturbed until there is silence, or nearly so."""
        for _ in range(200):
            if self.oracle.asked:
                self._hear(self.oracle.answer(self.oracle.asked.pop(0), True, self.now))
            if not self.waiting:
                return
            self.send(self.waiting.pop(0))

    def answer(self, choices: Choices) -> None:
        """A password has been checked, whatever has become of its session; and it may be told twice."""
        if self.oracle.asked:
            ask = choices.pick(self.oracle.asked)
            self._hear(self.oracle.answer(ask, choices.pick((True, False, None)), self.now))

    def deliver(self, _choices: Choices) -> None:
        if self.waiting:
            self.send(self.waiting.pop(0))

    def lose(self, _choices: Choices) -> None:
        del self.waiting[:1]

    def double(self, choices: Choices) -> None:
        if self.waiting:
            self.waiting.insert(choices.number(len(self.waiting)), self.waiting[0])

    def overtake(self, choices: Choices) -> None:
        if self.waiting:
            self.send(self.waiting.pop(choices.number(len(self.waiting))))

    def bend(self, choices: Choices) -> None:
        if self.waiting:
            self.send(mutated(self.waiting.pop(0), self.history, choices))

    def replay(self, choices: Choices) -> None:
        if self.history:
            self.send(mutated(choices.pick(self.history), self.history, choices))

    def reflect(self, choices: Choices) -> None:
        """What we said comes back, as it was or with its addresses turned."""
        if self.oracle.sent:
            frame = choices.pick(self.oracle.sent)
            turned = AC_MAC + frame[:6] + frame[12:]
            self.send(choices.pick((frame, turned)))

    def invent(self, choices: Choices) -> None:
        """Octets of the fuzzer's own, from a client."""
        source = choices.pick(MACS)
        ethertype = choices.pick((b"\x88\x63", b"\x88\x64"))
        self.send(AC_MAC + source + ethertype + b"\x11" + choices.octets(1 + choices.number(64)))

    def speak(self, choices: Choices) -> None:
        """A control packet of the fuzzer's own in a client's session: well formed but for its inside."""
        client = choices.pick(self.clients)
        body = choices.octets(choices.pick((0, 4, 6, 10, 18, 40)))
        packet = control(choices.pick(PROTOCOLS), choices.number(17), choices.number(8), body)
        self.send(client._frame(AC_MAC, 0x8864, 0, client.session_id, packet))

    def wait(self, choices: Choices) -> None:
        end = self.now + choices.pick(TIMES)
        for _ in range(1000):
            waiting = [self.ac.deadline(), *(client.deadline() for client in self.clients)]
            due = min((when for when in waiting if when is not None), default=inf)
            if due > end:
                break
            self.now = max(self.now, due)
            self._hear(self.oracle.tick(self.now))
            for client in self.clients:
                self.waiting += client.tick(self.now)
            del self.waiting[:-64]
        self.now = end

    def change_user(self, choices: Choices) -> None:
        name = choices.pick(USERS)
        changes: tuple[dict[str, object], ...] = (
            {},
            {"enabled": False},
            {"enabled": False, "drains": True},
            {"sessions": 2},
            {"address": "10.214.2.101"},
            {"password": "other"},
        )
        entry = user(name, **choices.pick(changes))  # type: ignore[arg-type]
        self._command(lambda: self.ac.change_users([entry], (), 2, self.now))

    def remove_user(self, choices: Choices) -> None:
        gone = [(choices.pick(USERS).encode(), bool(choices.number(2)))]
        self._command(lambda: self.ac.change_users((), gone, 2, self.now))

    def configure(self, choices: Choices) -> None:
        settings = {**SITE, "limits": FREE, **choices.pick(SETTINGS)}
        self.ac.configure(config(**settings), 2)

    def end_sessions(self, choices: Choices) -> None:
        keys = [session.key for session in self.ac]
        if keys:
            key = choices.pick(keys)
            self._command(lambda: self.ac.terminate([key], "operator", self.now))

    def lose_interface(self, choices: Choices) -> None:
        if choices.number(4) == 0:
            self._command(lambda: self.ac.abandon("eth0", "interface_down", self.now))

    def _command(self, command: Callable[[], object]) -> None:
        self._hear(self.oracle.command(command, self.now))  # type: ignore[arg-type]


Act = Callable[[World, Choices], None]
_ACTS: tuple[Act, ...] = (
    *(World.dial, World.dial, World.talk, World.talk, World.deliver, World.deliver),
    *(World.bend, World.bend, World.bend, World.replay, World.replay, World.reflect, World.invent),
    *(World.speak, World.speak, World.speak, World.answer),
    *(World.lose, World.double, World.overtake, World.wait, World.wait, World.hang_up),
    *(World.change_user, World.remove_user, World.configure, World.end_sessions, World.lose_interface),
    World.change_persona,
)


def play(data: bytes) -> None:
    """One story, from the first octet to the end of every session."""
    World().play(Choices(data))

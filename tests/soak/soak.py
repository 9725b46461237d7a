"""Everything at once, for a chosen time: edits, dials, hang-ups, hostile frames, and the deaths of processes.

Then it is counted what was lost by it, and looked for what was left behind. Neighbours: ``operator`` edits,
``street`` is who must not notice, ``watch`` looks at the processes.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.fuzz.choices import Choices
from tests.fuzz.mutate import mutated
from tests.soak.crowd import crowd
from tests.soak.house import House
from tests.soak.operator import GROWING, Operator, site, text
from tests.soak.street import PATIENCE, Client, Street
from tests.soak.watch import Growth, Watch
from tests.soak.wiring import Wiring

BACK_OFF = 1.5
GOODBYES_WITHIN = 30.0
_STRANGER = b"\x02\x66"


@dataclass
class Findings:
    """What a soak found. All of ``wrong`` should be empty."""

    seconds: float
    done: Counter[str] = field(default_factory=Counter)
    answered: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    unannounced: list[str] = field(default_factory=list)
    unpredicted: int = 0
    confessed: list[str] = field(default_factory=list)
    sessions_left: int = 0
    leases_lost: int = 0
    growth: dict[str, Growth] = field(default_factory=dict)

    @property
    def wrong(self) -> list[str]:
        """What should not be, a line each."""
        found = [
            (self.lost.get("", 0), "pings lost without a reason"),
            (self.unpredicted, f"drops that no plan had named: {self.confessed[:5]}"),
            (len(self.unannounced), f"sessions ended without cause: {self.unannounced[:5]}"),
            (self.sessions_left, "sessions left behind"),
            (self.leases_lost, "addresses that nobody can have any more"),
        ]
        grown = [f"{kind} grows: {grown}" for kind, grown in self.growth.items() if not grown.flat]
        return [f"{number} {what}" for number, what in found if number] + grown


class Soak:
    """``subscribers`` on one cable, in ``directory``; ``seed`` chooses everything."""

    def __init__(self, directory: Path, subscribers: int, seed: int, interval: float) -> None:
        self._chance = Random(seed)
        self._clients = list(crowd(subscribers))
        self._directory = directory
        self._interval = interval

    def run(self, seconds: float) -> Findings:
        """Soak for so long. Raises ``AssertionError`` when something does not come back at all."""
        with Wiring() as wiring:
            self._house = House(self._directory, wiring.ac)
            self._street = Street(
                wiring.street, self._clients, self._chance, interval=self._interval, back_off=BACK_OFF
            )
            declared = site({client.name for client in self._clients})
            for user in declared["users"].values():
                user["sessions"] = 2
            self._house.save(text(declared))
            self._street.start()
            watch = Watch(self._house.processes)
            watch.start()
            try:
                self._house.start()
                # Plans that move thousands out of the pool, kept for a while, would pass for a leak.
                chance = Random(self._chance.random())
                operator = Operator(self._house, self._street, wiring.ac, declared, chance, GROWING)
                operator.begin()
                found = self._act(seconds, operator)
                self._street.rest()
                found.growth = watch.growth()
                self._account(found, declared)
            finally:
                watch.close()
                self._street.close()
                self._house.stop()
            found.unpredicted, found.confessed = self._house.unpredicted, self._house.confessed()
            return found

    def _act(self, seconds: float, operator: Operator) -> Findings:
        found = Findings(seconds)
        acts: dict[Callable[[], object], tuple[str, float]] = {
            operator.edit: ("edits", 12),
            self._dial_and_hang_up: ("dials and hang-ups", 12),
            self._hostile_frames: ("volleys of hostile frames", 8),
            self._reconciler_dies: ("deaths of the reconciler", 0.15),
            self._engine_dies: ("deaths of the engine", 0.3),
            self._worker_dies: ("deaths of the worker", 0.15),
        }
        weights = [weight for _, weight in acts.values()]
        end = time.monotonic() + seconds
        once = [self._engine_dies, self._reconciler_dies, self._worker_dies]
        while (left := end - time.monotonic()) > 0:
            act = self._chance.choices(list(acts), weights)[0]
            if once and left < seconds * len(once) / (len(once) + 1):
                act = once.pop()  # each at least once, however short it is
            act()
            found.done[acts[act][0]] += 1
        self._back(self._clients)
        found.done.update({f"  {kind.replace('_', ' ')}": count for kind, count in operator.done.items()})
        return found

    def _account(self, found: Findings, declared: dict[str, object]) -> None:
        """What was lost, and what is left behind when everybody goes."""
        found.answered = sum(client.pings.answered for client in self._clients)
        found.lost = self._street.losses()
        found.unannounced = [end for client in self._clients for end in client.ends]
        for client in self._clients:
            self._street.hang_up(client)
        self._street.comes(lambda: not self._house.sessions(), GOODBYES_WITHIN)
        found.sessions_left = len(self._house.sessions())
        found.leases_lost = self._lost_leases(declared)

    def _lost_leases(self, declared: dict[str, object]) -> int:
        """With exactly one address for each, everybody must get one."""
        self._house.save(text({**declared, "pool_start": "10.70.0.1", "pool_size": len(self._clients)}))
        self._house.apply()
        missing = 0
        for _ in range(2):  # the second time, the pool is what the first has left of it
            with self._street.lock:
                for client in self._clients:
                    client.subscriber.ppp.password = client.name.encode()
                    client.may_end = False
                    self._street.dial(client)
            self._street.comes(lambda: all(client.up for client in self._clients), PATIENCE)
            missing = max(missing, len(self._clients) - self._street.up())
            for client in self._clients:
                self._street.hang_up(client)
            self._street.comes(lambda: not self._house.sessions(), GOODBYES_WITHIN)
        return missing

    # What happens

    def _dial_and_hang_up(self) -> None:
        """A few leave, politely or not, and come back by themselves."""
        for client in self._chance.sample(self._clients, 5):
            with self._street.lock:
                if client.up and client.wants:
                    self._street.hang_up(client, polite=self._chance.random() < 0.7)
                    self._street.dial(client)

    def _hostile_frames(self) -> None:
        """Frames of the street, bent, from stations that nobody knows."""
        frames = []
        with self._street.lock:
            heard = list(self._street.heard)
        for _ in range(40 if heard else 0):
            bent = mutated(self._chance.choice(heard), heard, Choices(self._chance.randbytes(64)))
            if len(bent) >= 14:
                stranger = _STRANGER + self._chance.randbytes(4)
                frames.append((bent[:6] + stranger + bent[12:])[:1514])
        self._street.say(frames)

    def _reconciler_dies(self) -> None:
        self._house.kill("reconciler")

    def _engine_dies(self) -> None:
        self._house.kill("engine")

    def _worker_dies(self) -> None:
        """What is on its way through it is lost, until another one is there."""
        window = self._street.window("the worker's deaths")
        self._house.kill("worker")
        self._street.close_window(window)

    def _back(self, clients: list[Client]) -> None:
        self._street.until(
            lambda: all(client.up for client in clients if client.wants), "everybody being back"
        )

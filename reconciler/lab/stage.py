"""Where a story is played: says what is done, asks for the plan, saves the file, and checks what came of it.

Knows how to look (plans, sessions, pings) and how to tell; what is to be done and expected is the story's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from reconciler.lab.sandbox import Sandbox

_LABEL = 9

Plan = dict[str, Any]
Identity = tuple[int, str, str, str]
"""What must not change while a session lives: its id, MAC, address and start."""


@dataclass
class Stage:
    """``wire`` grows by a line with each frame of the sandbox's exchange; ``write`` takes text as it
    comes.
    """

    sandbox: Sandbox
    wire: list[str]
    write: Callable[[str], object]
    failures: list[str] = field(default_factory=list)
    """What was not as it should be."""
    excused: list[tuple[float, float]] = field(default_factory=list)
    """Spans of time, in Unix time, in which the story itself broke the line and pings may have been lost."""
    _number: int = 0
    _wire_from: int = 0

    def scene(self, title: str) -> None:
        """Begin the next step."""
        self._number += 1
        self._wire_from = len(self.wire)
        self.write(f"\n{self._number}. {title}\n")

    def tell(self, label: str, text: str) -> None:
        """Say something, on as many lines as it has."""
        for line in text.rstrip().splitlines():
            self.write(f"   {label:<{_LABEL}} {line}\n")
            label = ""

    def check(self, what: str, right: bool, otherwise: object = "") -> bool:
        """Say whether something is as it should be, and remember if it is not."""
        self.tell("ok" if right else "FAILED", what if right or not otherwise else f"{what}: {otherwise}")
        if not right:
            self.failures.append(what)
        return right

    def plan(self, text: str, *, drops: Iterable[str] = ()) -> Plan:
        """Ask what a text would do, show it, and check that it would end the sessions of ``drops`` and no
        other.
        """
        candidate = self.sandbox.directory / "candidate" / "site.yaml"
        candidate.parent.mkdir(exist_ok=True)
        candidate.write_text(text)
        shown = self.sandbox.instance.command("apply", str(candidate), "--dry-run")
        self.tell("plan", shown.stdout or shown.stderr)
        plan: Plan = self.sandbox.instance.ask("apply", str(candidate), "--dry-run")
        named = sorted(session["user"] for session in touched(plan, "DROP"))
        self.check(f"the plan ends {_names(drops)}", named == sorted(drops), f"it names {_names(named)}")
        return plan

    def save(self, text: str) -> float:
        """Save the file; when, in Unix time."""
        at = self.sandbox.instance.save(text)
        self.tell("saved", "site.yaml" if text else "site.yaml, empty")
        return at

    def identities(self) -> dict[str, Identity]:
        """Every live session, by user."""
        return {
            session["user"]: (session["id"], session["mac"], session["address"], session["since"])
            for session in self.sandbox.instance.sessions()
            if session["state"] == "opened"
        }

    def check_untouched(self, before: dict[str, Identity], users: Iterable[str]) -> None:
        """Check that the sessions of ``users`` are the same as before, and have lost no ping ever."""
        after = self.identities()
        for user in users:
            same = before.get(user) == after.get(user) is not None
            self.check(f"{user}'s session is the same", same, f"{before.get(user)} became {after.get(user)}")
        sent = {user: self.lost_none(user) for user in users}
        told = ", ".join(f"{user} {count}" for user, count in sent.items())
        self.tell("pings", f"sent so far: {told}")

    def lost_none(self, user: str) -> int:
        """Check that a subscriber has lost no ping, but for excused times; how many were sent."""
        report = self.sandbox.callers[user].order("report")
        lost = [loss for loss in report["losses"] if not self._is_excused(loss["at"])]
        if lost or report["lost"] > len(report["losses"]):
            self.check(
                f"{user} lost no ping", False, f"{report['lost']} of {report['sent']}, first {lost[:1]}"
            )
        return int(report["sent"])

    def exchange(self, line: str, *, until: str) -> None:
        """Show the frames that a line exchanged in this scene, up to the first that says ``until``."""

        def frames() -> list[str]:
            return [told for told in self.wire[self._wire_from :] if f" {line} " in told]

        self.until(lambda: any(until in told for told in frames()))
        for told in frames():
            self.tell("wire", told)
            if until in told:
                break

    def until(self, fulfilled: Callable[[], bool], wait: float = 5.0) -> bool:
        """Look again and again until something is so; False if it is not in ``wait`` seconds."""
        end = time.monotonic() + wait
        while not fulfilled():
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        return True

    def _is_excused(self, at: float) -> bool:
        return any(start <= at <= end for start, end in self.excused)


def touched(plan: Plan, impact: str) -> list[dict[str, Any]]:
    """The sessions that a plan touches in that way."""
    return [
        session
        for change in plan["changes"]
        for session in change["sessions"]
        if session.get("impact", change["impact"]) == impact
    ]


def _names(users: Iterable[str]) -> str:
    named = sorted(users)
    return f"the session of {', '.join(named)} and no other" if named else "no session"

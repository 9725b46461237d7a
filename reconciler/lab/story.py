"""A day in the life of a site.yaml, played by itself: every kind of edit, under the eyes of subscribers
who ping.

Three subscribers dial in and ping the far end five times a second throughout; a fourth line tries what
the edits say about new sessions. Every scene says what is done, what the plan said before, and what
happened; at the end the ledger: who was not named has lost nothing.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from reconciler.lab import edits
from reconciler.lab.caller import Event
from reconciler.lab.instance import Status, condition
from reconciler.lab.sandbox import Sandbox
from reconciler.lab.stage import Stage, touched
from reconciler.lab.topology import FAR_ADDRESS
from reconciler.linux import netns, sysctl

SPARE = "maria"
"""The line, and the user to be, who is not in the file at first."""

PASSWORD = "test"  # noqa: S105 - the example's, in a sandbox
_NEW_PASSWORD = "changed"  # noqa: S105
_BETWEEN_DIALS = 0.2
"""Seconds. Who fails to log in more often than that is soon locked out."""
_PROXY_ARP = sysctl.interface_key("eth0", "proxy_arp")


@dataclass(frozen=True)
class Pace:
    """Seconds. ``within``: an edit takes effect in this time after the save; ``interval``: between pings."""

    within: float = 1.0
    interval: float = 0.2


class Story:
    """Played once, in a sandbox whose lines are the ``users`` (of the file ``text``) and the spare one."""

    def __init__(self, sandbox: Sandbox, stage: Stage, text: str, users: tuple[str, ...], pace: Pace) -> None:
        self._sandbox = sandbox
        self._stage = stage
        self._text = text
        self._users = users
        self._steady = tuple(user for user in users if user != "pablo")
        self._pace = pace

    def play(self) -> bool:
        """Play every scene. True when everything was as it should be."""
        self._dial_in()
        before = self._stage.identities()
        for scene in (
            self._add_a_user,
            self._revoke_pablo,
            self._change_a_password,
            self._change_dns,
            self._change_the_name,
            self._move_the_pool,
            self._flip_proxy_arp,
            self._break_and_mend,
            self._meddle_with_the_kernel,
        ):
            scene()
            self._stage.check_untouched(before, self._steady)
        self._close_the_books()
        return not self._stage.failures

    # -- scenes ----------------------------------------------------------------------------------------------

    def _dial_in(self) -> None:
        stage = self._stage
        stage.scene(f"{len(self._users)} subscribers dial in over one switch")
        for user in self._users:
            up = self._dial(user, user)
            right = up["event"] == "up" and up["mtu"] == 1492 and len(up["dns"]) == 2
            stage.check(_summary(user, up), right)
        stage.exchange(self._users[0], until="IPCP Configure-Ack id 2")
        for user in self._users:
            self._sandbox.callers[user].order("ping", target=FAR_ADDRESS, interval=self._pace.interval)
        answered = stage.until(lambda: all(self._answered(user) for user in self._users))
        stage.check(
            f"each pings {FAR_ADDRESS}, {1 / self._pace.interval:g} times a second from now on", answered
        )

    def _add_a_user(self) -> None:
        stage = self._stage
        stage.scene(f"add a user: {SPARE}")
        stage.check(f"{SPARE} is refused as yet", self._dial(SPARE)["phase"] == "authentication")
        text = edits.add_user(self._text, SPARE, PASSWORD)
        stage.plan(text)
        saved = self._save(text)
        up = self._dial_until_up(SPARE, saved + self._pace.within)
        took = up["at"] - saved
        in_time = up["event"] == "up" and took <= self._pace.within
        stage.check(f"{_summary(SPARE, up)}, {took:.2f} s after the save", in_time)

    def _revoke_pablo(self) -> None:
        stage, pablo = self._stage, self._sandbox.callers["pablo"]
        stage.scene("revoke pablo: the user is taken out of the file")
        stage.lost_none("pablo")
        text = edits.remove_user(self._text, "pablo")
        stage.plan(text, drops=["pablo"])
        happened = len(pablo.events)
        saved = self._save(text)
        down = pablo.wait_event("down", since=happened, wait=self._pace.within + 5)
        took = down["at"] - saved if down else float("inf")
        goodbyes = down is not None and down["by"] == "ac" and down["terminate_request"] and down["padt"]
        stage.exchange("pablo", until="PADT")
        what = f"pablo got a Terminate-Request, then a PADT, {took:.2f} s after the save"
        stage.check(what, goodbyes and took <= self._pace.within, down)
        again = self._dial("pablo", "pablo")
        stage.check(f"pablo dials again and is refused: {again.get('reason')}", _refused(again), again)

    def _change_a_password(self) -> None:
        stage = self._stage
        stage.scene("change yunhan's password")
        text = edits.set_password(self._text, "yunhan", _NEW_PASSWORD)
        plan = stage.plan(text)
        later = [session["user"] for session in touched(plan, "LATER")]
        stage.check(
            "the plan says that yunhan's session stays until the next login", later == ["yunhan"], later
        )
        self._put_in_force(text)
        self._hang_up(SPARE)
        old = self._dial(SPARE, "yunhan")
        stage.check(f"the old password is refused: {old.get('reason')}", _refused(old), old)

    def _change_dns(self) -> None:
        self._stage.scene("change the DNS servers")
        text = edits.set_value(self._text, "dns_servers", "[9.9.9.9, 1.1.1.1]")
        self._stage.plan(text)
        self._put_in_force(text)
        up = self._redial_spare()
        self._stage.check(
            f"the next session has them: {_summary(SPARE, up)}", up.get("dns") == ["9.9.9.9", "1.1.1.1"]
        )

    def _change_the_name(self) -> None:
        self._stage.scene("change the concentrator's name")
        text = edits.set_value(self._text, "ac_name", "NORTH")
        self._stage.plan(text)
        self._put_in_force(text)
        up = self._redial_spare()
        self._stage.check(f"the next PADO is from {up.get('ac_name')}", up.get("ac_name") == "NORTH")

    def _move_the_pool(self) -> None:
        stage, spare = self._stage, self._sandbox.callers[SPARE]
        stage.scene("move the pool")
        text = edits.set_value(self._text, "pool_start", "10.214.2.180")
        stage.plan(text)
        self._put_in_force(text)
        up = self._redial_spare()
        stage.check(
            f"the next lease is from the new pool: {up.get('address')}", up.get("address") == "10.214.2.180"
        )
        spare.order("ping", target=FAR_ADDRESS, interval=self._pace.interval)
        stage.check(f"and reaches {FAR_ADDRESS}", stage.until(lambda: self._answered(SPARE)))
        spare.order("ping_stop")

    def _flip_proxy_arp(self) -> None:
        stage = self._stage
        stage.scene("turn proxy ARP off, and on again before the router's cache runs out")
        off = edits.set_value(self._text, "forwarding.proxy_arp", "false")
        stage.plan(off)
        on = self._text
        self._save(off)
        stage.check("it is off", stage.until(lambda: self._kernel(_PROXY_ARP) == 0))
        self._save(on)
        stage.check("it is on again", stage.until(lambda: self._kernel(_PROXY_ARP) == 1))
        self._sandbox.instance.wait_in_force(on)

    def _break_and_mend(self) -> None:
        stage, right = self._stage, self._text
        stage.scene("break the file, empty it, mend it")
        broken = edits.set_value(right, "pool_size", "many")
        place = f"site.yaml:{edits.line_of(broken, 'pool_size: many')}"
        self._must_refuse("broken", broken, place)
        self._must_refuse("empty", "", "nothing is declared")
        self._put_in_force(right)
        stage.check("mended: ready again", True)

    def _must_refuse(self, what: str, text: str, named: str) -> None:
        stage = self._stage
        before = stage.identities()

        def refused(status: Status) -> bool:
            return named in _invalid(status)

        stage.save(text)
        status = self._sandbox.instance.wait_for(refused, f"the {what} file being refused", 15)
        stage.tell("status", _invalid(status))
        logged = stage.until(lambda: named in self._sandbox.instance.last_log_lines(200))
        stage.check(f"{what}: status and log say so ({named})", logged)
        stage.check(f"{what}: nobody has lost a session", stage.identities() == before)

    def _meddle_with_the_kernel(self) -> None:
        stage = self._stage
        stage.scene("set ip_forward to 0 by hand")
        start = time.time()
        with netns.inside(self._sandbox.topology.ac):
            sysctl.write(sysctl.IP_FORWARD, 0)
        back = stage.until(lambda: self._kernel(sysctl.IP_FORWARD) == 1)
        took = time.time() - start
        # What was sent while the box did not forward is the meddler's loss, not an edit's.
        stage.excused.append((start - 0.1, start + took + 0.1))
        stage.check(f"it was put back after {1000 * took:.0f} ms", back)
        told = self._sandbox.instance.wait_for(
            lambda status: _drift(status) != "", "drift being reported", 10
        )
        stage.check(f"and is reported as drift: {_drift(told)}", True)

    def _close_the_books(self) -> None:
        stage = self._stage
        stage.scene("the ledger")
        site = str(self._sandbox.instance.site)
        again = self._sandbox.instance.command("apply", site)
        stage.check("a second apply says: No changes.", again.stdout.startswith("No changes."), again)
        for user in self._steady:
            self._balance(user)
        self._hang_up("yunhan")
        up = self._sandbox.callers["yunhan"].dial("yunhan", _NEW_PASSWORD)
        stage.check(f"yunhan's new password is good: {_summary('yunhan', up)}", up["event"] == "up", up)

    def _balance(self, user: str) -> None:
        """Every ping that was answered went through the user's session, there and back."""
        sent = self._stage.lost_none(user)
        report = self._sandbox.callers[user].order("ping_stop")
        answered = report["received"]
        rtt = f"round trip {report['rtt_avg']:.2f} ms, at most {report['rtt_max']:.1f}"
        lost = f", {report['lost']} lost while the box did not forward" if report["lost"] else ""
        self._stage.tell("pings", f"{user}: {sent} sent, {answered} answered{lost}; {rtt}")

        def carried() -> bool:
            session = next(one for one in self._sandbox.instance.sessions() if one["user"] == user)
            return bool(session["rx_packets"] >= answered <= session["tx_packets"])

        self._stage.check(f"{user}'s session carried them all, there and back", self._stage.until(carried))

    # -- how things are done ---------------------------------------------------------------------------------

    def _save(self, text: str) -> float:
        self._text = text
        return self._stage.save(text)

    def _put_in_force(self, text: str) -> None:
        self._save(text)
        self._sandbox.instance.wait_in_force(text)

    def _dial(self, line: str, user: str = SPARE) -> Event:
        return self._sandbox.callers[line].dial(user, PASSWORD)

    def _dial_until_up(self, line: str, end: float) -> Event:
        while True:
            time.sleep(_BETWEEN_DIALS)
            event = self._dial(line)
            if event["event"] == "up" or time.time() > end:
                return event

    def _redial_spare(self) -> Event:
        self._hang_up(SPARE)
        return self._dial(SPARE)

    def _hang_up(self, line: str) -> None:
        caller = self._sandbox.callers[line]
        since = len(caller.events)
        if caller.order("status")["up"]:
            caller.order("hangup")
            caller.wait_event("down", since=since, wait=10)

    def _answered(self, line: str) -> bool:
        return bool(self._sandbox.callers[line].order("report")["received"])

    def _kernel(self, key: sysctl.Key) -> int:
        with netns.inside(self._sandbox.topology.ac):
            return sysctl.read(key)


def _summary(user: str, up: Event) -> str:
    if up["event"] != "up":
        return f"{user} is refused: {up['reason']}"
    dns = " ".join(up["dns"])
    return f"{user} has {up['address']} peer {up['peer']}, MTU {up['mtu']}, DNS {dns}, by {up['method']}"


def _refused(event: Event) -> bool:
    return (event["event"], event.get("phase")) == ("failed", "authentication")


def _invalid(status: Status) -> str:
    if not condition(status, "SourceInvalid"):
        return ""
    return next(str(one["message"]) for one in status["conditions"] if one["type"] == "SourceInvalid")


def _drift(status: Status) -> str:
    for entry in status["drift"]:
        if entry["path"] == "forwarding.ip_forward":
            return f"{entry['path']} was {entry['from']:d}, is {entry['to']:d} again"
    return ""

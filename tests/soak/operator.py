"""Somebody who edits site.yaml all day, at random; what each edit may do to whom, and whether it did.

An edit is previewed first. It must name nobody whom it does not concern; whoever it names must end, and come
back if still allowed. Neighbours: ``street`` notices whoever ends beside that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from random import Random
from typing import Any

from reconciler.lab.instance import condition
from reconciler.linux import netlink, netns, sysctl
from reconciler.linux.sysctl import IP_FORWARD, interface_key
from tests.soak.house import House
from tests.soak.street import Client, Street

Declared = dict[str, Any]

POOLS = (("10.64.0.2", 4094), ("10.64.16.2", 4094), ("10.64.0.2", 8190))
GROWING = (POOLS[0], POOLS[2])
"""In these nobody's address is ever outside."""
BROKEN = ("", "users: {{", "<<<<<<< HEAD\n{whole}", "version: 2\n", "just a word\n", "{half}")
_SETTINGS: dict[str, tuple[Any, ...]] = {
    "ac_name": ("SERVER", "OTHER", "reconciler"),
    "dns_servers": ([], ["8.8.8.8"], ["8.8.8.8", "9.9.9.9"]),
    "mtu": (1492, 1400, 1480),
    "lcp_echo": ({}, {"interval": 20}, {"interval": 60, "failures": 5}),
    "auth": (["chap", "pap"], ["pap", "chap"], ["chap"]),
    "service_names": ([], ["internet"]),
    "local_ip": ("10.63.0.1", "10.63.0.2"),
    "second_login": ("replace", "refuse"),
    "on_remove": ("terminate", "drain"),
    "on_password_change": ("keep", "terminate"),
}


def site(users: Iterable[str], pool_size: int = POOLS[0][1]) -> Declared:
    """A site for these users, each with a session, whose passwords are their names."""
    return {
        "version": 1,
        "interface": "eth0",
        "local_ip": "10.63.0.1",
        "pool_start": POOLS[0][0],
        "pool_size": pool_size,
        "auth": ["chap", "pap"],
        "forwarding": {"ip_forward": True, "proxy_arp": True},
        "limits": {"padi_per_mac": 0, "padi_total": 0, "half_open": 0, "failed_logins": 0},
        "guard": {"max_users_removed": "100%", "max_sessions_dropped": "100%"},
        "users": {name: {"password": name} for name in users},
    }


class Operator:
    """Edits ``site`` in ``house`` while ``street`` is up. ``done`` counts edits by kind."""

    def __init__(
        self,
        house: House,
        street: Street,
        namespace: str,
        declared: Declared,
        chance: Random,
        pools: Sequence[tuple[str, int]] = POOLS,
    ) -> None:
        self.site = declared
        self.done: dict[str, int] = {}
        self.named = 0
        self._house = house
        self._street = street
        self._namespace = namespace
        self._chance = chance
        self._pools = pools
        self._clients: dict[str, list[Client]] = {}
        for client in street.clients.values():
            self._clients.setdefault(client.name, []).append(client)

    def edit(self) -> None:
        """One edit at random, carried out and judged."""
        kind = self._chance.choices(_KINDS, _WEIGHTS)[0]
        self.done[kind.__name__] = self.done.get(kind.__name__, 0) + 1
        kind(self)

    def begin(self) -> None:
        """Everybody who may dials in."""
        self.bring_back(self._clients)

    def end(self) -> None:
        """Give what is still on its way the time to arrive."""
        self._street.rest()

    # Kinds of edits

    def change_a_setting(self) -> None:
        key = self._chance.choice(sorted(_SETTINGS))
        self.change(lambda site: site.update({key: self._chance.choice(_SETTINGS[key])}))

    def change_the_pool(self) -> None:
        start, size = self._chance.choice(self._pools)
        self.change(lambda site: site.update(pool_start=start, pool_size=size))

    def add_or_remove_a_user(self) -> None:
        gone = sorted(self._clients.keys() - self.site["users"].keys())
        name = self._chance.choice(gone if len(gone) > len(self._clients) // 3 else sorted(self._clients))
        if name not in self.site["users"]:
            self.change(lambda site: site["users"].update({name: {"password": name}}))
        else:
            at_risk = {name} if self.site.get("on_remove") != "drain" else set()
            self.change(lambda site: site["users"].pop(name), at_risk)

    def add_or_remove_a_stranger(self) -> None:
        """Somebody who never dials in."""
        name = f"stranger{self._chance.randrange(20)}"
        self.change(
            lambda site: (
                site["users"].pop(name)
                if name in site["users"]
                else site["users"].update({name: {"password": "x"}})
            )
        )

    def enable_or_disable_a_user(self) -> None:
        name = self._user()
        enabled = self.site["users"][name].get("enabled", True)
        at_risk = {name} if enabled and self.site.get("on_remove") != "drain" else set()
        self.change(lambda site: site["users"][name].update(enabled=not enabled), at_risk)

    def change_a_password(self) -> None:
        name, password = self._user(), f"p{self._chance.randrange(10**6)}"
        at_risk = {name} if self.site.get("on_password_change") == "terminate" else set()
        self.change(lambda site: site["users"][name].update(password=password), at_risk)

    def change_an_address(self) -> None:
        """To a fixed one of this user's own, or back to the pool."""
        name = self._user()
        number = sorted(self._clients).index(name)

        def give(site: Declared) -> None:
            user = site["users"][name]
            if user.pop("ip", None) is None:
                user["ip"] = f"10.65.{number // 250}.{number % 250 + 1}"

        self.change(give)

    def change_the_number_of_sessions(self) -> None:
        name = self._user()
        number = 1 + self.site["users"][name].get("sessions", 1) % 2
        at_risk = {name} if number == 1 else set()
        self.change(lambda site: site["users"][name].update(sessions=number), at_risk)

    def write_the_same_in_another_order(self) -> None:
        def shuffle(site: Declared) -> None:
            for table in (site["users"], site):
                items = self._chance.sample(sorted(table.items()), len(table))
                table.clear()
                table.update(items)

        self.change(shuffle)

    def break_the_file(self) -> None:
        """Nothing happens, and then it is good again."""
        good = text(self.site)
        self._house.save(self._chance.choice(BROKEN).format(whole=good, half=good[: len(good) // 2]))
        self._house.until(lambda status: condition(status, "SourceInvalid"), "the finding")
        self._house.save(good)
        self._settled()

    def meddle_by_hand(self) -> None:
        """Forwarding, proxy ARP or a route is changed past the file. What is lost until it is back is the
        hand's doing.
        """
        window = self._street.window("a hand")
        with netns.inside(self._namespace):
            device, routes = self._house.status()["device"], self._house.routes()
            what = self._chance.randrange(3)
            if what == 0:
                sysctl.write(IP_FORWARD, 0)
            elif what == 1:
                sysctl.write(interface_key("eth0", "proxy_arp"), 0)
            elif routes:
                netlink.remove_route(self._chance.choice(routes), device)
            self._settled()
            assert sysctl.read(IP_FORWARD) == 1
            assert self._house.routes() == routes
        self._street.close_window(window)

    # How one is carried out

    def change(self, alter: Callable[[Declared], object], at_risk: Iterable[str] = ()) -> None:
        """An edit: only users ``at_risk`` may be named by its plan, and whoever of them may is back after
        it.
        """
        after = deepcopy(self.site)
        alter(after)
        at_risk = set(at_risk)
        self.bring_back(at_risk)  # whoever is still dialling would be up only after the plan was made
        named = _named(self._house.plan(text(after)))
        assert {user for user, _ in named} <= at_risk, f"{named} named by an edit of {at_risk}"
        with self._street.lock:
            for client in self._of(at_risk):
                client.may_end = True
            for client in self._surplus(named):
                self._street.give_up(client)
        self.site = after
        self._house.save(text(after))
        self._settled()
        self.named += len(named)
        self._street.until(
            lambda: not any(_is_named(client, named) for client in self._of(at_risk)),
            f"the ends of {named}",
            lambda: self._last_words(at_risk),
        )
        self.bring_back(at_risk)

    def _settled(self) -> None:
        result = self._house.apply()
        assert result in ("applied", "unchanged"), f"{result}: {self._house.status()}"

    def _tell_passwords(self) -> None:
        """Subscribers know of their passwords at once, and whether it is of any use to dial."""
        with self._street.lock:
            for name, clients in self._clients.items():
                user = self.site["users"].get(name, {"enabled": False})
                for client in clients:
                    if "password" in user:
                        client.subscriber.ppp.password = user["password"].encode()
                wanted = _first(clients, user)[: _lines(user)]
                for client in clients:
                    if client not in wanted:
                        self._street.give_up(client)
                    elif not client.wants:
                        self._street.dial(client)

    def bring_back(self, names: Iterable[str]) -> None:
        """Everybody learns who may be up. Waits for those of ``names``; from then on none of them may end."""
        self._tell_passwords()
        clients = [client for client in self._of(names) if client.wants]
        self._street.until(
            lambda: all(client.up for client in clients),
            f"{names} being back",
            lambda: self._last_words(names),
        )
        with self._street.lock:
            for client in self._of(names):
                client.may_end = not client.wants and client.may_end

    def _surplus(self, named: set[tuple[str, int]]) -> list[Client]:
        """Who ends while another line of theirs stays: one would end the other, in turn."""
        ending = [client for client in self._of({user for user, _ in named}) if _is_named(client, named)]
        return [
            client
            for client in ending
            if any(fellow.up and fellow not in ending for fellow in self._clients[client.name])
        ]

    def _last_words(self, names: Iterable[str]) -> str:
        """What is said of users who are not as they should be: by them, and by the daemon."""
        with self._street.lock:
            lines = [str(client) for client in self._of(names)]
        for name in names:
            lines += [f"{name} is declared {self.site['users'].get(name)}", self._house.account(name)]
        return "\n".join([*lines, self._house.last_words()])

    def _of(self, names: Iterable[str]) -> list[Client]:
        return [client for name in names for client in self._clients[name]]

    def _user(self) -> str:
        """A user who is in the file; one is always left."""
        known = [name for name in sorted(self._clients) if name in self.site["users"]]
        return self._chance.choice(known)


def _is_named(client: Client, named: set[tuple[str, int]]) -> bool:
    return client.up and (client.name, client.subscriber.session_id) in named


def _lines(user: Declared) -> int:
    """How many lines of a user may be up. Only one of them can have a fixed address."""
    if not user.get("enabled", True):
        return 0
    return 1 if "ip" in user else int(user.get("sessions", 1))


def _first(clients: Iterable[Client], user: Declared) -> list[Client]:
    """Who is up first, and before them who has the address that another would have to wait for."""
    return sorted(clients, key=lambda client: (client.address != user.get("ip"), not client.up))


def _named(plan: dict[str, Any]) -> set[tuple[str, int]]:
    """The sessions that a plan ends."""
    return {
        (session["user"], session["id"])
        for change in plan["changes"]
        for session in change["sessions"]
        if session.get("impact", change["impact"]) == "DROP"
    }


def text(declared: Declared) -> str:
    return json.dumps(declared, indent=1) + "\n"


_CHOICES: dict[Callable[[Operator], None], float] = {
    Operator.change_a_setting: 6,
    Operator.change_the_pool: 2,
    Operator.add_or_remove_a_user: 6,
    Operator.add_or_remove_a_stranger: 3,
    Operator.enable_or_disable_a_user: 5,
    Operator.change_a_password: 5,
    Operator.change_an_address: 4,
    Operator.change_the_number_of_sessions: 4,
    Operator.write_the_same_in_another_order: 2,
    Operator.break_the_file: 2,
    # Seldom: who keeps at it gets into a fight, in which each next answer takes longer.
    Operator.meddle_by_hand: 0.4,
}
_KINDS, _WEIGHTS = list(_CHOICES), list(_CHOICES.values())

"""From pppoe-server's set-up to a site."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.importers.draft import Draft
from reconciler.importers.logins import take_logins
from reconciler.importers.options import take_options
from reconciler.importers.pppoe_server import NotThisCommandError, take_command
from reconciler.importers.sysctl import take_sysctl
from reconciler.importers.words import lines
from reconciler.site.load import load
from reconciler.site.model import Site

EXAMPLE = Path(__file__).parents[2] / "examples" / "site.yaml"
COMMAND = "pppoe-server -I eth0 -C SERVER -L 10.214.2.100 -R 10.214.2.101"
SECRETS = '# client server secret addresses\n"theo" * "test"\npablo * test *\nyunhan\t*\ttest\n'
OPTIONS = "# Windows subscribers need these\nms-dns 8.8.8.8\nms-dns 8.8.4.4\n"
SYSCTL = "net.ipv4.ip_forward=1\nnet.ipv4.conf.eth0.proxy_arp = 1\nkernel.panic=1\n"


def imported(
    command: str = COMMAND, secrets: str = SECRETS, options: str = "", sysctl: str = ""
) -> tuple[Site, list[str]]:
    draft = Draft()
    take_command(draft, command)
    take_options(draft, options, "options")
    take_sysctl(draft, sysctl, "sysctl.conf")
    take_logins(draft, secrets, "pap-secrets")
    loaded = load(draft.text(), "site.yaml")
    assert loaded.site is not None, loaded.findings
    assert not loaded.findings
    return loaded.site, [str(note) for note in draft.notes]


def test_the_set_up_of_the_example_becomes_the_example() -> None:
    site, notes = imported(options=OPTIONS, sysctl=SYSCTL)
    assert notes == []
    assert site == load(EXAMPLE.read_bytes(), "site.yaml").site


@pytest.mark.parametrize(
    "script", ["sysctl -w net.ipv4.ip_forward=1", "echo 1 > /proc/sys/net/ipv4/ip_forward"]
)
def test_scripts_that_set_switches(script: str) -> None:
    assert imported(sysctl=script)[0].forwarding.ip_forward is True


def test_address_translation_in_a_script_is_not_forgotten() -> None:
    script = "iptables -t nat -A POSTROUTING -o eth0 -j MASQUERADE\n# MASQUERADE of old\n"
    (note,) = imported(sysctl=script)[1]
    assert note.startswith("sysctl.conf:1: MASQUERADE: ")
    assert "nat.masquerade" in note


def test_another_segment_size_is_said_to_follow_the_mtu() -> None:
    (note,) = imported(f"{COMMAND} -m 1412")[1]
    assert "clamp_mss" in note


def test_all_that_a_command_line_can_say() -> None:
    command = (
        "sudo /usr/sbin/pppoe-server -k -F -I eth0 -I eth1 -S internet -L 10.0.0.1 -R 10.0.0.2 -N 20 -x 1 -l"
    )
    site, notes = imported(command)
    assert site.interface == ("eth0", "eth1")
    assert site.service_names == ("internet",)
    assert (str(site.pool_start), site.pool_size) == ("10.0.0.2", 20)
    assert [note.split(":")[1].strip() for note in notes] == ["-x 1", "-l"]


def test_our_address_within_the_pool_is_left_out_of_it() -> None:
    site, notes = imported("pppoe-server -I eth0 -L 10.0.0.5 -R 10.0.0.2 -N 64")
    assert (str(site.pool_start), site.pool_size) == ("10.0.0.6", 60)
    assert "60 of 64" in notes[0]


def test_defaults_of_pppoe_server_are_taken_and_said() -> None:
    site, notes = imported("pppoe-server")
    assert (site.interface, str(site.local_ip), str(site.pool_start)) == (("eth0",), "10.0.0.1", "10.67.15.1")
    assert len(notes) == 3


@pytest.mark.parametrize("command", ["pppd eth0", "pppoe-server --unknown", "pppoe-server -I 'eth0", ""])
def test_what_is_no_such_command(command: str) -> None:
    with pytest.raises(NotThisCommandError):
        take_command(Draft(), command)


def test_all_that_options_can_say() -> None:
    options = """\
auth
require-chap
require-pap
refuse-mschap-v2
lcp-echo-interval 10
lcp-echo-failure 2
mtu 1480
mru 1400
proxyarp
ktune
ms-wins 10.0.0.9
idle 600
maxconnect 86400
plugin radius.so
password hunter2
radius_secret hunter2
"""
    site, notes = imported(options=options)
    assert site.auth == ("chap", "pap")
    assert (site.lcp_echo.interval, site.lcp_echo.failures, site.mtu) == (10, 2, 1400)
    assert (site.idle_timeout, site.session_timeout) == (600, 86400)
    assert (site.forwarding.ip_forward, site.forwarding.proxy_arp) == (True, True)
    assert [str(server) for server in site.wins_servers] == ["10.0.0.9"]
    assert "hunter2" not in "".join(notes)
    assert [note.split(":")[1] for note in notes] == ["14", "15", "16"]


@pytest.mark.parametrize(
    ("option", "why"),
    [
        ("mtu 1500", "RFC 2516"),
        ("mtu many", "whole number"),
        ("mtu 60", "from 576"),
        ("ms-dns dns.example", "IPv4"),
        ("ms-dns 8.8.8.8\nms-dns 8.8.4.4\nms-dns 1.1.1.1", "at most 2"),
        ("lcp-echo-failure 0", "silence"),
        ("login", "accounts"),
        ("require-pap\nrefuse-pap", "no way to log in"),
        ("frobnicate 7", "no such thing"),
    ],
)
def test_options_that_do_not_go_over_say_why(option: str, why: str) -> None:
    assert why in imported(options=option)[1][-1]


def test_secrets_with_addresses_files_quotes_and_the_impossible() -> None:
    secrets = r"""
a * "kilo lima" 10.0.0.9
'b c' SERVER kilo\#lima *
d * @/etc/ppp/secrets/d
e * mike -
f * mike 10.0.0.0/24
* * everybody
g * ""
h
a * other
"""
    site, notes = imported(secrets=secrets)
    assert [(name, str(user.ip)) for name, user in site.users.items() if user.ip] == [("a", "10.0.0.9")]
    assert [user.password.reveal() for user in site.users.values() if user.password] == [
        "kilo lima",
        "kilo#lima",
        "mike",
        "mike",
    ]
    assert site.users["d"].password_file == "/etc/ppp/secrets/d"
    assert not site.users["e"].enabled
    assert {int(note.split(":")[1]) for note in notes} == {3, 5, 6, 7, 8, 9, 10}
    for secret in ("kilo", "lima", "everybody", "other", "mike"):
        assert not any(secret in note for note in notes), secret


@dataclass
class Typed:
    """A user as an administrator may have typed one into a secrets file."""

    name: str
    password: str
    line: str = field(init=False)

    def __post_init__(self) -> None:
        self.line = " * ".join(self._quoted(text) for text in (self.name, self.password))

    @staticmethod
    def _quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=30).filter(
    lambda text: text != "*" and not text.startswith("@")
)


@given(st.lists(st.builds(Typed, WORDS, WORDS), min_size=1, max_size=5, unique_by=lambda typed: typed.name))
def test_any_secret_arrives_as_it_is(users: list[Typed]) -> None:
    site, _ = imported(secrets="".join(f"{typed.line}\n" for typed in users))
    found = {name: user.password.reveal() for name, user in site.users.items() if user.password}
    assert found == {typed.name: typed.password for typed in users}


@given(st.text(max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    draft = SimpleNamespace(lines=list(lines(text, "x")))
    assert all(line.words for line in draft.lines)
    whole = Draft()
    take_options(whole, text, "options")
    take_sysctl(whole, text, "sysctl")
    take_logins(whole, text, "secrets")
    assert load(whole.text(), "site.yaml").findings

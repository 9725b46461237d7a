"""From accel-ppp's files to a site."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.importers.accel_ppp import take_conf
from reconciler.importers.draft import Draft
from reconciler.importers.logins import ACCEL, take_logins
from reconciler.site.load import load
from reconciler.site.model import Site

CONF = """\
[modules]
log_file
pppoe
auth_mschap_v2
auth_pap
chap-secrets
ippool
radius

[core]
thread-count=4

[common]
single-session=deny

[ppp]
verbose=1
mtu=1480
lcp-echo-interval=20
lcp-echo-failure=4

[pppoe]
interface=eth1,padi-limit=5
interface=eth2   # the north
ac-name=NORTH
service-name=internet,voice
padi-limit=100

[dns]
dns1=8.8.8.8
dns2=8.8.4.4

[ip-pool]
gw-ip-address=10.0.0.1
10.0.0.0/24
10.1.0.2-10.1.0.9,name=other

[radius]
server=10.0.0.2,hunter2,auth-port=1812

[chap-secrets]
chap-secrets=/etc/ppp/chap-secrets
"""
SECRETS = "theo * test *\npablo * test 10.0.5.7 1024/2048\n"


def imported(conf: str = CONF, secrets: str = SECRETS) -> tuple[Site, list[str]]:
    draft = Draft()
    take_conf(draft, conf, "accel-ppp.conf")
    take_logins(draft, secrets, "chap-secrets", ACCEL)
    loaded = load(draft.text(), "site.yaml")
    assert loaded.site is not None, loaded.findings
    return loaded.site, [str(note) for note in draft.notes]


def test_all_that_goes_over() -> None:
    site, _ = imported()
    assert site.interface == ("eth1", "eth2")
    assert (site.ac_name, site.service_names) == ("NORTH", ("internet", "voice"))
    assert (str(site.local_ip), str(site.pool_start), site.pool_size) == ("10.0.0.1", "10.0.0.2", 253)
    assert [str(server) for server in site.dns_servers] == ["8.8.8.8", "8.8.4.4"]
    assert site.auth == ("mschapv2", "pap")
    assert (site.mtu, site.lcp_echo.interval, site.lcp_echo.failures) == (1480, 20, 4)
    assert (site.second_login, site.limits.padi_total) == ("refuse", 100)
    assert str(site.users["pablo"].ip) == "10.0.5.7"
    assert site.users["theo"].ip is None


def test_all_that_does_not_is_said_without_secrets() -> None:
    _, notes = imported()
    said = "\n".join(notes)
    parts = ("module radius", "server in [radius]", "options of interface eth1", "its rate", "one range")
    for part in parts:
        assert part in said
    assert "hunter2" not in said
    assert "test" not in said


def test_rates_are_said_to_have_a_place_here() -> None:
    draft = Draft()
    take_conf(draft, "[modules]\nshaper\n", "conf")
    take_logins(draft, "theo * secret * 10240/2048\n", "chap", ACCEL)
    told = [str(note) for note in draft.notes if "shaper" in note.what or "its rate" in note.what]
    assert len(told) == 2
    assert all("rate_limit" in note for note in told)


@pytest.mark.parametrize(
    ("words", "start", "size"),
    [("10.0.0.2-9", "10.0.0.2", 8), ("10.0.0.2-10.0.1.1", "10.0.0.2", 256), ("10.0.0.7", "10.0.0.7", 1)],
)
def test_ranges(words: str, start: str, size: int) -> None:
    site, _ = imported(CONF.replace("10.0.0.0/24", words))
    assert (str(site.pool_start), site.pool_size) == (start, size)


@pytest.mark.parametrize("words", ["10.0.0.2-x", "here", "10.0.0.0/40", "10.0.0.9-2"])
def test_what_is_no_range_is_said(words: str) -> None:
    draft = Draft()
    take_conf(draft, CONF.replace("10.0.0.0/24", words), "accel-ppp.conf")
    assert any("not one that can be read" in str(note) for note in draft.notes)


@given(st.text(max_size=200), st.sampled_from(["ppp", "pppoe", "ip-pool", "dns", "common", "modules"]))
def test_any_text_is_read_without_an_error(text: str, section: str) -> None:
    draft = Draft()
    take_conf(draft, f"[{section}]\n{text}", "accel-ppp.conf")
    assert load(draft.text(), "site.yaml").findings

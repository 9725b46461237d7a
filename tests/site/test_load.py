"""The loader: whatever the text, a site or findings with exact places; never an exception, never "no
users".
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.site.codes import CATALOGUE, NOTES
from reconciler.site.load import load
from reconciler.site.model import Site
from reconciler.site.place import Place
from tests.site.samples import FLAWS, GOOD, Flaw, replacing, with_line, with_users


def site(text: str) -> Site:
    loaded = load(text, "site.yaml")
    assert loaded.site is not None, loaded.findings
    return loaded.site


def codes(text: str | bytes) -> list[str]:
    return [finding.code for finding in load(text, "site.yaml").findings]


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: f"{flaw.code}-{flaw.why}")
def test_every_flaw_is_found_alone_and_at_its_place(flaw: Flaw) -> None:
    loaded = load(flaw.text, "site.yaml")
    found = [
        (finding.code, (finding.place.line, finding.place.column) if finding.place else None)
        for finding in loaded.findings
    ]
    assert (flaw.code, flaw.at) in found
    assert (loaded.site is None) == flaw.code.startswith("E")


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: f"{flaw.code}-{flaw.why}")
def test_one_flaw_is_told_once(flaw: Flaw) -> None:
    assert codes(flaw.text) == [flaw.code]


def test_every_code_that_the_loader_can_give_has_a_flaw_here() -> None:
    from_the_secrets = {"E150", "E151", "E152", "E153", "W206"}
    assert {flaw.code for flaw in FLAWS} == CATALOGUE.keys() - from_the_secrets - NOTES


def test_all_findings_appear_in_one_run() -> None:
    text = """\
version: 1
interface: eth/0
local_ip: 10.214.2.100
pool_start: 10.214.2.90
mtu: big
dns_servers: [8.8.8.8, 8.8.4.4, 1.1.1.1]
colour: blue
users:
  theo: {password: test, ip: 10.0.0.9}
  theo: test
  pablo: {password: test, ip: 10.0.0.9, enabled: on}
  yunhan: {ip: 10.214.2.100}
"""
    assert codes(text) == ["E125", "E142", "E122", "E131", "E120", "E103", "E104", "E123", "E134", "E140"]


@pytest.mark.parametrize(
    "text",
    ["0123", "no", "yes", "null", "~", "1e5", "12:34:56", "2001-01-01", "0x1f", "1_000", ".inf", "true",
     "'#a'", "=", "3c:18:a0:02:b9:be", "0o17", "-5", "12e03"],
)  # fmt: skip
def test_a_value_keeps_its_text(text: str) -> None:
    loaded = site(with_users(f"pablo: {text}", "yunhan:", f"  password: {text}", f"{text}: x"))
    for name in ("pablo", "yunhan"):
        password = loaded.users[name].password
        assert password is not None
        assert password.reveal() == text.strip("'")
    assert text.strip("'") in loaded.users


def test_quoted_and_block_texts_are_read_as_yaml_says() -> None:
    users = site(
        with_users(
            'a: "\\u00e9\\x21"', "b: 'it''s'", "c: |-", "    two", "    lines", "d: >-", "    one", "    line"
        )
    ).users
    texts = [user.password.reveal() for user in users.values() if user.password is not None]
    assert texts == ["test", "é!", "it's", "two\nlines", "one line"]


def test_the_types_come_from_the_model() -> None:
    loaded = site(
        with_line(
            "forwarding: {ip_forward: true, proxy_arp: 'false'}\npool_size: '32'\nauth: [pap]\nac_name: 42"
        )
    )
    assert loaded.forwarding.ip_forward is True
    assert loaded.forwarding.proxy_arp is False
    assert loaded.pool_size == 32
    assert loaded.auth == ("pap",)
    assert loaded.ac_name == "42"
    assert loaded.local_ip == IPv4Address("10.214.2.100")


def test_an_interface_is_a_name_or_a_list_of_names() -> None:
    assert site(GOOD).interface == ("eth0",)
    assert site(replacing("eth0", "[eth0, eth1.100]")).interface == ("eth0", "eth1.100")


def test_explicit_defaults_and_order_make_no_difference() -> None:
    reordered = """\
users: {theo: {sessions: 1, enabled: true, password: test}}
pool_size: 64
pool_start: 10.214.2.101
mtu: 1492
lcp_echo: {failures: 3, interval: 30}
local_ip: 10.214.2.100
interface: [eth0]
version: 1
"""
    assert site(reordered) == site(GOOD)


def test_places_tell_where_each_thing_is_declared() -> None:
    places = load(with_users("pablo:", "  ip: 10.0.0.1", "  password: x"), "site.yaml").places
    assert places["users",] == Place(5, 1, 5, 6)
    assert places["users", "pablo"] == Place(7, 3, 7, 8)
    assert places["users", "pablo", "ip"] == Place(8, 5, 8, 7)
    assert places["interface", "eth0"] == Place(2, 12, 2, 16)


def test_an_interface_of_a_list_has_a_place_by_its_name() -> None:
    assert load(replacing("eth0", "[eth0, eth1]"), "site.yaml").places["interface", "eth1"] == Place(
        2, 19, 2, 23
    )


def test_columns_count_characters_not_octets() -> None:
    finding = load(with_line("# é日\nac_name: é日😀\nmtu: x"), "site.yaml").findings[0]
    assert finding.place == Place(3, 6, 3, 7)


def test_a_byte_order_mark_and_windows_lines_are_welcome() -> None:
    loaded = load(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode(), "site.yaml")
    assert loaded.findings == ()
    assert loaded.places["version",] == Place(1, 1, 1, 8)


def test_aliases_are_followed_and_reported_where_they_stand() -> None:
    text = with_users("a: {password: &p secret, ip: &i 10.0.0.9}", "b: {password: *p, ip: *i}")
    finding = load(text, "site.yaml").findings[0]
    assert finding.code == "E104"
    assert finding.place == Place(8, 25, 8, 27)
    assert finding.related[0].place == Place(7, 32, 7, 43)


def test_a_yaml_1_2_directive_and_a_document_start_are_welcome() -> None:
    assert codes(f"%YAML 1.2\n---\n{GOOD}...\n") == []


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        (with_line("ac-name: x"), "did you mean `ac_name`?"),
        (with_line("proxy_arp: true"), "`proxy_arp` is a key of `forwarding`"),
        (with_line("password: x"), "`password` is a key of a user"),
        (with_users("pablo: {password: x, mtu: 1}"), "`mtu` is a key at the top of the file"),
        (with_line("forwarding: {ip_forwarding: true}"), "did you mean `ip_forward`?"),
        (with_line("lcp_echo: {zebra: 1}"), "known here: interval, failures"),
        (with_line("forwarding: {ip_forward: yes}"), "write `true`"),
        (with_line("mtu: 01492"), "write 1492"),
        (replacing("10.214.2.101", "10.214.2.90"), "start the pool at 10.214.2.101, or set `pool_size: 10`"),
        (replacing("10.214.2.101", "223.255.255.250"), "set `pool_size` to at most 6"),
    ],
)
def test_the_help_says_how_to_mend_it(text: str, advice: str) -> None:
    assert advice in [finding.help for finding in load(text, "site.yaml").findings]


def test_an_unreadable_item_does_not_shift_the_places_of_the_others() -> None:
    loaded = load(with_line("dns_servers: [!x 8.8.8.8, 127.0.0.1, 1.1.1.1]"), "site.yaml")
    places = [(finding.code, finding.place and finding.place.column) for finding in loaded.findings]
    assert places == [("E107", 15), ("E141", 27)]


def test_every_code_is_documented_in_a_sentence() -> None:
    assert all(text.endswith(".") and len(text) > 20 for text in CATALOGUE.values())
    assert all(re.fullmatch("E1[0-9]{2}|W2[0-9]{2}", code) for code in CATALOGUE)


def test_what_every_user_needs_is_counted_for_the_pool() -> None:
    fixed_inside = (
        with_line("pool_size: 2") + "  pablo: {password: x, ip: 10.214.2.101}\n  yunhan: {password: x}\n"
    )
    assert codes(fixed_inside) == ["W201"]
    assert codes(fixed_inside.replace("yunhan: {", "yunhan: {enabled: false, ")) == []


@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!|>'\"%@#,? \n\t<=1.é\x00\ufeff"), max_size=60))
def test_no_text_raises_and_no_text_is_silently_nothing(text: str) -> None:
    for candidate in (text, GOOD + text, GOOD[:60] + text + GOOD[60:]):
        loaded = load(candidate, "site.yaml")
        assert (loaded.site is None) == any(finding.severity == "error" for finding in loaded.findings)
        assert loaded.site is None or loaded.site.users


@given(st.binary(max_size=60))
def test_no_octets_raise(octets: bytes) -> None:
    assert load(octets, "site.yaml").site is None
    load(GOOD.encode() + octets, "site.yaml")

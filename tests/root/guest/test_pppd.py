"""Debian's pppd dials in: what it is given, what it is refused, and how either side ends it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from reconciler.lab import edits
from reconciler.lab.sandbox import Sandbox
from reconciler.lab.topology import FAR_ADDRESS
from tests.patience import PATIENCE
from tests.root.guest.conftest import SITE
from tests.root.guest.pppd import AUTHENTICATION_FAILED, UNHURRIED, Pppd

pytestmark = [pytest.mark.root, pytest.mark.guest]

Make = Callable[[], Pppd]

SCRYPT_OF_TEST = "$scrypt$ln=14,r=8,p=1$c2FsdHNhbHQ$xj2bTVnlMLlzdBMsxkCiDbs9W+mGAo6fTVoPbMrttUI"


def live(sandbox: Sandbox) -> dict[str, dict[str, object]]:
    """The sessions that are up, by user."""
    return {
        session["user"]: session for session in sandbox.instance.sessions() if session["state"] == "opened"
    }


def test_three_users_at_once_by_pap_and_chap(subscriber: Make, sandbox: Sandbox) -> None:
    lines = {"theo": (subscriber(), "chap"), "pablo": (subscriber(), "pap"), "yunhan": (subscriber(), "chap")}
    for user, (pppd, method) in lines.items():
        pppd.start(user, "test", method)
    for user, (pppd, method) in lines.items():
        dialled = pppd.dialled()
        assert dialled.up, f"{user} did not get in by {method}:\n{dialled.log}"
        assert f"inet {dialled.address} peer 10.214.2.100/32" in dialled.shown
        assert "mtu 1492" in dialled.shown
        assert "primary   DNS address 8.8.8.8" in dialled.log
        assert "secondary DNS address 8.8.4.4" in dialled.log
        assert f"{method.upper()} authentication succeeded" in dialled.log
        session = live(sandbox)[user]
        assert (session["address"], session["mac"]) == (dialled.address, pppd.mac)
    assert {session["address"] for session in live(sandbox).values()} == {
        "10.214.2.101",
        "10.214.2.102",
        "10.214.2.103",
    }
    for pppd, _ in lines.values():
        assert pppd.pings(FAR_ADDRESS) == 5


def test_L2_the_first_configure_request_is_answered_and_repeated_at_once(subscriber: Make) -> None:
    dialled = subscriber().dial("theo", "test", "chap", UNHURRIED)
    assert dialled.up, dialled.log
    requests = dialled.log.count("sent [LCP ConfReq")
    assert requests == 1, f"pppd had to repeat itself:\n{dialled.log}"


def test_A17_left_to_itself_pppd_logs_in_by_mschapv2_and_believes_our_proof(subscriber: Make) -> None:
    pppd = subscriber()
    dialled = pppd.dial("theo", "test", "any")
    assert dialled.up, dialled.log
    assert "<auth chap MS-v2>" in dialled.log
    assert "CHAP authentication succeeded" in dialled.log
    assert pppd.pings(FAR_ADDRESS, 3) == 3


@pytest.mark.parametrize("method", ["pap", "chap", "mschapv2"])
@pytest.mark.parametrize(("user", "password"), [("theo", "wrong"), ("nobody", "test")])
def test_A5_A17_a_wrong_login_is_refused(subscriber: Make, user: str, password: str, method: str) -> None:
    dialled = subscriber().dial(user, password, method)
    assert dialled.status == AUTHENTICATION_FAILED, dialled.log
    assert f"{'PAP' if method == 'pap' else 'CHAP'} authentication failed" in dialled.log


@pytest.mark.parametrize(
    ("method", "secret"),
    [
        ("mschapv2", "nt_hash: 0cb6948805f797bf2a82807973b89537"),
        ("pap", "nt_hash: 0cb6948805f797bf2a82807973b89537"),
        ("pap", f"password_hash: '{SCRYPT_OF_TEST}'"),
    ],
)
def test_A2_A17_pppd_logs_in_where_the_site_has_but_a_hash(
    subscriber: Make, sandbox: Sandbox, method: str, secret: str
) -> None:
    site = SITE.replace("theo: test", f"theo: {{{secret}}}") + f"auth: [{method}]\n"
    sandbox.instance.save(site)
    sandbox.instance.wait_in_force(site)
    dialled = subscriber().dial("theo", "test", method)
    assert dialled.up, dialled.log
    refused = subscriber().dial("theo", "guess", method)
    assert refused.status == AUTHENTICATION_FAILED, refused.log


def test_A18_pppd_logs_in_by_mschapv1_where_the_site_names_it(subscriber: Make, sandbox: Sandbox) -> None:
    site = SITE + "auth: [mschap]\n"
    sandbox.instance.save(site)
    sandbox.instance.wait_in_force(site)
    dialled = subscriber().dial("theo", "test", "mschap")
    assert dialled.up, dialled.log


def test_a_revoked_user_is_told_and_nobody_else(subscriber: Make, sandbox: Sandbox) -> None:
    theo, pablo = subscriber(), subscriber()
    assert theo.dial("theo", "test").up
    assert pablo.dial("pablo", "test", "pap").up
    before = live(sandbox)["theo"]

    sandbox.instance.save(edits.remove_user(SITE, "pablo"))

    assert "LCP terminated by peer" in pablo.ended()
    after = live(sandbox)
    assert list(after) == ["theo"]
    assert [after["theo"][key] for key in ("id", "address", "since")] == [
        before[key] for key in ("id", "address", "since")
    ]
    assert theo.pings(FAR_ADDRESS, 3) == 3
    refused = pablo.dial("pablo", "test", "pap")
    assert refused.status == AUTHENTICATION_FAILED, refused.log


def test_D35_L25_hanging_up_frees_the_session_and_the_next_call_gets_the_same_address(
    subscriber: Make, sandbox: Sandbox
) -> None:
    pppd = subscriber()
    first = pppd.dial("theo", "test")
    assert first.up, first.log
    pppd.hang_up()
    sandbox.instance.wait_for(
        lambda status: status["sessions"]["live"] == 0, "the session being freed", PATIENCE
    )
    second = pppd.dial("theo", "test")
    assert second.up, second.log
    assert second.address == first.address

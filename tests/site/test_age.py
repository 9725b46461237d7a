"""Encrypted passwords: read as age writes them, good for the user they were made for, and shown nowhere."""

from __future__ import annotations

import textwrap

import pyrage
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.site import age
from reconciler.site.load import load
from reconciler.site.report import as_text
from reconciler.site.secrets import Resolved, Secret, UserSecret, resolve
from reconciler.site.values import UnfitError
from tests.site.samples import with_users

KEY = pyrage.x25519.Identity.generate()
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=1, max_size=20)


def no_file(path: str) -> bytes:
    raise FileNotFoundError(path)


def unseal(octets: bytes) -> bytes:
    try:
        return pyrage.decrypt(octets, [KEY])
    except pyrage.DecryptError:
        raise UnfitError("E153", "for somebody else") from None


def encrypted(content: bytes, *, armored: bool = False) -> bytes:
    return pyrage.encrypt(content, [KEY.to_public()], armored)


def resolved(*users: str) -> Resolved:
    loaded = load(with_users(*users), "site.yaml")
    assert loaded.site is not None, as_text(loaded.findings, loaded.source)
    return resolve(loaded.site, no_file, lambda _: None, loaded.places, unseal)


def user(name: str, content: bytes) -> str:
    return f"{name}: {{password_age: {age.written(encrypted(content))}}}"


@given(NAMES, NAMES)
def test_a_password_is_its_users_and_no_others(name: str, password: str) -> None:
    content = age.bound(name, password)
    assert age.password_of(name, content) == password
    for other in (f"{name}x", name[:-1], f"{name}\n{password}"):
        with pytest.raises(UnfitError) as caught:
            age.password_of(other, content)
        assert caught.value.code == "E154"


def test_it_is_a_password_like_any_other() -> None:
    assert resolved(user("pablo", b"pablo\nhunter2")).secrets["pablo"] == UserSecret(
        "password", Secret("hunter2")
    )


@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_it_can_be_made_by_hand(end: bytes) -> None:
    assert resolved(user("pablo", b"pablo\nhunter2" + end)).secrets["pablo"].secret.reveal() == "hunter2"


def test_the_block_that_age_writes_serves_too() -> None:
    block = textwrap.indent(encrypted(b"pablo\nhunter2", armored=True).decode(), "      ")
    found = resolved("pablo:\n    password_age: |\n" + block.rstrip())
    assert found.secrets["pablo"].secret.reveal() == "hunter2"


@given(st.binary(max_size=200))
def test_a_value_that_was_read_is_written_alike(rest: bytes) -> None:
    octets = b"age-encryption.org/v1\n" + rest
    text = age.written(octets)
    assert "=" not in text
    assert age.sealed(text) == age.sealed(f" {text[:9]}\n {text[9:]}==") == text
    assert age.octets(text) == octets


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"theo\nhunter2", "E154"),
        (b"hunter2", "E154"),
        (b"\nhunter2", "E154"),
        (b"pablo\n", "E152"),
        (b"pablo\nhunter2\nhunter3", "E152"),
        (b"pablo\nhunter2\xff", "E152"),
        (b"pablo\n" + b"hunter2" * 50, "E152"),
    ],
)
def test_what_is_not_this_users_password_is_a_finding_at_its_key(content: bytes, code: str) -> None:
    found = resolved(user("pablo", content))
    (finding,) = found.findings
    assert finding.place is not None
    assert (finding.code, finding.place.line, finding.place.column) == (code, 7, 11)
    assert "hunter" not in repr(finding)
    assert found.secrets.keys() == {"theo"}


def test_what_is_for_another_key_is_a_finding() -> None:
    other = pyrage.x25519.Identity.generate().to_public()
    value = age.written(pyrage.encrypt(b"pablo\nhunter2", [other]))
    (finding,) = resolved(f"pablo: {{password_age: {value}}}").findings
    assert finding.code == "E153"


def test_without_a_key_the_site_is_read_and_only_the_password_is_not() -> None:
    loaded = load(with_users(user("pablo", b"pablo\nhunter2")), "site.yaml")
    assert loaded.findings == ()
    assert loaded.site is not None
    (finding,) = resolve(loaded.site, no_file, lambda _: None, loaded.places).findings
    assert (finding.code, "no key" in finding.message) == ("E153", True)


def test_a_recipient_with_a_slip_is_no_recipient() -> None:
    good = str(KEY.to_public())
    assert age.recipient(f" {good} ") == good
    for bad in (good[:-1] + ("q" if good[-1] != "q" else "p"), good[:-1], str(KEY), "", "ssh-ed25519 AAAA"):
        with pytest.raises(UnfitError, match="not a recipient") as caught:
            age.recipient(bad)
        assert caught.value.code == "E139"

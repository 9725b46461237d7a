"""Passwords never show themselves, wherever they come from and whatever goes wrong."""

from __future__ import annotations

import copy
import json
import pickle

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from reconciler.site.codes import CATALOGUE
from reconciler.site.load import load
from reconciler.site.place import Place
from reconciler.site.report import as_github, as_json, as_text
from reconciler.site.secrets import Resolved, Secret, UserSecret, fingerprint, resolve
from reconciler.site.shape import KEYWORDS
from tests.site.samples import NT, SCRYPT, with_users

KEY = b"k" * 32


def no_file(path: str) -> bytes:
    raise FileNotFoundError(2, "No such file or directory", path)


def resolved(user: str, content: bytes | None = None, variables: dict[str, str] | None = None) -> Resolved:
    loaded = load(with_users(f"pablo: {user}"), "site.yaml")
    assert loaded.site is not None
    read = no_file if content is None else lambda _: content
    return resolve(loaded.site, read, (variables or {}).get, loaded.places)


def password(text: str) -> UserSecret:
    return UserSecret("password", Secret(text))


def test_a_secret_shows_itself_nowhere() -> None:
    secret = Secret("hunter2")
    for shown in (str(secret), repr(secret), f"{secret}", f"{secret:>20}", "%s" % secret, repr([secret])):  # noqa: UP031
        assert "hunter2" not in shown
    assert secret.reveal() == "hunter2"


def test_secrets_compare_by_their_text() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a"), Secret("b")}) == 2
    assert copy.deepcopy(Secret("a")) == pickle.loads(pickle.dumps(Secret("a"))) == Secret("a")


def test_a_model_shows_no_secret() -> None:
    site = load(with_users("pablo: hunter2"), "site.yaml").site
    assert site is not None
    for shown in (repr(site), str(site), site.model_dump_json(), repr(site.model_dump())):
        assert "hunter2" not in shown


def test_a_fingerprint_depends_on_the_secret_and_on_the_key() -> None:
    prints = {fingerprint(key, password(text)) for key in (KEY, b"other") for text in ("a", "b")}
    assert len(prints) == 4
    assert fingerprint(KEY, password("a")) == fingerprint(KEY, password("a"))
    assert len(fingerprint(KEY, password("a"))) == 16
    assert fingerprint(KEY, password("a")) != fingerprint(KEY, UserSecret("nt_hash", Secret("a")))


def test_passwords_come_from_the_file_a_file_or_the_environment() -> None:
    assert resolved("hunter2").secrets["pablo"] == password("hunter2")
    assert resolved("{password_file: p}", b"hunter2\n").secrets["pablo"] == password("hunter2")
    assert resolved("{password_env: P}", variables={"P": "hunter2"}).secrets["pablo"] == password("hunter2")
    assert resolved("hunter2").secrets["theo"] == password("test")


@pytest.mark.parametrize(
    ("content", "text"),
    [(b"a", "a"), (b"a\n", "a"), (b"a\r\n", "a"), (b" a ", " a "), ("é".encode(), "é")],
)
def test_one_newline_at_a_files_end_is_not_the_passwords(content: bytes, text: str) -> None:
    assert resolved("{password_file: p}", content).secrets["pablo"] == password(text)


def test_a_hash_is_what_is_known_of_the_password() -> None:
    assert resolved(f"{{nt_hash: {NT.upper()}}}").secrets["pablo"] == UserSecret("nt_hash", Secret(NT))
    assert resolved(f"{{password_hash: '{SCRYPT}'}}").secrets["pablo"] == UserSecret("scrypt", Secret(SCRYPT))


FLAWS = [
    ("E150", "{password_file: p}", None, {}),
    ("E151", "{password_env: P}", None, {}),
    ("E152", "{password_file: p}", b"", {}),
    ("E152", "{password_file: p}", b"\n", {}),
    ("E152", "{password_file: p}", b"hunter2\nhunter3\n", {}),
    ("E152", "{password_file: p}", b"hunter2\xff", {}),
    ("E152", "{password_file: p}", b"hunter2" * 100, {}),
    ("E152", "{password_env: P}", None, {"P": ""}),
    ("E152", "{password_env: P}", None, {"P": "hunter2\udcff"}),
]


@pytest.mark.parametrize(("code", "user", "content", "variables"), FLAWS)
def test_what_cannot_be_had_is_a_finding_at_its_key(
    code: str, user: str, content: bytes | None, variables: dict[str, str]
) -> None:
    result = resolved(user, content, variables)
    (finding,) = result.findings
    assert finding.code == code
    assert finding.code in CATALOGUE
    assert finding.place is not None
    assert finding.place[:2] == Place(7, 11, 7, 0)[:2]
    assert "hunter" not in repr(finding)
    assert result.secrets.keys() == {"theo"}


def test_a_finding_says_which_file_and_why() -> None:
    (finding,) = resolved("{password_file: secrets/p}").findings
    assert finding.message == "password of user pablo: secrets/p cannot be read: No such file or directory"


# Random secrets, written in every way that YAML has, in files that are right and wrong.

SECRETS = st.text(
    st.characters(codec="utf-8", exclude_categories=["C", "Zl", "Zp"]), min_size=6, max_size=20
).filter(lambda text: text.strip() == text and len(set(text)) > 4)

WRITTEN = (
    lambda text: json.dumps(text, ensure_ascii=False),
    lambda text: "'" + text.replace("'", "''") + "'",
    lambda text: f"|-\n      {text}",
    lambda text: text,
    lambda text: '"' + text,
    lambda text: f"{text}: {text}",
    lambda text: f"!{text}",
    lambda text: f"&{text} x",
    lambda text: f"*{text}",
    lambda text: f"[{text}]",
    lambda text: f"{{x: {text}",
    lambda text: f"#{text}",
)

FRAMES = (
    "  pablo: {}\n",
    "  pablo:\n    password: {}\n    ip: 10.214.2.100\n    ip: 10.0.0.1\n",
    "  pablo:\n    pasword: {}\n    enabled: yes\n",
    "  theo: {}\n  theo: {}\n",
    "  pablo: {}\n <<<<<<< x\n",
    "  pablo:\n    password: {}\n   ip: 1\n",
    "  pablo:\n    password:\n    - {}\nmtu: 1\n---\n",
    "user:\n  pablo: {}\n  yunhan: {}\n",
)


@settings(max_examples=400)
@given(SECRETS, st.sampled_from(WRITTEN), st.sampled_from(FRAMES))
@example("#hunter2", WRITTEN[3], FRAMES[0])
@example("!hunter2", WRITTEN[3], FRAMES[0])
@example("*hunter2", WRITTEN[3], FRAMES[1])
@example("{hunter2", WRITTEN[3], FRAMES[0])
@example("{hunter2: {x", WRITTEN[3], FRAMES[0])
@example("hunter2: x", WRITTEN[3], FRAMES[2])
def test_no_secret_is_in_any_finding_however_the_file_is_wrong(
    secret: str, written: object, frame: str
) -> None:
    assert callable(written)
    # What is shown whatever the secret: it may coincide with a word of it.
    harmless = [
        page for other in ("Q", "Ж", "'Q'") for page in everything_shown(frame.replace("{}", written(other)))
    ]
    assume(not any(secret in page for page in (*harmless, *KEYWORDS)))
    for page in everything_shown(frame.replace("{}", written(secret))):
        assert secret not in page


def everything_shown(users: str) -> list[str]:
    text = with_users().removesuffix("  theo: test\n") + users
    loaded = load(text, "site.yaml")
    excerpts = (loaded.source.excerpt(number) for number in range(text.count("\n") + 2))
    return [
        as_text(loaded.findings, loaded.source),
        json.dumps(as_json(loaded.findings, "site.yaml"), ensure_ascii=False),
        as_github(loaded.findings, "site.yaml"),
        repr(loaded),
        repr(loaded.source),
        *("".join(excerpt.pieces) for excerpt in excerpts if excerpt is not None),
    ]

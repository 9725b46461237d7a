"""Whose login it is, what it takes to find out, and what is remembered of it."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from reconciler.engine.access.config import User
from reconciler.engine.access.reasons import Refusal
from reconciler.engine.access.secret import NtHash, Password, Scrypt, Secret
from reconciler.engine.access.users import Proven, Question, Users
from reconciler.engine.ppp.link import ChapCredentials, Credentials, MsChapV2Credentials, PapCredentials
from tests import peer_mschap

CHALLENGE = bytes(16)


def scrypt(password: bytes, salt: bytes = b"salt") -> Scrypt:
    return Scrypt(2, 1, 1, salt, hashlib.scrypt(password, salt=salt, n=2, r=1, p=1, dklen=32))


def users(**secrets: Secret) -> Users:
    known = Users(b"key")
    for name, secret in secrets.items():
        known.put(User(name.encode(), secret))
    return known


def pap(name: str, password: bytes) -> PapCredentials:
    return PapCredentials(name.encode(), password)


def chap(name: str, password: bytes) -> ChapCredentials:
    digest = hashlib.md5(b"\1" + password + CHALLENGE).digest()
    return ChapCredentials(name.encode(), 1, CHALLENGE, digest)


def mschap_v2(name: str, password: bytes) -> MsChapV2Credentials:
    value = peer_mschap.response_v2(CHALLENGE, CHALLENGE, name.encode(), peer_mschap.nt_hash(password))
    return MsChapV2Credentials(name.encode(), CHALLENGE, CHALLENGE, value[24:48])


def settle(known: Users, credentials: Credentials) -> Proven | Refusal:
    """Check, and answer the question if there is one."""
    verdict = known.check(credentials)
    return known.conclude(verdict, verdict.answer()) if isinstance(verdict, Question) else verdict


def name_of(verdict: Proven | Refusal | Question) -> bytes:
    assert isinstance(verdict, Proven), verdict
    return verdict.user.name


# What each secret serves


@pytest.mark.parametrize("credentials", [pap, mschap_v2])
def test_an_nt_hash_serves_pap_and_mschap(credentials: type[PapCredentials]) -> None:
    known = users(theo=NtHash(peer_mschap.nt_hash(b"test")))
    assert name_of(known.check(credentials("theo", b"test"))) == b"theo"  # type: ignore[arg-type]
    assert known.check(credentials("theo", b"other")) is Refusal.WRONG_PASSWORD  # type: ignore[arg-type]


@pytest.mark.parametrize("password", [b"test", b"other"])
def test_no_challenge_can_be_held_against_a_hash_that_does_not_serve_it(password: bytes) -> None:
    known = users(theo=NtHash(peer_mschap.nt_hash(b"test")), pablo=scrypt(b"test"))
    assert known.check(chap("theo", password)) is Refusal.METHOD_UNSERVED
    assert known.check(chap("pablo", password)) is Refusal.METHOD_UNSERVED
    assert known.check(mschap_v2("pablo", password)) is Refusal.METHOD_UNSERVED


def test_a_scrypt_hash_serves_pap() -> None:
    known = users(theo=scrypt(b"test"))
    assert name_of(settle(known, pap("theo", b"test"))) == b"theo"
    assert settle(known, pap("theo", b"other")) is Refusal.WRONG_PASSWORD


def test_A8_an_empty_name_or_password_is_nobodys() -> None:
    known = users(theo=Password(b""), pablo=scrypt(b""), yunhan=NtHash(peer_mschap.nt_hash(b"test")))
    assert known.check(chap("theo", b"")) is Refusal.WRONG_PASSWORD
    assert known.check(mschap_v2("theo", b"")) is Refusal.WRONG_PASSWORD
    for name in ("theo", "pablo", "yunhan"):
        assert settle(known, pap(name, b"")) is Refusal.WRONG_PASSWORD
    assert settle(known, pap("", b"")) is settle(known, pap("", b"test")) is Refusal.UNKNOWN_USER
    with pytest.raises(ValueError, match="no hash"):
        NtHash(peer_mschap.nt_hash(b""))


@pytest.mark.parametrize(
    "name", [b"x" * 255, b"a\0b", b"\xff\xfe", b"a\r\nb", b"\x1b[2J", b"user@realm", b"ppp/1.2.3.4@X"]
)
def test_A8_names_are_octets_and_none_is_cut(name: bytes) -> None:
    known = Users(b"key")
    known.put(User(name, Password(name)))
    assert name_of(known.check(PapCredentials(name, name))) == name
    assert known.check(PapCredentials(name[:-1], name)) is Refusal.UNKNOWN_USER
    assert known.check(PapCredentials(name, name[:-1])) is Refusal.WRONG_PASSWORD


@pytest.mark.parametrize("n", [0, 1, 3, 1 << 30])
def test_a_hash_that_cannot_be_checked_is_none(n: int) -> None:
    with pytest.raises(ValueError, match="parameters"):
        Scrypt(n, 8, 1, b"", b"k" * 32)


# The time it takes tells nothing


def test_A5_where_one_password_is_hashed_every_pap_login_that_fails_takes_as_long() -> None:
    known = users(theo=scrypt(b"test"), pablo=Password(b"test"))
    known.put(User(b"yunhan", Password(b"test"), enabled=False))
    for name, password, refusal in [
        ("theo", b"other", Refusal.WRONG_PASSWORD),
        ("pablo", b"other", Refusal.WRONG_PASSWORD),
        ("nobody", b"test", Refusal.UNKNOWN_USER),
        ("yunhan", b"test", Refusal.USER_DISABLED),
    ]:
        question = known.check(pap(name, password))
        assert isinstance(question, Question), name
        assert known.conclude(question, question.answer()) is refusal


def test_A5_the_hash_that_a_stranger_is_held_against_lets_nobody_in() -> None:
    known = users(theo=scrypt(b"test"), pablo=Password(b"other"))
    for name in ("nobody", "pablo"):
        question = known.check(pap(name, b"test"))
        assert isinstance(question, Question)
        assert question.answer(), "it is theo's password after all"
        assert isinstance(known.conclude(question, True), Refusal)
        assert isinstance(known.check(pap(name, b"test")), Question), "and nothing is remembered"


def test_where_no_password_is_hashed_nothing_takes_long() -> None:
    known = users(theo=scrypt(b"test"), pablo=Password(b"test"))
    known.remove(b"theo")
    assert known.check(pap("pablo", b"other")) is Refusal.WRONG_PASSWORD
    assert known.check(pap("nobody", b"other")) is Refusal.UNKNOWN_USER


# What is remembered


def test_a_good_login_is_remembered_and_a_bad_one_is_not() -> None:
    known = users(theo=scrypt(b"test"))
    settle(known, pap("theo", b"test"))
    assert name_of(known.check(pap("theo", b"test"))) == b"theo"
    settle(known, pap("theo", b"other"))
    assert isinstance(known.check(pap("theo", b"other")), Question)
    assert name_of(known.check(pap("theo", b"test"))) == b"theo"


def test_nothing_is_remembered_of_a_user_who_is_gone_or_has_another_secret() -> None:
    known = users(theo=scrypt(b"test"))
    settle(known, pap("theo", b"test"))
    known.put(User(b"theo", scrypt(b"test", b"other salt")))
    assert isinstance(known.check(pap("theo", b"test")), Question)
    settle(known, pap("theo", b"test"))
    known.remove(b"theo")
    known.put(User(b"theo", scrypt(b"test", b"other salt")))
    assert isinstance(known.check(pap("theo", b"test")), Question)


def test_what_is_remembered_outlives_a_change_of_anything_else() -> None:
    known = users(theo=scrypt(b"test"))
    settle(known, pap("theo", b"test"))
    known.put(replace(User(b"theo", scrypt(b"test")), sessions=2))
    verdict = known.check(pap("theo", b"test"))
    assert isinstance(verdict, Proven)
    assert verdict.user.sessions == 2
    known.put(User(b"theo", scrypt(b"test"), enabled=False))
    assert known.check(pap("theo", b"test")) is Refusal.USER_DISABLED


def test_an_answer_about_a_secret_of_before_lets_nobody_in() -> None:
    known = users(theo=scrypt(b"test"))
    question = known.check(pap("theo", b"test"))
    assert isinstance(question, Question)
    known.put(User(b"theo", scrypt(b"changed")))
    assert known.conclude(question, True) is Refusal.WRONG_PASSWORD
    known.remove(b"theo")
    assert known.conclude(question, True) is Refusal.WRONG_PASSWORD


def test_no_secret_is_shown() -> None:
    known = users(theo=scrypt(b"sesame"), pablo=Password(b"sesame"), yunhan=NtHash(b"sesame".ljust(16)))
    question = known.check(pap("theo", b"sesame"))
    shown = repr([*known, *(user.secret for user in known), question])
    assert "sesame" not in shown
    assert "salt" not in shown.replace("salt=", "")

"""A site that offers what its users cannot do is told so, and not by the users."""

from __future__ import annotations

from collections.abc import Iterable
from typing import get_args

import pytest

from reconciler.engine.messages import AuthMethod
from reconciler.site.diagnostic import Diagnostic
from reconciler.site.load import load
from reconciler.site.model import Site
from reconciler.site.secrets import SERVES
from tests.site.samples import GOOD, NT, SCRYPT

USERS = {"scrypt": f"{{password_hash: '{SCRYPT}'}}", "nt_hash": f"{{nt_hash: {NT}}}", "password": "test"}


def findings(auth: Iterable[str] | None, *kinds: str) -> tuple[Diagnostic, ...]:
    """What is found in a site that offers these methods to theo, who has a password, and to one user for each
    kind of secret.
    """
    text = GOOD + "".join(f"  user{number}: {USERS[kind]}\n" for number, kind in enumerate(kinds))
    return load(text + (f"auth: [{', '.join(auth)}]\n" if auth is not None else ""), "site.yaml").findings


@pytest.mark.parametrize(
    ("auth", "kind"),
    [
        (None, "password"),
        (["chap"], "password"),
        (["pap"], "scrypt"),
        (["pap", "chap"], "scrypt"),
        (None, "nt_hash"),
        (["pap", "chap", "mschapv2"], "nt_hash"),
        (["mschap"], "nt_hash"),
    ],
)
def test_who_can_log_in_by_the_first_method_is_not_spoken_of(auth: list[str] | None, kind: str) -> None:
    assert findings(auth, kind) == ()


@pytest.mark.parametrize(
    ("auth", "kind"),
    [(["chap"], "scrypt"), (["mschapv2", "mschap", "chap"], "scrypt"), (["chap"], "nt_hash")],
)
def test_a_user_who_can_log_in_by_no_method_is_an_error(auth: list[str], kind: str) -> None:
    (error,) = findings(auth, kind)
    assert (error.code, error.severity) == ("E145", "error")
    assert "user0" in error.message
    assert "`pap`" in error.help


def test_each_such_user_is_named() -> None:
    found = findings(["chap"], "scrypt", "nt_hash", "password", "scrypt")
    assert [error.message.split()[1] for error in found] == ["user0", "user1", "user3"]


def test_users_who_would_fail_by_what_is_offered_first_are_warned_of_once_for_each_kind() -> None:
    scrypt, nt_hash = findings(["chap", "mschapv2", "pap"], "scrypt", "scrypt", "nt_hash")
    if "2 users" not in scrypt.message:
        scrypt, nt_hash = nt_hash, scrypt
    assert scrypt.message == "2 users cannot log in by `chap` and `mschapv2`, offered before `pap`"
    assert scrypt.help == "set `auth: [pap]`"
    assert nt_hash.message == "user user2 cannot log in by `chap`, offered before `mschapv2`"
    assert nt_hash.help == "set `auth: [mschapv2, pap]`"
    assert {scrypt.code, nt_hash.code} == {"W204"}


def test_the_usual_order_serves_no_scrypt_hash() -> None:
    (warning,) = findings(None, "scrypt")
    assert warning.message == "user user0 cannot log in by `mschapv2` and `chap`, offered before `pap`"


def test_methods_that_cannot_be_read_are_not_guessed_at() -> None:
    assert [finding.code for finding in findings(["eap"], "scrypt")] == ["E128"]
    assert [finding.code for finding in findings([], "scrypt")] == ["E131"]


def test_a_password_serves_every_method_there_is() -> None:
    assert SERVES["password"] == frozenset(get_args(AuthMethod))
    assert set(Site.model_fields["auth"].default) < SERVES["password"]

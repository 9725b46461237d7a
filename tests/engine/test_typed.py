"""Requests on the command socket are checked against the types that the protocol declares."""

from __future__ import annotations

from typing import Any

import pytest

from reconciler.engine import requests
from reconciler.engine.typed import fits

USER: dict[str, Any] = {
    "name": "theo",
    "secret": {"kind": "password", "text": "test"},
    "address": None,
    "enabled": True,
    "sessions": 1,
    "fingerprint": "f",
}


SCRYPT = {"kind": "scrypt", "n": 2, "r": 1, "p": 1, "salt": "", "key": "00"}


def changed(**values: Any) -> dict[str, Any]:
    return {**USER, **values}


def users(*put: object) -> dict[str, Any]:
    return {"generation": 1, "put": list(put), "remove": []}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (users(USER, changed(address="10.0.0.1", on_disable="drain")), requests.ChangeUsers),
        (users(changed(on_password_change="terminate")), requests.ChangeUsers),
        (users(changed(secret={"kind": "nt_hash", "hash": "00"})), requests.ChangeUsers),
        (users(changed(secret=SCRYPT)), requests.ChangeUsers),
        ({"generation": 1, "settings": {}}, requests.Configure),
        ({"generation": 1, "settings": {"mtu": 1400, "auth": ["pap"], "pools": []}}, requests.Configure),
        ({"sessions": [{"interface": "eth0", "mac": "02", "id": 7}], "reason": "x"}, requests.Terminate),
        ({}, requests.Bare),
    ],
)
def test_what_the_protocol_says_fits(value: object, kind: object) -> None:
    assert fits(value, kind)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "users",
        {"generation": 1, "put": []},
        {"generation": 1.0, "put": [], "remove": []},
        {"generation": True, "put": [], "remove": []},
        {"generation": 1, "put": {}, "remove": []},
        {"generation": 1, "put": [], "remove": [], "more": 1},
        users(None),
        users(changed(name=7)),
        users(changed(sessions="1")),
        users(changed(sessions=float("inf"))),
        users(changed(enabled=1)),
        users(changed(address=b"")),
        users(changed(on_disable="explode")),
        users(changed(on_disable=["drain"])),
        users(changed(on_password_change="drain")),
        users(changed(secret="test")),
        users(changed(secret={"kind": "nt_hash", "text": "test"})),
        users(changed(secret={**SCRYPT, "n": "2"})),
        users({key: value for key, value in USER.items() if key != "secret"}),
    ],
)
def test_anything_else_does_not(value: object) -> None:
    assert not fits(value, requests.ChangeUsers)

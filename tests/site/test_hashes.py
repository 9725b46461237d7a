"""Hashes of passwords as tools write them."""

from __future__ import annotations

import hashlib

import pytest

from reconciler.site.hashes import Scrypt, nt_hash, scrypt
from reconciler.site.values import UnfitError

PASSWORD = b"open sesame"
CRYPT = {
    "$7$CU..../....aSaltOfSome$YaO.m9dN4nR7COyV4aSWvIQxrJCJVUZwDDk89g8.ki6": (1 << 14, 32, 1),
    "$7$A6..../....NaCl$5d0zGvP9pjq5UwiOY9QnfPbNSUlknoaNJAvRbS3Pcc4": (1 << 12, 8, 1),
    "$7$9/..../....xyz$XUvoI9sNl3Et5Y7CQeEchfJepAprehQGdTi5xobXIZ2": (1 << 11, 1, 1),
}
"""Made of the password by crypt(3) of libxcrypt 4.4."""
PHC = "$scrypt$ln=12,r=8,p=1$TmFDbA$Ryr80r4t9WsfIO9q5MLN63ZmHhjDM21mFbN3p1dsKGo"


def of(password: bytes, made: Scrypt) -> bytes:
    return hashlib.scrypt(
        password, salt=made.salt, n=made.n, r=made.r, p=made.p, maxmem=1 << 30, dklen=len(made.key)
    )


@pytest.mark.parametrize("text", [*CRYPT, PHC])
def test_a_hash_is_read_so_that_its_password_is_found(text: str) -> None:
    made = scrypt(text)
    assert of(PASSWORD, made) == made.key
    assert (made.n, made.r, made.p) == CRYPT.get(text, (1 << 12, 8, 1))


def test_both_spellings_are_one_value() -> None:
    spelt, *_ = (text for text in CRYPT if "NaCl" in text)
    assert str(scrypt(spelt)) == str(scrypt(PHC)) == PHC
    assert scrypt(spelt) == scrypt(PHC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "open sesame",
        "$6$salt$hash",
        "$y$j9T$salt$hash",
        "$argon2id$v=19$m=65536,t=3,p=4$c2FsdA$aGFzaA",
        PHC[:-1],
        PHC + "AA",
        PHC + "\n",
        PHC.replace("ln=12", "ln=0"),
        PHC.replace("r=8", "r=0"),
        PHC.replace("p=1", "p=0"),
        PHC.replace("ln=12", "ln=18"),
        PHC.replace("p=1", "p=999999999"),
        PHC.rpartition("$")[0] + "$c2hvcnQ",
        "$7$A6..../....NaCl$5d0zGvP9pjq5UwiOY9QnfPbNSUlknoaNJAvRbS3Pcc",
        "$7$",
    ],
)
def test_what_is_no_hash_or_takes_too_long_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(UnfitError) as refused:
        scrypt(text)
    assert refused.value.code == "E135"
    assert text not in refused.value.message or not text


def test_a_hash_does_not_show_itself() -> None:
    assert "NaCl" not in repr(scrypt(PHC))


def test_an_nt_hash_is_its_digits() -> None:
    assert nt_hash("44EBBA8D5312B8D611474411F56989AE") == "44ebba8d5312b8d611474411f56989ae"


@pytest.mark.parametrize("text", ["", "44ebba8d", "g" * 32, "31D6CFE0D16AE931B73C59D7E0C089C0"])
def test_what_is_no_nt_hash_of_a_password_is_refused(text: str) -> None:
    with pytest.raises(UnfitError) as refused:
        nt_hash(text)
    assert refused.value.code == "E136"

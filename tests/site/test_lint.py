"""Passwords in plain text: a note to whoever validates, an error where somebody denies them."""

from __future__ import annotations

import pytest

from reconciler.site.codes import CATALOGUE, DENIABLE, NOTES
from reconciler.site.diagnostic import Diagnostic
from reconciler.site.edit import set_sealed
from reconciler.site.lint import judged
from reconciler.site.load import load
from reconciler.site.report import as_github, as_json, as_text, summary
from tests.generate import ROOT
from tests.site.samples import AGE, GOOD, NT, with_line, with_users

DENYING = with_line("deny_warnings: [W205]")


def test_it_is_a_note_and_no_finding() -> None:
    loaded = load(with_users("pablo: {password: x}"), "site.yaml")
    assert loaded.findings == ()
    (note,) = loaded.notes
    assert (note.code, note.severity) == ("W205", "note")
    assert note.message == "the password of theo stands here as plain text, and those of 1 more"
    shown = as_text(loaded.notes, loaded.source)
    assert "note[W205]" in shown
    assert "site.yaml: 1 note" in shown
    assert as_json(loaded.notes, "site.yaml")[0]["severity"] == "note"
    assert as_github(loaded.notes, "site.yaml").startswith("::notice file=site.yaml,")


@pytest.mark.parametrize(
    "other", [f"nt_hash: {NT}", "password_file: p", "password_env: P", f"password_age: {AGE}"]
)
def test_whoever_keeps_passwords_elsewhere_hears_nothing(other: str) -> None:
    assert load(GOOD.replace("theo: test", f"theo: {{{other}}}"), "site.yaml").notes == ()


def test_the_file_can_deny_it_and_then_nobody_uses_it() -> None:
    loaded = load(DENYING, "site.yaml")
    assert loaded.site is None
    (error,) = loaded.findings
    assert (error.code, error.severity, error.denied) == ("W205", "error", True)
    assert summary(loaded.findings, "site.yaml") == "site.yaml: 1 error"
    assert load(DENYING, "site.yaml", denying=False).site is not None


@pytest.mark.parametrize("codes", ["[W203]", "[all]", "[W203, W201]"])
def test_any_warning_can_be_denied(codes: str) -> None:
    text = with_line(f"deny_warnings: {codes}").replace("theo: test", "theo: {password: x, ip: 10.0.0.0}")
    found = {finding.code: finding.severity for finding in load(text, "site.yaml").findings}
    assert found["W203"] == "error"


def test_what_is_not_denied_stays_a_warning() -> None:
    warning, note = Diagnostic("W203", "", None), Diagnostic("W205", "", None)
    assert [found.severity for found in judged([warning], [note], ["W205"])] == ["warning", "error"]
    assert judged([warning], [note], ["W201"]) == [warning]


def test_a_file_that_denies_it_can_be_mended_user_by_user() -> None:
    text = (DENYING + "  pablo: test\n").encode()
    once = set_sealed(text, {"theo": AGE}, file="site.yaml")
    assert load(once.content, "site.yaml").site is None
    other = AGE + "IQ"
    twice = set_sealed(once.content, {"pablo": other}, file="site.yaml")
    assert load(twice.content, "site.yaml").site is not None


def test_the_example_gives_a_note_and_no_more() -> None:
    loaded = load((ROOT / "examples" / "site.yaml").read_bytes(), "site.yaml")
    assert loaded.findings == ()
    assert [note.code for note in loaded.notes] == ["W205"]


def test_only_warnings_can_be_denied() -> None:
    assert set(DENIABLE) >= NOTES
    assert set(DENIABLE) == {"all", *(code for code in CATALOGUE if code[0] == "W")}

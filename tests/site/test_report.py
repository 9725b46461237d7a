"""Findings as they are shown: carets under the exact range, and nothing else moved."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from reconciler.site.diagnostic import Diagnostic
from reconciler.site.load import load
from reconciler.site.place import Place
from reconciler.site.report import as_github, as_json, as_text, summary
from tests.golden import assert_golden
from tests.site.samples import GOOD, with_line, with_users

GOLDEN = Path(__file__).parent / "golden"

MANY = """\
version: 1
interface: [eth0, eth0]   # the uplink
ac-name: SERVER
ip_forward: true
local_ip: 10.214.2.100
pool_start: 10.214.2.90
pool_size: 20
dns_servers: [8.8.8.8, 8.8.4.4, 1.1.1.1]
mtu: 9000
forwarding: {ip_forward: yes, proxy_arp: }
auth: [chapp]
users:
  theo: test
  yunhan:
    password: se"cret
    ip: 10.214.2.110
    enabled: on
  pablo:
    pasword: hunter2
    password_file: secrets/pablo
    password_env: PABLO
  nö日本: {password: hunter2, ip: 10.214.2.110, sessions: 2}   # my friend
  a: #hunter2
  b: !hunter2
  c: *hunter2
  theo: hunter2
  d: {password hunter2}
  e: {password: '', ip: 10.214.2.100}
"""


def shown(text: str, *, colour: bool = False) -> str:
    loaded = load(text, "site.yaml")
    return as_text(loaded.findings, loaded.source, colour=colour)


def caret(text: str) -> tuple[str, str]:
    """The source line and the mark below it of the only finding."""
    lines = shown(text).splitlines()
    at = next(number for number, line in enumerate(lines) if re.match(r" +\| +\^", line))
    return lines[at - 1], lines[at]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("many", MANY),
        ("conflict", GOOD + "<<<<<<< HEAD\n  a: hunter2\n=======\n  a: hunter3\n>>>>>>> theirs\n"),
        ("yaml11", f"%YAML 1.1\n---\n{GOOD}"),
        ("unclosed", with_users('pablo: "hunter2', "yunhan: hunter3")),
        ("no_space", GOOD.replace("theo: test", "theo:hunter2") + "  pablo: hunter3\n"),
        ("empty", ""),
    ],
)
def test_findings_look_like_this(name: str, text: str) -> None:
    assert "hunter" not in shown(text)
    assert_golden(GOLDEN / f"{name}.txt", shown(text))


def test_colour_adds_nothing_but_colour() -> None:
    coloured = shown(MANY, colour=True)
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9]+m", "", coloured) == shown(MANY)


def test_without_findings_nothing_is_shown() -> None:
    assert shown(GOOD) == ""
    assert summary((), "site.yaml") == "site.yaml: no findings"


def test_a_tab_is_called_a_tab() -> None:
    for text in (
        with_users("\tpablo: x"),
        GOOD.replace("  theo", "\ttheo"),
        with_users("pablo:\r", "\t\tip: 1"),
    ):
        assert "a tab where indentation is expected" in shown(text)
        assert "never with tabs" in shown(text)
    assert "tab" not in shown(with_users("pablo: @home"))


def test_a_number_past_every_limit_is_not_called_a_word() -> None:
    assert "too large" in shown(f"pool_size: {'9' * 5000}\n{GOOD}")


def test_tabs_and_wide_characters_do_not_move_the_caret() -> None:
    line, mark = caret(with_users('"日本": {ip:\t10.0.0,\tpassword: x}'))
    # Each of the two wide characters takes two columns of a terminal, but one of a Python string.
    assert line.index("10.0.0") + 2 == mark.index("^")
    assert mark.count("^") == len("10.0.0")


def test_a_combining_character_takes_no_column() -> None:
    line, mark = caret(with_users("e\u0301: {password: x, ip: 10.0.0}"))
    assert line.index("10.0.0") - 1 == mark.index("^")


def test_a_very_long_line_is_cut_around_the_caret() -> None:
    users = ", ".join(f"user{number}: {{password: x}}" for number in range(500))
    flow = f" {{{users}, pablo: {{ip: 日本, password: x}}, {users[3:]}}}"
    line, mark = caret(f"pool_size: 999\n{GOOD}".replace("\n  theo: test", flow))
    assert len(line) < 200
    assert line.index("日本") == mark.index("^")
    assert mark.count("^") == 4


def test_a_range_of_several_lines_is_marked_in_its_first() -> None:
    line, mark = caret(with_users("pablo: [a,", "  b]"))
    assert mark.count("^") == len(line) - line.index("[")


def test_a_control_character_is_shown_as_an_escape() -> None:
    line, _ = caret(with_line('ac_name: "a\\x1b[31m"'))
    assert "\x1b" not in line


def test_json_has_the_documented_keys() -> None:
    loaded = load(with_users("theo: hunter2"), "site.yaml")
    assert as_json(loaded.findings, "site.yaml") == [
        {
            "code": "E103",
            "severity": "error",
            "message": "`theo` is given twice",
            "file": "site.yaml",
            "line": 7,
            "column": 3,
            "end_line": 7,
            "end_column": 7,
            "label": "given again",
            "help": "keep one of them",
            "related": [
                {
                    "file": "site.yaml",
                    "line": 6,
                    "column": 3,
                    "end_line": 6,
                    "end_column": 7,
                    "message": "first given here",
                }
            ],
        }
    ]


def test_json_of_a_finding_without_place() -> None:
    (entry,) = as_json(load("", "site.yaml").findings, "site.yaml")
    assert entry["line"] is None
    assert json.dumps(entry)


def test_github_annotations_are_one_line_each_and_escaped() -> None:
    finding = Diagnostic("W203", "50% of:\nit", Place(2, 3, 2, 5), help="mend, it")
    assert as_github([finding], "a,b.yaml") == (
        "::warning file=a%2Cb.yaml,title=W203,line=2,col=3,endLine=2,endColumn=5::50%25 of:%0Ait%0Ahelp: "
        "mend, it\n"
    )
    several_lines = Diagnostic("E121", "wrong", Place(2, 3, 4, 5))
    assert as_github([several_lines], "f") == "::error file=f,title=E121,line=2,col=3::wrong\n"
    assert as_github([Diagnostic("E102", "nothing")], "f") == "::error file=f,title=E102::nothing\n"

"""Edits of site.yaml: the lines concerned change, and nothing else, whatever the layout."""

from __future__ import annotations

import difflib
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.site import age, edit
from reconciler.site.edit import EditError
from reconciler.site.hashes import Scrypt
from reconciler.site.load import load
from reconciler.site.secrets import Secret

HEAD = "version: 1\ninterface: eth0   # uplink\nlocal_ip: 10.0.0.1\npool_start: 10.0.0.2\n"
EXAMPLE = Path(__file__).parents[2] / "examples" / "site.yaml"


def users(text: bytes) -> dict[str, str]:
    site = load(text, "site.yaml").site
    assert site is not None
    return {name: user.password.reveal() for name, user in site.users.items() if user.password}


def changed(before: str, edited: edit.Edited) -> list[str]:
    """The lines that went, with a minus, and those that came, with a plus."""
    lines = difflib.ndiff(before.splitlines(), edited.content.decode().splitlines())
    return [line for line in lines if line[0] in "+-"]


def add(text: str, name: str = "new", password: str = "pw", ip: str | None = None) -> edit.Edited:
    return edit.add_user(text.encode(), name, Secret(password), ip, file="site.yaml")


@pytest.mark.parametrize(
    ("block", "came"),
    [
        ("users:\n  a: x # note\n# end\n", ["+   new: pw"]),
        ("users:\n    a: x", ["+     new: pw"]),
        ("users:\n  a:\n     password: x # note\n\n# end\n", ["+   new:", "+      password: pw"]),
        ("users:\n  a: {password: x}\n", ["+   new: {password: pw}"]),
        ("users: {a: x}\n", ["- users: {a: x}", "+ users: {a: x, new: pw}"]),
        ("users: {\n  a: x, # note\n}\n", ["+   new: pw,"]),
        ("users: {\n  a: x # note\n}\n", ["-   a: x # note", "+   a: x, # note", "+   new: pw"]),
        ("users:\n  a: |-\n    x\n\nmtu: 1400\n", ["+   new: pw"]),
        ("users:\n  ? a\n  : x\nmtu: 1400\n", ["+   new: pw"]),
        ("users:\n  a: 'x\n    y'\n", ["+   new: pw"]),
    ],
)
def test_a_new_user_is_written_like_the_others(block: str, came: list[str]) -> None:
    lines = changed(HEAD + block, add(HEAD + block))
    assert [line for line in lines if line[0] != "?"] == came


def test_a_new_user_with_an_address_has_the_long_form() -> None:
    edited = add(HEAD + "users:\n  a: x\n", ip="10.0.0.9")
    assert changed(HEAD + "users:\n  a: x\n", edited) == [
        "+   new:",
        "+     password: pw",
        "+     ip: 10.0.0.9",
    ]


def test_line_ends_and_the_mark_at_the_beginning_stay() -> None:
    text = "\ufeff" + (HEAD + "users:\n  a: x\n").replace("\n", "\r\n")
    assert add(text).content == (text + "  new: pw\r\n").encode()


@pytest.mark.parametrize(
    ("block", "went"),
    [
        ("users:\n  a: x\n  # of b\n  b: y # note\n  c: z\n", ["-   b: y # note"]),
        (
            "users:\n  b:\n    # in b\n    password: y\n\n  c: z\n",
            ["-   b:", "-     # in b", "-     password: y"],
        ),
        ("users: {\n  a: x, # of a\n  b: y # of b\n}\n", ["-   b: y # of b"]),
        ("users: {b: y, a: x}\n", ["- users: {b: y, a: x}", "+ users: {a: x}"]),
        ("users: {a: x, b: {password: y}}\n", ["- users: {a: x, b: {password: y}}", "+ users: {a: x}"]),
        ("users:\n  a: &p x\n  b: *p\n", ["-   b: *p"]),
    ],
)
def test_a_user_goes_with_their_own_lines(block: str, went: list[str]) -> None:
    edited = edit.remove_user((HEAD + block).encode(), "b", file="site.yaml")
    assert changed(HEAD + block, edited) == went


def test_settings_of_a_user() -> None:
    text = EXAMPLE.read_text()
    off = edit.set_enabled(text.encode(), "yunhan", False, file="site.yaml")
    comment = "# false: logins are refused and live sessions end, but the user stays in the file"
    assert [line for line in changed(text, off) if line[0] == "+"] == [
        f"+     enabled: false       {comment}"
    ]
    short = edit.set_enabled(text.encode(), "theo", False, file="site.yaml")
    assert changed(text, short) == ["-   theo: test", "+   theo: {password: test, enabled: false}"]
    long = edit.set_ip(text.encode(), "pablo", "10.214.2.110", file="site.yaml")
    assert changed(text, long) == ["+     ip: 10.214.2.110"]
    back = edit.set_ip(long.content, "pablo", None, file="site.yaml")
    assert back.content == text.encode()
    assert edit.set_enabled(text.encode(), "theo", True, file="site.yaml").content == text.encode()


@pytest.mark.parametrize(
    ("block", "name", "says"),
    [
        ("users:\n  a: x\n", "b", "not there"),
        ("users:\n  a: x\n", "a", "would not be a valid site"),
        ("users:\n  a: &p x\n  b: *p\n", "a", "would not be a valid site"),
        ("users:\n  a:\n", "a", "has errors"),
    ],
)
def test_what_cannot_be_removed_is_refused(block: str, name: str, says: str) -> None:
    with pytest.raises(EditError, match=says):
        edit.remove_user((HEAD + block).encode(), name, file="site.yaml")


def test_an_empty_password_is_refused_without_talk_of_quotes() -> None:
    with pytest.raises(EditError, match=r"^the password is empty$"):
        edit.set_password((HEAD + "users:\n  a: x\n").encode(), "a", Secret(""), file="site.yaml")


def test_an_edit_that_would_change_somebody_else_is_refused() -> None:
    text = HEAD + "users:\n  a: &p {password: x}\n  b: *p\n"
    with pytest.raises(EditError, match="without changing something else"):
        edit.set_password(text.encode(), "b", Secret("y"), file="site.yaml")


@pytest.mark.parametrize(
    ("user", "becomes"),
    [
        (" x # note", "\n    password_hash: HASH # note"),
        (" |-\n    x", " {password_hash: HASH}"),
        (" {password: x, ip: 10.0.0.9}", " {password_hash: HASH, ip: 10.0.0.9}"),
        ("\n    password: x # note", "\n    password_hash: HASH # note"),
        ("\n    nt_hash: 44ebba8d5312b8d611474411f56989ae", "\n    password_hash: HASH"),
    ],
)
def test_a_hash_takes_the_place_of_what_was_there(user: str, becomes: str) -> None:
    text = HEAD + "auth: [pap]\nusers:\n  a:"
    made = Scrypt(1 << 14, 8, 5, b"saltsaltsaltsalt", b"key" * 10)
    edited = edit.set_hash((text + user + "\n").encode(), "a", made, file="site.yaml")
    assert edited.content.decode() == text + becomes.replace("HASH", f"'{made}'") + "\n"
    with pytest.raises(EditError, match="only a hash here"):
        edit.set_password(edited.content, "a", Secret("y"), file="site.yaml")
    another = Scrypt(1 << 14, 8, 5, b"anothersalt", b"key" * 10)
    assert str(another) in edit.set_hash(edited.content, "a", another, file="site.yaml").content.decode()


def test_a_password_that_is_elsewhere_is_not_set_here() -> None:
    text = HEAD + "users:\n  a: {password_file: secrets/a}\n"
    with pytest.raises(EditError, match="secrets/a: change it there"):
        edit.set_password(text.encode(), "a", Secret("y"), file="site.yaml")


@pytest.mark.parametrize(
    ("name", "password", "ip"),
    [
        ("a", "x", None),
        ("", "x", None),
        ("b", "", None),
        ("b", "x", "10.0.0"),
        ("b", "x" * 256, None),
        ("b", "\udc80", None),
    ],
)
def test_what_cannot_be_added_is_refused_without_showing_the_password(
    name: str, password: str, ip: str | None
) -> None:
    with pytest.raises(EditError) as refused:
        add(HEAD + "users:\n  a: x\n", name, password, ip)
    assert "xxx" not in str(refused.value)


NAMES = st.one_of(
    st.sampled_from(
        ["no", "0123", "1e5", "12:34:56", "<<", "a b", "#x", "- a", "'", '"', "\\", "é", "*a", "~", "?"]
    ),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), min_size=1, max_size=20),
)
PASSWORDS = st.one_of(NAMES, st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
FORMS = st.sampled_from(["short", "quoted", "block", "flow", "wide"])
NOTES = st.sampled_from(["", " # note", "  #  a: b, c", "\n    # in between", "\n"])


@st.composite
def sites(draw: st.DrawFn) -> tuple[str, list[str]]:
    """A site file in a random layout, and its users."""
    step = draw(st.integers(1, 5))
    flow = draw(st.booleans())
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    names = [f"u{number}" for number in range(draw(st.integers(2, 5)))]
    entries = []
    for number, name in enumerate(names):
        form = draw(FORMS)
        inner = " " * (step + draw(st.integers(1, 4)))
        password = f"'pass word {number}'" if form == "quoted" else f"p{number}"
        if form in {"short", "quoted"} or (flow and form in {"block", "wide"}):
            text = f"{name}: {password}"
        elif form == "flow":
            text = f"{name}: {{ password: {password} , sessions: 2}}"
        elif form == "block":
            text = f"{name}:\n{inner}password: {password}\n{inner}enabled: true"
        else:
            text = f'"{name}" :\n\n{inner}password:\n{inner}  {password}'
        entries.append(text)
    if flow:
        lead = draw(st.sampled_from([" ", "\n" + " " * step]))
        notes = [draw(NOTES) if lead != " " else "" for _ in entries]
        end = draw(st.sampled_from(["", ","]))
        body = ",".join(
            f"{notes[number - 1] if number else ''}{lead}{entry}" for number, entry in enumerate(entries)
        )
        users = "users: {" + body + end + notes[-1] + ("\n" if lead != " " else "") + " }"
    else:
        users = "users:" + draw(NOTES) + "".join(f"\n{' ' * step}{entry}{draw(NOTES)}" for entry in entries)
    text = HEAD + users + draw(st.sampled_from(["", "\n", "\n# end", "\n\nmtu: 1400\n"]))
    return text.replace("\n", newline), names


def expected_text(text: str, edited: edit.Edited, added: int, gone: int) -> None:
    """No line but those concerned differs."""
    matcher = difflib.SequenceMatcher(None, text.splitlines(), edited.content.decode().splitlines(), False)
    moves = [move for move in matcher.get_opcodes() if move[0] != "equal"]
    assert sum(move[2] - move[1] for move in moves) <= gone, moves
    assert sum(move[4] - move[3] for move in moves) <= added, moves


@given(sites(), NAMES, PASSWORDS)
def test_adding_a_user_to_any_layout_and_removing_them_again(
    case: tuple[str, list[str]], name: str, password: str
) -> None:
    text, _ = case
    before = users(text.encode())
    if name in before or len(name.encode()) > 255 or len(password.encode()) > 255:
        return
    added = add(text, name, password)
    assert users(added.content) == {**before, name: password}
    expected_text(text, added, 3, 1)
    removed = edit.remove_user(added.content, name, file="site.yaml")
    assert users(removed.content) == before
    expected_text(added.content.decode(), removed, 1, 3)


@given(sites(), st.data())
def test_removing_any_user_of_any_layout(case: tuple[str, list[str]], data: st.DataObject) -> None:
    text, names = case
    name = data.draw(st.sampled_from(names))
    removed = edit.remove_user(text.encode(), name, file="site.yaml")
    assert users(removed.content) == {who: what for who, what in users(text.encode()).items() if who != name}
    expected_text(text, removed, 1, 6)


@given(sites(), PASSWORDS, st.booleans(), st.data())
def test_changing_any_user_of_any_layout(
    case: tuple[str, list[str]], password: str, enabled: bool, data: st.DataObject
) -> None:
    text, names = case
    name = data.draw(st.sampled_from(names))
    first = edit.set_password(text.encode(), name, Secret(password), file="site.yaml")
    second = edit.set_enabled(first.content, name, enabled, file="site.yaml")
    third = edit.set_ip(second.content, name, "10.0.0.99", file="site.yaml")
    expected_text(text, third, 4, 3)
    site = third.after.site
    assert site is not None
    user = site.users[name]
    assert user.password == Secret(password)
    assert (user.enabled, user.ip) == (enabled, IPv4Address("10.0.0.99"))
    assert {**users(text.encode()), name: password} == users(third.content)
    back = edit.set_ip(third.content, name, None, file="site.yaml")
    assert users(back.content) == users(third.content)


@given(sites(), st.data())
def test_encrypting_any_users_of_any_layout(case: tuple[str, list[str]], data: st.DataObject) -> None:
    text, names = case
    chosen = data.draw(st.lists(st.sampled_from(names), unique=True, min_size=1))
    values = {name: age.written(b"age-encryption.org/v1\n" + name.encode()) for name in chosen}
    edited = edit.set_sealed(text.encode(), values, file="site.yaml")
    site = edited.after.site
    assert site is not None
    assert {name: user.password_age for name, user in site.users.items() if user.password_age} == {
        name: Secret(value) for name, value in values.items()
    }
    assert users(edited.content) == {
        who: what for who, what in users(text.encode()).items() if who not in values
    }

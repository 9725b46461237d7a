"""Site files for the tests: a good one, and for every finding of the loader one that earns it."""

from __future__ import annotations

from typing import NamedTuple

GOOD = """\
version: 1
interface: eth0
local_ip: 10.214.2.100
pool_start: 10.214.2.101
users:
  theo: test
"""

SCRYPT = "$scrypt$ln=4,r=1,p=1$TmFDbA$I7jT1IJncQHlB5k4nAqh7VqpNVPfastJ6ecePX2OVEk"
HUGE = SCRYPT.replace("ln=4", "ln=24")
NT = "44ebba8d5312b8d611474411f56989ae"
AGE = "YWdlLWVuY3J5cHRpb24ub3JnL3YxCmJ1dCBubyBtb3JlIG9mIGl0"
"""It begins as a value of age does."""


class Flaw(NamedTuple):
    """A text, and where in it which finding is expected (None: about the whole file)."""

    code: str
    why: str
    text: str | bytes
    at: tuple[int, int] | None


def with_line(line: str) -> str:
    """The good file with one more line at its top; the line is number 1."""
    return f"{line}\n{GOOD}"


def with_users(*lines: str) -> str:
    """The good file with more lines among its users; the first of them is number 7."""
    return GOOD + "".join(f"  {line}\n" for line in lines)


def hashed(text: str) -> str:
    """The good file with PAP alone and one more user, in line 8, who has a password_hash."""
    return with_line("auth: [pap]") + f"  pablo: {{password_hash: '{text}'}}\n"


def replacing(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


_BOMB = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join(['*' + before] * 10)}]\n"
    for before, name in zip("abcdefg", "bcdefgh", strict=True)
)

FLAWS = (
    Flaw("E100", "latin-1", b"# caf\xe9\n" + GOOD.encode(), (1, 6)),
    Flaw("E100", "utf-16", GOOD.encode("utf-16"), None),
    Flaw("E100", "a NUL", with_users("pablo: te\x00st"), (7, 12)),
    Flaw("E100", "an old Mac's line end", GOOD.replace("\n", "\r"), (1, 11)),
    Flaw("E100", "a line end that editors do not see", with_users("pablo: te\u2028st"), (7, 12)),
    Flaw("E101", "an unclosed quote", with_users('pablo: "test'), (7, 10)),
    Flaw("E101", "an unclosed bracket", with_line("dns_servers: [8.8.8.8"), (2, 8)),
    Flaw("E101", "a tab", with_users("\tpablo: test"), (7, 3)),
    Flaw("E101", "a missing colon", with_users("pablo test"), (7, 3)),
    Flaw("E101", "no space behind a colon", GOOD.replace("theo: test", "theo:test") + "  pablo: x\n", (7, 8)),
    Flaw("E101", "two colons", with_users("pablo: a: b"), (7, 11)),
    Flaw("E101", "a reserved character", with_users("pablo: @test"), (7, 10)),
    Flaw("E101", "a wrong indentation", with_users("pablo:", "    ip: 10.0.0.1", "   enabled: true"), (9, 6)),
    Flaw("E101", "an unknown escape", with_users(r'pablo: "\q"'), (7, 11)),
    Flaw("E101", "text behind a quoted value", with_users("pablo: 'test' x"), (7, 17)),
    Flaw("E101", "text behind the document's end", GOOD + "...\nmtu: 1400\n", (8, 1)),
    Flaw("E101", "no space, in braces", replacing("\n  theo: test", " {theo:test}"), (5, 13)),
    Flaw("E101", "a dash", with_users("pablo: -"), (7, 10)),
    Flaw("E102", "empty", "", None),
    Flaw("E102", "white", " \n\n", None),
    Flaw("E102", "comments only", "# users: later\n", None),
    Flaw("E102", "a document of nothing", "---\n", None),
    Flaw("E103", "a user twice", with_users("theo: other"), (7, 3)),
    Flaw("E103", "a setting twice", with_line("mtu: 1400") + "mtu: 1300\n", (8, 1)),
    Flaw("E103", "a user twice, once quoted", with_users('"th\\x65o": other'), (7, 3)),
    Flaw(
        "E104",
        "one address for two",
        with_users("a: {password: x, ip: 10.0.0.9}", "b: {password: x, ip: 10.0.0.9}"),
        (8, 24),
    ),
    Flaw("E105", "a conflict", GOOD + "<<<<<<< HEAD\n  a: b\n=======\n  a: c\n>>>>>>> theirs\n", (7, 1)),
    Flaw("E106", "YAML 1.1", f"%YAML 1.1\n---\n{GOOD}", (1, 1)),
    Flaw("E107", "a tag on a value", with_users("pablo: !!binary dGVzdA=="), (7, 10)),
    Flaw("E107", "a tag on a mapping", with_users("pablo: !user {password: test}"), (7, 10)),
    Flaw("E107", "a tag on a key", with_users("!!int 17: test"), (7, 3)),
    Flaw("E108", "an unknown alias", with_users("pablo: *test"), (7, 10)),
    Flaw("E108", "an alias of what contains it", with_users("pablo: &a {password: *a}"), (7, 24)),
    Flaw("E109", "a second document", f"{GOOD}---\n{GOOD}", (7, 1)),
    Flaw("E110", "brackets", "[" * 100_000, (1, 17)),
    Flaw("E110", "mappings", "".join(" " * level + "a:\n" for level in range(50)), (17, 17)),
    Flaw("E110", "a billion laughs", _BOMB, (6, 36)),
    Flaw(
        "E110",
        "aliases of aliases",
        "".join(f"a{n}: &a{n} [{f'*a{n - 1}' if n else ''}]\n" for n in range(99)),
        (16, 12),
    ),
    Flaw("E110", "a huge file", b"#" * (64 * 1024 * 1024 + 1), None),
    Flaw("E111", "a merge key", with_users("<<: {pablo: test}"), (7, 3)),
    Flaw("E111", "a list as key", with_users("? [a, b]", ": test"), (7, 5)),
    Flaw("E111", "no key", with_users("? ", ": test"), (7, 4)),
    Flaw("E120", "a typo", with_line("dns_server: [8.8.8.8]"), (1, 1)),
    Flaw("E120", "a typo in a user", with_users("pablo:", "  pasword: test", "  password: test"), (8, 5)),
    Flaw("E120", "in the wrong place", with_line("ip_forward: true"), (1, 1)),
    Flaw("E120", "no value and no known key", with_users("pablo: {password: x, secret}"), (7, 24)),
    Flaw("E120", "like nothing", with_line("zebra: 1"), (1, 1)),
    Flaw("E121", "not a mapping", "[a, b]\n", (1, 1)),
    Flaw("E121", "just a word", "nothing\n", None),
    Flaw("E121", "one server, no list", with_line("dns_servers: 8.8.8.8"), (1, 14)),
    Flaw("E121", "a list of users", replacing("  theo: test", "  - theo"), (6, 3)),
    Flaw("E121", "a user who is a list", with_users("pablo: [test]"), (7, 10)),
    Flaw("E121", "a setting that is a mapping", with_line("mtu: {size: 1400}"), (1, 6)),
    Flaw("E121", "a mapping that is a word", with_line("forwarding: true"), (1, 13)),
    Flaw("E122", "a word for a number", with_line("mtu: large"), (1, 6)),
    Flaw("E122", "hexadecimal", with_line("mtu: 0x5dc"), (1, 6)),
    Flaw("E122", "octal or not", with_line("mtu: 01492"), (1, 6)),
    Flaw("E122", "an exponent", with_line("mtu: 1e3"), (1, 6)),
    Flaw("E122", "a separator", with_line("pool_size: 1_000"), (1, 12)),
    Flaw("E123", "yes", with_line("forwarding: {ip_forward: yes}"), (1, 26)),
    Flaw("E123", "off", with_users("pablo: {password: x, enabled: off}"), (7, 33)),
    Flaw("E123", "perhaps", with_users("pablo: {password: x, enabled: perhaps}"), (7, 33)),
    Flaw("E124", "three numbers", replacing("10.214.2.100", "10.214.100"), (3, 11)),
    Flaw("E124", "a prefix", replacing("10.214.2.100", "10.214.2.100/24"), (3, 11)),
    Flaw("E124", "leading zeros", replacing("10.214.2.100", "10.214.002.100"), (3, 11)),
    Flaw("E124", "IPv6", replacing("10.214.2.100", "fe80::1"), (3, 11)),
    Flaw("E125", "a slash", replacing("eth0", "eth/0"), (2, 12)),
    Flaw("E125", "too long", replacing("eth0", "enx3c18a002b9be.7"), (2, 12)),
    Flaw("E126", "no name", with_users('"": test'), (7, 3)),
    Flaw("E126", "a name with an escape", with_users('"a\\nb": test'), (7, 3)),
    Flaw("E126", "a name too long", with_line(f"ac_name: {'x' * 256}"), (1, 10)),
    Flaw("E126", "no file name", with_users("pablo: {password_file: ''}"), (7, 26)),
    Flaw("E126", "no variable name", with_users("pablo: {password_env: A-B}"), (7, 25)),
    Flaw("E127", "an empty password", with_users("pablo: ''"), (7, 3)),
    Flaw("E127", "a long password", with_users(f"pablo: {{password: {'é' * 128}}}"), (7, 11)),
    Flaw("E128", "no such method", with_line("auth: [chap, eap]"), (1, 14)),
    Flaw("E128", "no such way to heal", with_line("self_heal: maybe"), (1, 12)),
    Flaw("E128", "no such way to heal a class", with_line("self_heal: {nft: of}"), (1, 18)),
    Flaw("E128", "a number for a word", with_line("forwarding: {rp_filter: 1}"), (1, 25)),
    Flaw("E128", "version 2", replacing("version: 1", "version: 2"), (1, 10)),
    Flaw("E137", "a guard in words", with_line("guard: {max_users_removed: most}"), (1, 28)),
    Flaw("E137", "more than all", with_line("guard: {max_sessions_dropped: 120%}"), (1, 31)),
    Flaw("E146", "no unit", with_users("pablo: {password: x, rate_limit: {down: 50}}"), (7, 43)),
    Flaw("E146", "megabytes", with_users("pablo: {password: x, rate_limit: {up: 5MB}}"), (7, 41)),
    Flaw("E146", "a modem's", with_users("pablo: {password: x, rate_limit: {up: 56k}}"), (7, 41)),
    Flaw("E129", "too large", with_line("mtu: 9000"), (1, 6)),
    Flaw("E129", "a number without end", with_line(f"mtu: {'9' * 40}"), (1, 6)),
    Flaw("E129", "negative", with_line("pool_size: -1"), (1, 12)),
    Flaw("E130", "no version", replacing("version: 1\n", ""), None),
    Flaw("E130", "no users", replacing("users:\n  theo: test\n", ""), None),
    Flaw("E131", "three servers", with_line("dns_servers: [8.8.8.8, 8.8.4.4, 1.1.1.1]"), (1, 33)),
    Flaw("E131", "no method", with_line("auth: []"), (1, 7)),
    Flaw("E132", "one interface twice", replacing("eth0", "[eth0, eth0]"), (2, 19)),
    Flaw("E132", "one uplink twice", with_line("nat: {masquerade: [eth1, eth1]}"), (1, 26)),
    Flaw("E133", "nothing", with_line("mtu:"), (1, 1)),
    Flaw("E133", "a password that is a comment", with_users("pablo: #test"), (7, 3)),
    Flaw("E133", "no colon, in braces", replacing("\n  theo: test", " {theo test, pablo: x}"), (5, 9)),
    Flaw("E134", "no password", with_users("pablo: {ip: 10.0.0.1}"), (7, 3)),
    Flaw("E134", "two passwords", with_users("pablo: {password: x, password_env: P}"), (7, 24)),
    Flaw("E134", "a password and its hash", with_users(f"pablo: {{password: x, nt_hash: {NT}}}"), (7, 24)),
    Flaw("E135", "another kind of hash", hashed("$6$salt$abc"), (8, 11)),
    Flaw("E135", "no hash", hashed("hunter2"), (8, 11)),
    Flaw("E135", "a hash cut short", hashed(SCRYPT[:-1]), (8, 11)),
    Flaw("E135", "too much work", hashed(HUGE), (8, 11)),
    Flaw("E136", "no hash", with_users("pablo: {nt_hash: hunter2}"), (7, 11)),
    Flaw("E136", "both hashes", with_users(f"pablo: {{nt_hash: '{NT}:{NT}'}}"), (7, 11)),
    Flaw("E136", "of nothing", with_users("pablo: {nt_hash: 31D6CFE0D16AE931B73C59D7E0C089C0}"), (7, 11)),
    Flaw("E140", "our address", with_users("pablo: {password: x, ip: 10.214.2.100}"), (7, 28)),
    Flaw("E141", "a multicast address", with_users("pablo: {password: x, ip: 224.0.0.5}"), (7, 28)),
    Flaw("E141", "a loopback server", with_line("dns_servers: [127.0.0.1]"), (1, 15)),
    Flaw("E141", "nobody's address", replacing("10.214.2.101", "0.0.0.0"), (4, 13)),
    Flaw("E142", "our address in the pool", replacing("10.214.2.101", "10.214.2.90"), (4, 13)),
    Flaw("E143", "past the end", replacing("10.214.2.101", "223.255.255.250"), (4, 13)),
    Flaw(
        "E143",
        "past the end, with a size",
        replacing("10.214.2.101", "126.255.255.255\npool_size: 2"),
        (5, 12),
    ),
    Flaw("E144", "no value", replacing("\n  theo: test", ""), (5, 1)),
    Flaw("E144", "an empty mapping", replacing("\n  theo: test", " {}"), (5, 8)),
    Flaw(
        "E145",
        "scrypt and challenges",
        with_line("auth: [mschapv2, chap]") + f"  pablo: {{password_hash: '{SCRYPT}'}}\n",
        (8, 11),
    ),
    Flaw("E145", "an NT hash and MD5", with_line("auth: [chap]") + f"  pablo: {{nt_hash: {NT}}}\n", (8, 11)),
    Flaw("W204", "scrypt as usual", with_users(f"pablo: {{password_hash: '{SCRYPT}'}}"), (7, 11)),
    Flaw(
        "W204",
        "MD5 before MS-CHAP",
        with_line("auth: [chap, mschapv2]") + f"  pablo: {{nt_hash: {NT}}}\n",
        (1, 7),
    ),
    Flaw("E138", "a password where age is meant", with_users("pablo: {password_age: hunter2}"), (7, 11)),
    Flaw(
        "E138",
        "half a block",
        with_users("pablo: {password_age: -----BEGIN AGE ENCRYPTED FILE-----}"),
        (7, 11),
    ),
    Flaw("E139", "a recipient with a slip", with_line("age_recipients: [age1ql3z7hjy54pw3hyww5]"), (1, 18)),
    Flaw(
        "E154",
        "a copied value",
        with_users(f"pablo: {{password_age: {AGE}}}", f"yunhan: {{ip: 10.0.0.9, password_age: {AGE}}}"),
        (8, 26),
    ),
    Flaw("E128", "no warning's code", with_line("deny_warnings: [E104]"), (1, 17)),
    Flaw("W201", "a small pool", with_line("pool_size: 1") + "  pablo: test\n", (1, 12)),
    Flaw(
        "W202",
        "one address, two sessions",
        with_users("pablo: {password: x, ip: 10.0.0.1, sessions: 2}"),
        (7, 28),
    ),
    Flaw("W210", "one station and all", with_line("limits: {padi_per_mac: 50, padi_total: 20}"), (1, 40)),
    Flaw("W203", "a network's address", with_users("pablo: {password: x, ip: 10.0.0.0}"), (7, 28)),
)

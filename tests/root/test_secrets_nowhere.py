"""The real thing, with random secrets: whatever it prints, logs, keeps and answers, none of them is in it.

They may be where the operator has put them: in the site file, the password files, and the environment of the
reconciler. ``faults.py`` beside this file breaks both processes with a secret in the error's text.
"""

from __future__ import annotations

import base64
import hashlib
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest
from Crypto.Hash import MD4

from reconciler.lab.caller import Caller
from reconciler.lab.instance import InstanceError, condition
from reconciler.lab.sandbox import Sandbox
from reconciler.linux import netns
from reconciler.site.hashes import Scrypt
from tests.patience import PATIENCE
from tests.root.ward import HEAD

pytestmark = [pytest.mark.root, pytest.mark.timeout(900)]

SITE = f"""\
{HEAD}\
pool_size: 16
auth: [pap, mschapv2, chap]
limits:
  failed_logins: 0
users:
"""
VARIABLE = "RECONCILER_TEST_PASSWORD"
LINES = ("theo", "pablo")
USERS = ("plain", "short", "file", "env", "age", "hash", "nt")


class Secrets(NamedTuple):
    """``password`` by user, and what stands for them elsewhere: all that must be seen nowhere."""

    password: dict[str, str]
    wrong: str
    new: str
    nt: str
    scrypt: Scrypt

    @classmethod
    def random(cls, chance: random.Random) -> Secrets:
        def word() -> str:
            return "".join(chance.choices("abcdefghjkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789", k=20))

        password = {user: word() for user in USERS}
        salt = chance.randbytes(16)
        key = hashlib.scrypt(password["hash"].encode(), salt=salt, n=1 << 10, r=8, p=1, dklen=32)
        nt = nt_hash(password["nt"]).hex()
        return cls(password, word(), word(), nt, Scrypt(1 << 10, 8, 1, salt, key))

    def forms(self) -> dict[str, bytes]:
        """Each in every form in which it might be seen, by what it is."""
        known = {**self.password, "wrong": self.wrong, "new": self.new}
        forms: dict[str, bytes] = {"nt hash": bytes.fromhex(self.nt), "scrypt": self.scrypt.key}
        for name, text in known.items():
            octets = text.encode()
            forms |= {
                name: octets,
                f"{name} in UTF-16": text.encode("utf-16-le"),
                f"NT hash of {name}": nt_hash(text),
                f"{name} bound": f"\n{text}".encode(),
            }
        more = {
            f"{name} in {form}": spelt
            for name, octets in forms.items()
            for form, spelt in (
                ("hex", octets.hex().encode()),
                ("HEX", octets.hex().upper().encode()),
                ("base64", base64.b64encode(octets).rstrip(b"=")),
            )
        }
        return forms | more


def nt_hash(password: str) -> bytes:
    return MD4.new(password.encode("utf-16-le")).digest()


class Witness:
    """Looks at everything. ``seen`` is what was found where."""

    def __init__(self, sandbox: Sandbox, secrets: Secrets) -> None:
        self.sandbox = sandbox
        self.forms = secrets.forms()
        self.seen: list[str] = []
        self.looked: dict[str, int] = {}

    def look(self, where: str, content: bytes) -> None:
        """Nothing of it is in here."""
        self.looked[where] = self.looked.get(where, 0) + len(content)
        self.seen += [f"{name}: {where}" for name, form in self.forms.items() if form in content]

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command, of which every word is looked at."""
        (done,) = self.run_all([arguments])
        return done

    def run_all(self, commands: Sequence[tuple[str, ...]]) -> list[subprocess.CompletedProcess[str]]:
        """The same for some that do not mind each other, on every processor."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            done = list(pool.map(lambda words: self.sandbox.instance.command(*words), commands))
        for words, one in zip(commands, done, strict=True):
            self.look(f"reconciler {' '.join(words[:2])}", (one.stdout + one.stderr).encode())
        return done

    def files(self) -> None:
        """All that is kept: databases with their journals, logs, sockets' directories."""
        for directory in (self.sandbox.instance.runtime_dir, self.sandbox.instance.state_dir):
            for path in directory.rglob("*"):
                if path.is_file():
                    self.look(str(path.relative_to(self.sandbox.directory)), path.read_bytes())
        self.look("the log", self.sandbox.instance.log.read_bytes())

    def processes(self) -> list[str]:
        """Arguments and environment of whatever runs there; gives back which modules do."""
        found = []
        for pid in netns.processes(self.sandbox.topology.ac):
            words = Path(f"/proc/{pid}/cmdline").read_bytes()
            name = next((w.decode() for w in words.split(b"\0") if w.startswith(b"reconciler")), "?")
            found.append(name)
            self.look(f"arguments of {name}", words)
            if name.startswith("reconciler.engine"):  # the reconciler is the one who is to have it there
                environment = Path(f"/proc/{pid}/environ").read_bytes()
                self.look(f"environment of {name}", environment)
                assert VARIABLE.encode() not in environment
        return found

    def api(self, *paths: str) -> None:
        """Raw answers of the control socket."""
        for path in paths:
            self.look(f"GET {path}", self.said("control.sock", f"GET {path} HTTP/1.0\r\n\r\n".encode()))

    def said(self, name: str, request: bytes) -> bytes:
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(PATIENCE)
            wire.connect(str(self.sandbox.instance.runtime_dir / name))
            wire.sendall(request)
            wire.shutdown(socket.SHUT_WR)
            parts = []
            while part := wire.recv(1 << 16):
                parts.append(part)
            return b"".join(parts)


@pytest.fixture
def secrets() -> Secrets:
    seed = int(os.environ.get("SECRETS_SEED", "0")) or random.SystemRandom().getrandbits(32)
    sys.stdout.write(f"SECRETS_SEED={seed}\n")
    return Secrets.random(random.Random(seed))


@pytest.fixture
def witness(secrets: Secrets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Witness]:
    shutil.copy(Path(__file__).with_name("faults.py"), tmp_path / "sitecustomize.py")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv(VARIABLE, secrets.password["env"])
    (tmp_path / "file").write_text(secrets.password["file"] + "\n")
    (tmp_path / "file").chmod(0o600)
    password = secrets.password
    text = SITE + (
        f"  plain: {{password: {password['plain']}}}\n  short: {password['short']}\n"
        f"  file: {{password_file: {tmp_path / 'file'}}}\n  env: {{password_env: {VARIABLE}}}\n"
        f"  age: {{password: {password['age']}}}\n  hash: {{password_hash: '{secrets.scrypt}'}}\n"
        f"  nt: {{nt_hash: {secrets.nt}}}\n"
    )
    with Sandbox(text, LINES) as sandbox:
        yield Witness(sandbox, secrets)


def test_no_secret_is_seen_anywhere(witness: Witness, secrets: Secrets, tmp_path: Path) -> None:
    sandbox, instance = witness.sandbox, witness.sandbox.instance
    site = str(instance.site)
    password_of = tmp_path / "typed"

    it_would_see(witness, secrets, instance.site.read_bytes())
    encrypt_one(witness, secrets.password["age"], password_of)
    every_login(witness, secrets)
    every_question(witness)
    every_mistake(witness, secrets, tmp_path)

    password_of.write_text(secrets.new)
    witness.run("user", "passwd", "short", "--password-file", str(password_of), "--file", site)
    witness.run("apply", site)
    (tmp_path / "file").write_text(secrets.new + "\n")
    instance.wait_for(lambda status: condition(status, "Ready"), "the new password being in force", PATIENCE)
    assert tried(sandbox.callers["theo"], "file", secrets.new)

    witness.run("rollback", "1")
    witness.files()
    witness.run("pause", "--reason", "to look")
    witness.run("resume")
    every_fault(witness, secrets, tmp_path)
    every_death(witness, secrets)
    every_question(witness)

    assert not witness.seen, "\n".join(sorted(set(witness.seen)))
    assert len(witness.looked) > 30, "it has looked at what it says"
    assert all(witness.looked.get(where) for where in ("the log", "run/engine.log", "state/state.db"))


def it_would_see(witness: Witness, secrets: Secrets, site: bytes) -> None:
    """What is there to be found is found: else this test could not fail."""
    eager = Witness(witness.sandbox, secrets)
    eager.look("site.yaml", site)
    assert {"plain", "short", "nt hash in hex"} <= {line.split(":")[0] for line in eager.seen}
    eager.look("coded", base64.b64encode(secrets.new.encode()))
    eager.look("coded", secrets.wrong.encode().hex().encode())
    assert {"wrong in hex", "new in base64"} <= {line.split(":")[0] for line in eager.seen}


def encrypt_one(witness: Witness, password: str, typed: Path) -> None:
    site = str(witness.sandbox.instance.site)
    assert witness.run("secret", "recipient").returncode == 0
    typed.write_text(password)
    done = witness.run("user", "passwd", "age", "--age", "--password-file", str(typed), "--file", site)
    assert done.returncode == 0, done.stderr
    assert witness.run("apply", site).returncode == 0


def tried(caller: Caller, user: str, password: str, method: str = "pap") -> bool:
    """Whether a login succeeds; the line is free again afterwards."""
    since = len(caller.events)
    good = bool(caller.dial(user, password, methods=[method])["event"] == "up")
    if good:
        caller.order("hangup")
        assert caller.wait_event("down", since=since, wait=PATIENCE)
    return good


def every_login(witness: Witness, secrets: Secrets) -> None:
    """Right and wrong, by each user and method, while somebody listens."""
    argv = [sys.executable, "-m", "reconciler", "trace", "eth0", "-v"]
    with netns.inside(witness.sandbox.topology.ac):
        trace = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert trace.stderr is not None
    trace.stderr.readline()
    theo, pablo = (witness.sandbox.callers[line] for line in LINES)
    served = {"chap": ("plain", "short", "file", "env", "age"), "pap": USERS}
    for method, users in served.items():
        for user in users:
            assert tried(theo, user, secrets.password[user], method), (user, method)
            assert not tried(pablo, user, secrets.wrong, method), (user, method)
    assert not tried(pablo, "nobody", secrets.wrong)
    trace.send_signal(signal.SIGINT)
    said, err = trace.communicate(timeout=PATIENCE)
    assert b"PAP" in said
    assert b"CHAP" in said
    witness.look("reconciler trace", said + err)


def every_question(witness: Witness) -> None:
    """Each command that answers, in each form, and what is kept and seen besides."""
    site = witness.sandbox.instance.site
    witness.run_all([
        ("status",), ("status", "-o", "json"), ("sessions",), ("sessions", "-o", "json"), ("events",),
        ("events", "-o", "ndjson"), ("why", "plain"), ("why", "nobody", "-o", "json"), ("explain", "users"),
        ("explain", "users.plain.password"), ("user", "list"), ("user", "list", "-o", "json"),
        ("validate", str(site)), ("validate", "--secrets", str(site)), ("secret", "recipient"),
        ("apply", str(site), "--dry-run"), ("apply", str(site), "--dry-run", "-o", "json"), ("schema",),
        ("history",), ("history", "-o", "json"), ("history", "1"), ("diff", "1"), ("diff", "1", "-o", "json"),
    ])  # fmt: skip
    witness.api("/v1/status", "/v1/sessions", "/v1/events", "/metrics", "/nowhere")
    found = witness.processes()
    assert {"reconciler", "reconciler.engine"} <= set(found), found
    witness.files()


def every_mistake(witness: Witness, secrets: Secrets, directory: Path) -> None:
    """Files that are wrong in ways that could show a secret."""
    site, candidate = witness.sandbox.instance.site, directory / "candidate.yaml"
    good = site.read_text()
    for wrong in (
        good.replace("password:", "pasword:"), good.replace("  short: ", "  short "), good + "<<<<<<< x\n",
        good.replace("nt_hash: ", "nt_hash: x"), good.replace("short: ", "short: !"), good[: len(good) - 5],
        good.replace("password_age: ", "password_age: x"), good + f"  short: {secrets.new}\n",
        good + f"  more: {{password_age: {secrets.new}}}\n", good + f"  {secrets.new}\n",
        good.replace("  plain:", "  other:"), "deny_warnings: [all]\n" + good,
    ):  # fmt: skip
        candidate.write_text(wrong)
        forms = [("validate", str(candidate), "-o", form) for form in ("text", "json", "github")]
        witness.run_all([*forms, ("apply", str(candidate), "--dry-run")])
    done = witness.run("user", "passwd", "plain", "--password-file", str(candidate), "--file", str(site))
    assert done.returncode == 1, "it has more than one line"


def every_fault(witness: Witness, secrets: Secrets, directory: Path) -> None:
    """Errors of ours whose text has a secret, and requests that nobody understands."""
    instance, fault = witness.sandbox.instance, directory / "fault"
    word = secrets.password["plain"].encode()
    for request in (b'{"id": 1, "do": "users", "put": [{"name": "' + word + b'"}]}\n', word + b"\n"):
        witness.look("the engine's answer", witness.said("engine.sock", request))
    for body in (word, b'{"path": "/' + word + b'", "text": "' + word + b'"}', b'{"name": 1}'):
        head = f"POST /v1/plan HTTP/1.0\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        witness.said("control.sock", head + body)
    text = instance.site.read_text()
    for number, where in enumerate(("a pass", "a request", "a login", "the engine")):
        fault.write_text(where)
        if where == "a login":
            witness.sandbox.callers["pablo"].order("dial", user="plain", password=secrets.wrong)
            witness.sandbox.callers["pablo"].wait_event("up", "down", "failed", wait=PATIENCE)
        elif where == "a request":
            witness.run("status")
        else:
            instance.save(text.replace("pool_size: 16", "pool_size: 16\nmtu: 14" + str(80 + number)))
            instance.save(instance.site.read_text() + f"  extra{number}: {secrets.new}\n")
        instance.wait_for(lambda _: not fault.exists(), f"the fault in {where}", PATIENCE)
        instance.wait_for(lambda status: condition(status, "Ready"), f"recovery from {where}", PATIENCE)
        witness.files()
        witness.run("status")
    log = instance.log.read_text() + (instance.runtime_dir / "engine.log").read_text()
    for sign in ("a pass failed by", "/v1/status failed by", "ended by an internal error", "ended by a bug"):
        assert sign in log, log


def every_death(witness: Witness, secrets: Secrets) -> None:
    """SIGKILL to each, and what the next one makes of what is kept."""
    instance, theo = witness.sandbox.instance, witness.sandbox.callers["theo"]
    for pid in netns.processes(witness.sandbox.topology.ac):
        if b"reconciler.engine\0" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    instance.kill()
    witness.files()
    instance.start()
    assert tried(theo, "plain", secrets.password["plain"])
    with pytest.raises(InstanceError):
        instance.ask("nothing")

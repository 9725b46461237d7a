"""The public door, over its real socket, with a service that is a stand-in."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from reconciler.control.client import AnswerError, Client, NoDaemonError
from reconciler.control.door import SOCKET_NAME
from reconciler.control.routes import ROUTES, Service
from reconciler.control.server import Access, Server
from tests.patience import PATIENCE


class Echo:
    """Answers with what it was asked."""

    def __init__(self) -> None:
        self.more = threading.Event()

    def status(self, request: Mapping[str, Any]) -> tuple[int, Any]:
        return 200, {"asked": dict(request)}

    def sessions(self, _request: Mapping[str, Any]) -> tuple[int, Any]:
        return 200, []

    def plan(self, request: Mapping[str, Any]) -> tuple[int, Any]:
        return 200, {"asked": dict(request)}

    def apply(self, _request: Mapping[str, Any]) -> tuple[int, Any]:
        return 409, {"error": {"code": "other_file", "message": "edit that one", "more": 1}}

    def rollback(self, request: Mapping[str, Any]) -> tuple[int, Any]:
        return 200, {"asked": dict(request)}

    pause = resume = confirm = history = diff = rollback

    def terminate(self, _request: Mapping[str, Any]) -> tuple[int, Any]:
        raise RuntimeError("a bug happened here")

    def drain(self, request: Mapping[str, Any]) -> tuple[int, Any]:
        return 200, {"asked": dict(request)}

    def why(self, request: Mapping[str, Any]) -> tuple[int, Any]:
        return 200, {"asked": dict(request)}

    def metrics(self, _request: Mapping[str, Any]) -> tuple[int, str]:
        return 200, "up 1\n"

    def events(self, request: Mapping[str, Any]) -> Iterator[dict[str, Any] | None]:
        yield {"number": 1}
        yield None
        if request.get("follow"):
            self.more.wait(PATIENCE)
            yield {"number": 2}


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def client(tmp_path: Path, echo: Echo) -> Iterator[Client]:
    server = Server(tmp_path, echo)
    server.start()
    yield Client(tmp_path)
    server.close()


def raw(path: Path, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as wire:
        wire.connect(str(path))
        wire.sendall(request)
        wire.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: wire.recv(65536), b""))


def test_get_and_post_reach_the_service(client: Client) -> None:
    assert client.get("/v1/status", a="1") == {"asked": {"a": "1"}}
    assert client.post("/v1/plan", text="versión: 1\n", path=None) == {"asked": {"text": "versión: 1\n"}}
    assert client.get("/v1/sessions") == []


def test_socket_is_for_its_owner_alone(client: Client, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / SOCKET_NAME).stat().st_mode) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files to groups")
def test_a_group_may_be_let_in_and_passes_through_the_directory_alone(echo: Echo) -> None:
    with TemporaryDirectory() as top:  # pytest's own lets nobody else pass
        Path(top).chmod(0o755)
        directory = Path(top, "run")
        directory.mkdir(0o750)
        server = Server(directory, echo, Access(0o660, 4321))
        server.start()
        found = [path.stat() for path in (directory, sock(directory))]
        answers = [asked_as(group, directory) for group in (0, 4321, 4322)]
        server.close()
    assert [(one.st_gid, stat.S_IMODE(one.st_mode)) for one in found] == [(4321, 0o710), (4321, 0o660)]
    assert answers == ["200", "200", "refused"]


def sock(directory: Path) -> Path:
    return directory / SOCKET_NAME


def asked_as(group: int, directory: Path) -> str:
    """What curl gets as a member of that group, and nobody in particular otherwise."""
    user = ["setpriv", "--reuid", "65534" if group else "0", "--regid", str(group), "--clear-groups"]
    ask = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "--unix-socket", str(sock(directory))]
    done = subprocess.run(
        [*user, *ask, "http://localhost/v1/status"], capture_output=True, text=True, check=False
    )
    return done.stdout if done.returncode == 0 else "refused"


def test_error_carries_code_and_message(client: Client) -> None:
    with pytest.raises(AnswerError, match=r"^edit that one$") as caught:
        client.post("/v1/apply")
    assert caught.value.code == "other_file"
    assert caught.value.details["more"] == 1


def test_stream_ends_or_goes_on(client: Client, echo: Echo) -> None:
    assert list(client.lines("/v1/events")) == [{"number": 1}]
    following = client.lines("/v1/events", follow="1")
    assert next(following) == {"number": 1}
    echo.more.set()
    assert list(following) == [{"number": 2}]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /v1/nothing HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
        (b"GET /v1/plan HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
        (b"POST /v1/status HTTP/1.1\r\nHost: x\r\n\r\n", b"405"),
        (b"POST /v1/plan HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n{a}", b"400"),
        (b"POST /v1/plan HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n[]", b"400"),
        (b"POST /v1/plan HTTP/1.1\r\nHost: x\r\nContent-Length: -2\r\n\r\n[]", b"413"),
        (b"POST /v1/plan HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n", b"413"),
        (b"POST /v1/plan HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n", b"413"),
        (b"DELETE /v1/plan HTTP/1.1\r\nHost: x\r\n\r\n", b"501"),
    ],
)
def test_what_is_not_understood_is_refused(
    client: Client, tmp_path: Path, request_: bytes, status: bytes
) -> None:
    assert raw(tmp_path / SOCKET_NAME, request_).startswith(b"HTTP/1.1 " + status)
    assert client.get("/v1/sessions") == []


def test_bug_in_one_request_is_not_the_end(client: Client) -> None:
    with pytest.raises(AnswerError, match="a bug in the daemon: RuntimeError") as caught:
        client.post("/v1/sessions/terminate")
    assert "a bug happened here" not in str(caught.value)
    assert client.get("/v1/sessions") == []


def test_no_daemon_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(NoDaemonError, match=r"reconciler run site\.yaml"):
        Client(tmp_path).get("/v1/status")
    with pytest.raises(NoDaemonError, match=r"reconciler run site\.yaml"):
        list(Client(tmp_path).lines("/v1/events"))


def test_socket_of_a_dead_daemon_is_replaced(tmp_path: Path, echo: Echo) -> None:
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / SOCKET_NAME))
    with pytest.raises(NoDaemonError, match=r"reconciler run site\.yaml"):
        Client(tmp_path).get("/v1/status")
    server = Server(tmp_path, echo)
    server.start()
    assert Client(tmp_path).get("/v1/sessions") == []
    server.close()
    assert not (tmp_path / SOCKET_NAME).exists()


@pytest.mark.parametrize("service", [Service, Echo])  # the types see to it that what answers is a Service
def test_every_route_has_its_method(service: type) -> None:
    assert all(hasattr(service, route.name) for route in ROUTES if route.answers != "openapi")
    assert len({(route.method, route.path) for route in ROUTES}) == len(ROUTES)

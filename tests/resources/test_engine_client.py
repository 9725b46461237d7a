"""The reconciler's end of the engine's command socket."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from reconciler.engine.messages import SOCKET_NAME, UserEntry
from reconciler.resources.engine import EngineClient, EventStream, NoEngineError, RefusedError
from tests.fakes.engine import FakeEngine, RefusalError

THEO: UserEntry = {
    "name": "theo",
    "secret": {"kind": "password", "text": "open sesame"},
    "address": "10.0.0.9",
    "enabled": True,
    "sessions": 1,
    "fingerprint": "f",
}


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FakeEngine]:
    fake = FakeEngine(tmp_path).start()
    yield fake
    fake.stop()


@pytest.fixture
def client(engine: FakeEngine, tmp_path: Path) -> Iterator[EngineClient]:
    client = EngineClient(tmp_path)
    yield client
    client.close()


def test_every_request_gets_its_answer(client: EngineClient) -> None:
    assert client.hello()["datapath"] == "null"
    client.configure(7, {"ac_name": "SERVER"})
    assert client.listen(7, "eth1")["up"]
    assert client.users(7, [THEO], []) == []
    seen = client.observe()
    assert (seen["generation"], seen["settings"]["ac_name"]) == (7, "SERVER")
    assert seen["users"]["theo"]["address"] == "10.0.0.9"
    assert client.unlisten(7, "eth1") == []


def test_an_observation_is_brought_up_to_date(engine: FakeEngine, client: EngineClient) -> None:
    engine.settings["pools"] = [{"name": "default", "start": "10.0.1.1", "size": 9}]
    client.users(1, [{**THEO, "name": name, "address": None, "sessions": 2} for name in "abc"], [])
    leaving, staying = engine.dial("a"), engine.dial("b")
    seen = client.observe()
    again = client.observe(seen)
    assert again["users"] is seen["users"]
    assert again["sessions"] is seen["sessions"]
    engine.hang_up(leaving)
    staying["state"] = "terminate"
    engine.dial("c")
    client.users(2, [{**THEO, "name": "b"}], [{"name": "a", "sessions": "drain"}])
    for news in (client.observe(again), client.observe(seen)):
        whole = client.observe()
        assert (news["users"], news["generation"]) == (whole["users"], 2)
        assert sorted(news["sessions"], key=lambda one: one["id"]) == whole["sessions"]
    assert seen["users"].keys() == {"a", "b", "c"}


def test_another_engine_tells_everything(engine: FakeEngine, client: EngineClient, tmp_path: Path) -> None:
    client.users(1, [THEO], [])
    seen = client.observe()
    engine.stop()
    with closing(EngineClient(tmp_path)) as later:
        other = FakeEngine(tmp_path).start()
        assert later.observe(seen)["users"] == {}
        other.stop()


def test_terminate_names_what_it_ends(engine: FakeEngine, client: EngineClient) -> None:
    client.users(1, [THEO], [])
    session = engine.dial("theo")
    key = {"interface": "eth1", "mac": session["mac"], "id": session["id"]}
    assert client.terminate([key], "operator") == [key]  # type: ignore[list-item]


def test_refusal_carries_code_and_reason(client: EngineClient) -> None:
    with pytest.raises(RefusedError, match="no interface eth9") as caught:
        client.listen(1, "eth9")
    assert caught.value.code == "no_interface"


def test_another_protocol_is_refused_in_one_line(engine: FakeEngine, client: EngineClient) -> None:
    engine.do_hello = lambda: {"protocol": 99, "pid": 4711, "version": "9"}  # type: ignore[method-assign]
    with pytest.raises(RefusedError, match=r"pid 4711.*protocol 99"):
        client.hello()


def test_no_engine_is_said_plainly(tmp_path: Path) -> None:
    with pytest.raises(NoEngineError, match="it is not running"):
        EngineClient(tmp_path).observe()


def test_dead_engine_is_said_plainly_and_its_successor_is_used(engine: FakeEngine, tmp_path: Path) -> None:
    client = EngineClient(tmp_path)
    client.observe()
    engine.stop()
    with pytest.raises(NoEngineError):
        client.observe()
    with pytest.raises(NoEngineError, match="no longer running"):
        client.observe()
    successor = FakeEngine(tmp_path).start()
    assert client.observe()["generation"] == 0
    client.close()
    successor.stop()


def test_hung_engine_is_not_waited_for_for_ever(engine: FakeEngine, tmp_path: Path) -> None:
    hung = threading.Event()
    engine.do_hello = lambda: hung.wait(30)  # type: ignore[method-assign]
    client = EngineClient(tmp_path, patience=0.1)
    with pytest.raises(NoEngineError, match="no answer in time"):
        client.hello()
    hung.set()


def test_garbage_is_no_answer(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / SOCKET_NAME))
        server.listen()
        client = EngineClient(tmp_path)

        def babble() -> None:
            with server.accept()[0] as wire:
                wire.recv(100)
                wire.sendall(b"hello, world\n")

        threading.Thread(target=babble, daemon=True).start()
        with pytest.raises(NoEngineError, match="not a message"):
            client.hello()


def test_threads_take_turns_on_one_connection(client: EngineClient) -> None:
    names: list[str] = []

    def rename(number: int) -> None:
        client.configure(number, {"ac_name": f"ac{number}"})
        names.append(client.observe()["settings"]["ac_name"])

    threads = [threading.Thread(target=rename, args=(n,)) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 20


def test_events_arrive_until_the_engine_ends(
    engine: FakeEngine, client: EngineClient, tmp_path: Path
) -> None:
    client.configure(1, {"pools": [{"name": "default", "start": "10.0.0.1", "size": 4}]})
    client.users(1, [THEO], [])
    with closing(EventStream(tmp_path)) as events:
        session = engine.dial("theo")
        engine.hang_up(session)
        engine.stop()
        assert [(event["type"], event["user"]) for event in events] == [
            ("session_opened", "theo"),
            ("session_closed", "theo"),
        ]


def test_events_can_be_closed_from_another_thread(engine: FakeEngine, tmp_path: Path) -> None:
    events = EventStream(tmp_path)
    reader = threading.Thread(target=list, args=(events,))
    reader.start()
    events.close()
    reader.join(5)
    assert not reader.is_alive()


def test_a_failed_request_shows_no_password(engine: FakeEngine, client: EngineClient) -> None:
    engine.faults["users"] = [RefusalError("failed", "no memory")]
    with pytest.raises(RefusedError) as caught:
        client.users(1, [THEO], [])
    assert "open sesame" not in repr(caught.value) + str(caught.value)

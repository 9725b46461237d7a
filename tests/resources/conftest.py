"""A fake engine with a device, its client, and a fake kernel that has the same device."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.resources.engine import EngineClient
from tests.fakes.engine import FakeEngine
from tests.fakes.kernel import FakeKernel, FakeMemory
from tests.resources.box import Box


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[FakeEngine]:
    fake = FakeEngine(tmp_path, device="ppp-tun").start()
    yield fake
    fake.stop()


@pytest.fixture
def client(engine: FakeEngine, tmp_path: Path) -> Iterator[EngineClient]:
    client = EngineClient(tmp_path)
    yield client
    client.close()


@pytest.fixture
def kernel() -> FakeKernel:
    return FakeKernel(device="ppp-tun")


@pytest.fixture
def memory() -> FakeMemory:
    return FakeMemory()


@pytest.fixture
def box(client: EngineClient, kernel: FakeKernel, memory: FakeMemory) -> Box:
    return Box(client, kernel, memory)

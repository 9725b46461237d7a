"""The small world, with its first generation in force."""

from __future__ import annotations

import pytest

from tests.loop.answering.orders import FIRST
from tests.loop.world import World


@pytest.fixture
def world(world: World) -> World:
    world.edit(FIRST).settle()
    return world

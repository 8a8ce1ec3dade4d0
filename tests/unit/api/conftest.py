"""A fresh world for each test."""

from __future__ import annotations

import pytest

from tests.unit.api.world import World


@pytest.fixture
def world() -> World:
    return World()

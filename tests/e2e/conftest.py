"""What looks at the whole run comes after it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_LAST = "test_permissions"
_NEEDS_ALL = "test_every_right_is_used_or_explained"
_HERE = Path(__file__).parent


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The tests of permissions go last. Which rights nothing needs, only a whole run in one process
    can tell (`make rights`): a part of it does not select that test."""
    last = [item for item in items if item.path.stem == _LAST]
    items[:] = [item for item in items if item not in last] + last
    collected = {item.path for item in items}
    alone = "PYTEST_XDIST_WORKER" not in os.environ
    if not alone or not set(_HERE.rglob("test_*.py")) <= collected:
        dropped = [item for item in items if item.name == _NEEDS_ALL]
        items[:] = [item for item in items if item not in dropped]
        config.hook.pytest_deselected(items=dropped)

"""What holds for every test: a slow machine is no reason to fail, and no test is run twice."""

from __future__ import annotations

import pytest
from hypothesis import settings
from places import is_drawn

settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not drawn of the tests on an engine's second backend."""
    left_out = [
        item for item in items if item.get_closest_marker("second") and not is_drawn(item.nodeid)
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]

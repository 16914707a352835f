"""What holds for every test: a slow machine is no reason to fail, and no test is run twice."""

from __future__ import annotations

from collections import defaultdict

import places
import pytest
from hypothesis import settings

settings.register_profile("any-machine", deadline=None)
settings.load_profile("any-machine")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what was not drawn of the tests on an engine's second backend, and of a matrix."""
    matrices = defaultdict(list)
    for item in items:
        if matrix := item.get_closest_marker("matrix"):
            matrices[item.nodeid.partition("[")[0], matrix.kwargs["of"]].append(item.nodeid)
    drawn = {test for (_, of), tests in matrices.items() for test in places.drawn(tests, of)}
    left_out = [
        item
        for item in items
        if (item.get_closest_marker("second") and not places.is_drawn(item.nodeid))
        or (item.get_closest_marker("matrix") and item.nodeid not in drawn)
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in set(left_out)]

"""One server an engine, on which dumps are made and checked; each test has the whole database."""

from __future__ import annotations

from contextlib import ExitStack
from functools import cache

import pytest
from making import shop


@pytest.fixture(scope="session")
def shops():
    """Started as they are needed."""
    with ExitStack() as stack:
        yield cache(lambda engine: stack.enter_context(shop(engine)))


def whole(shops, engine):
    found = shops(engine)
    found.fresh()
    return found


@pytest.fixture
def postgres(shops):
    return whole(shops, "postgres")


@pytest.fixture
def mysql(shops):
    return whole(shops, "mysql")


@pytest.fixture(params=["mysql", "mariadb"])
def of_mysql(shops, request):
    return whole(shops, request.param)


@pytest.fixture(params=["postgres", "mysql", "mariadb"])
def any_shop(shops, request):
    return whole(shops, request.param)

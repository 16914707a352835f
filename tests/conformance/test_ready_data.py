"""A local server on a copy of a data directory that was made before: ready sooner, and its own."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import places
import pytest

from harness import cache
from harness.backends._workplace import Workplace
from harness.backends.local import LocalBackend
from harness.errors import DatabaseError, GuardRefused
from harness.ports import Engine
from harness.servers.guard import check
from harness.servers.throwaway import ThrowawayServer

pytestmark = pytest.mark.matrix(of=2)

ENGINES = ("postgres", "mysql", "mariadb")


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return places.local(request.param)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("MDRILL_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The programs that were run on data directories."""
    names: list[str] = []

    def run(self: Workplace, name: str, *rest: object, run: Callable[..., None] = Workplace._run):
        names.append(name)
        run(self, name, *rest)

    monkeypatch.setattr(Workplace, "_run", run)
    return names


@pytest.fixture
def start(engine: Engine) -> Iterator[Callable[[], ThrowawayServer]]:
    """Starts servers that are removed after the test."""
    started: list[ThrowawayServer] = []

    def one() -> ThrowawayServer:
        started.append(ThrowawayServer(LocalBackend(secrets.token_hex(4)), engine))
        return started[-1]

    yield one
    for server in started:
        server.close()


def entry(place: Path) -> Path:
    (found,) = (place / cache.READY).iterdir()
    return found


def test_the_second_server_needs_no_data_directory_made(engine, place, ran, start):
    """The first one's is kept as it was before the server ran; the second has a copy of it."""
    first, maker = start(), engine.recipe.init_argv[0]
    first.create("only_here")
    assert ran.count(maker) == 1
    second = start()
    assert ran.count(maker) == 1
    with pytest.raises(DatabaseError):
        second.guard.connect("only_here", "test")
    second.create("only_here")


def test_each_server_has_a_password_and_a_nonce_of_its_own(engine, place, start):
    """What opened the first server, or proved who it is, is worth nothing on the second."""
    first, second = start(), start()
    assert first.address.password != second.address.password
    with pytest.raises(DatabaseError) as refused:
        engine.connector.connect(
            replace(second.address, password=first.address.password),
            engine.databases.maintenance,
            application="test",
        )
    assert not refused.value.lost
    with pytest.raises(GuardRefused, match="another one"):
        check(engine, second.observer(), first.guard.nonce, first.guard.identity)
    check(engine, second.observer(), second.guard.nonce, second.guard.identity)


def test_no_password_is_among_what_is_kept(engine, place, start):
    """Nor what a server makes of it: the copy that is kept was never that of a server."""
    server = start()
    server.close()
    data = entry(place) / cache.DATA
    for path in data.rglob("*"):
        if path.is_file():
            assert server.address.password.encode() not in path.read_bytes()
    assert not any((data / name).exists() for name in engine.recipe.identity_files)


def test_one_that_was_cut_is_made_anew(engine, place, ran, start):
    """It is thrown away before any server sees it."""
    start()
    largest = max((entry(place) / cache.DATA).rglob("*"), key=lambda path: path.stat().st_size)
    os.truncate(largest, largest.stat().st_size // 2)
    start().create("works")
    assert ran.count(engine.recipe.init_argv[0]) == 2


def test_without_a_place_to_keep_it_each_is_made_anew(engine, monkeypatch, ran, start):
    """A machine on which nothing can be kept runs servers all the same."""
    monkeypatch.setenv("MDRILL_CACHE", "/proc/cache")
    start()
    start().create("works")
    assert ran.count(engine.recipe.init_argv[0]) == 2


def test_another_way_of_making_it_is_another_one(engine, place, ran):
    """A changed argument of the program that makes it never gets what was made without."""
    for more in ((), ("--no-clean",) if "initdb" in engine.recipe.init_argv else ("--verbose",)):
        recipe = replace(engine.recipe, init_argv=(*engine.recipe.init_argv, *more))
        LocalBackend("tests").start(recipe).destroy()
    assert ran.count(engine.recipe.init_argv[0]) == 2
    assert len(list((place / cache.READY).iterdir())) == 2

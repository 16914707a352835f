"""A local server on the data of another one that was ended cleanly: its rows, and not its keys."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import places
import pytest

from harness.backends.local import LocalBackend
from harness.cache import Cache
from harness.errors import DatabaseError, EnvironmentProblem, GuardRefused
from harness.ports import Engine
from harness.servers.guard import check
from harness.servers.throwaway import ThrowawayServer
from harness.state.snapshot import take

pytestmark = pytest.mark.matrix(of=2)

ENGINES = ("postgres", "mysql", "mariadb")
CHANGED = {"postgres": "ALTER SYSTEM SET work_mem = '5MB'"}
OTHERWISE = "SET GLOBAL max_error_count = 65"


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> Engine:
    return places.local(request.param)


@pytest.fixture
def first(engine: Engine) -> Iterator[ThrowawayServer]:
    """A server with a database that has rows."""
    with ThrowawayServer(LocalBackend(secrets.token_hex(4)), engine) as server:
        server.create("kept")
        session = server.session("kept")
        session.run("CREATE TABLE users (id integer PRIMARY KEY, name varchar(20))")
        session.run("INSERT INTO users VALUES (1, 'one'), (2, 'two')")
        yield server


@pytest.fixture
def second(engine: Engine, first: ThrowawayServer, tmp_path: Path) -> Iterator[ThrowawayServer]:
    """Another one on a copy of the first one's data, while the first runs on."""
    kept = Cache(tmp_path / "cache")
    assert first.at_rest(partial(kept.keep, "kind", "key"))
    fill = partial(kept.take, "kind", "key")
    with ThrowawayServer(LocalBackend(secrets.token_hex(4)), engine, fill=fill) as server:
        yield server


def test_it_holds_what_the_first_one_held(engine, first, second):
    """And so does the first, which was started again."""
    one, other = (take(engine, server.session("kept")) for server in (first, second))
    assert one == other
    assert one.rows() == 2
    second.session("kept").run("INSERT INTO users VALUES (3, 'three')")
    assert take(engine, first.session("kept")) == one


def test_the_first_ones_password_does_not_open_it(engine, first, second):
    """Nor does the second one's open the first."""
    for here, there in ((first, second), (second, first)):
        with pytest.raises(DatabaseError) as refused:
            engine.connector.connect(
                replace(there.address, password=here.address.password), "kept", application="test"
            )
        assert not refused.value.lost


def test_the_first_ones_nonce_is_refused_in_every_database(engine, first, second):
    """The copy brought it along, and it was replaced; the second one's own proves the second."""
    for database in ("kept", engine.databases.maintenance):
        session = second.session(database)
        check(engine, session, second.guard.nonce, second.guard.identity)
        with pytest.raises(GuardRefused, match="another one"):
            check(engine, session, first.guard.nonce, second.guard.identity)
    with pytest.raises(GuardRefused):
        check(engine, first.session("kept"), second.guard.nonce, first.guard.identity)
    second.create("later")
    assert engine.databases.read_nonce(second.session("later")) == second.guard.nonce


def test_a_restart_changes_no_setting_unless_one_was_made_for_that_run(engine, first):
    """So that what does not outlive a restart can be told."""
    settings = engine.databases.settings
    before = settings(first.observer())
    assert len(before) > 100
    assert first.at_rest(lambda data: None)
    assert settings(first.observer()) == before
    first.observer().run(CHANGED.get(engine.name, OTHERWISE))
    changed = settings(first.observer())
    assert first.at_rest(lambda data: None)
    assert settings(first.observer()) != changed


def test_what_cannot_be_filled_starts_no_server(engine):
    """Nothing is left of it either."""
    backend = LocalBackend(secrets.token_hex(4))
    with pytest.raises(EnvironmentProblem, match="kept"):
        backend.start_on(engine.recipe, lambda data: False)
    assert backend.leftovers() == []

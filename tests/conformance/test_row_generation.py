"""Generated rows, put before a real server of each engine, which refuses what is not right."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from row_worlds import BOOKKEEPING, SCHEMAS, scalar, world

from harness.backends.docker import DockerBackend
from harness.backends.local import LocalBackend
from harness.ports import Session
from harness.row_generation import fill
from harness.servers.guard import Guard

pytestmark = pytest.mark.matrix(of=2)

BACKENDS = {"local": LocalBackend, "docker": DockerBackend}
ROWS = 150

OTHERS = {"few": 2, "role_flags": 18, "yearly": 1, "audit": 2 * ROWS}
"""Tables of the nasty schema whose keys allow no more: booleans, three roles, one year; and one
to which a trigger adds."""
FEWER_IN = {"postgres": {"one_default": range(3, ROWS)}, "mysql": {}}
EMPTY = {
    "impossible": "no values were found that satisfy the check",
    "of_impossible": "its parent impossible has no rows",
    "refused": "not on a weekday",
}
EMPTY_IN = {"postgres": {"no_partition_yet": "no partition of relation"}, "mysql": {}}


def sources(bench: Any, session: Session) -> dict[str, str]:
    """Each table as a report names it, and its own rows in FROM."""
    return {spec.name: spec.source for spec in bench.engine.table_specs.specs(session)}


@pytest.fixture
def another(bench: Any) -> Iterator[Session]:
    """A session in the nasty schema on a second server, made the same way."""
    backend = BACKENDS[bench.server.facts.backend](f"filling-{secrets.token_hex(4)}")
    server = backend.start(bench.engine.recipe)
    try:
        guard = Guard(bench.engine, server)
        guard.adopt(60)
        admin = guard.connect(bench.engine.databases.maintenance, "admin", deadline_s=30)
        bench.engine.databases.create(admin, "second")
        session = guard.connect("second", "test", deadline_s=30)
        path = SCHEMAS / f"nasty-{bench.engine.dialect}.sql"
        session.run_file(path.read_text("utf-8"))
        yield session
        session.close()
        admin.close()
    finally:
        server.destroy()


def test_every_type_and_constraint_gets_rows(bench):
    """All tables have what was asked for, or what their keys allow, or say why they have none."""
    dialect = bench.engine.dialect
    filled = {f.table: f for f in fill(bench.engine, world(bench, "nasty"), ROWS, {BOOKKEEPING})}
    empty = EMPTY | EMPTY_IN[dialect]
    for table, why_not in empty.items():
        assert filled[table].rows == 0
        assert why_not in filled[table].why_not
    for table, some in FEWER_IN[dialect].items():
        assert filled[table].rows in some
    assert {
        f.table: (f.rows, f.why_not)
        for f in filled.values()
        if f.table not in {*empty, *FEWER_IN[dialect]} and f.rows != OTHERS.get(f.table, ROWS)
    } == {}
    assert len(filled) > 30


def test_the_report_agrees_with_the_tables(bench):
    """The number told is the number there."""
    session = world(bench, "nasty")
    of = sources(bench, session)
    for f in fill(bench.engine, session, 20, {BOOKKEEPING}):
        there = scalar(session, f"SELECT count(*) FROM {of[f.table]}")
        assert (f.table, f.rows) == (f.table, there)
        assert bool(f.why_not) == (there == 0)


@pytest.mark.parametrize("rows", [1, 2, 7])
def test_a_few_rows_will_do(bench, rows):
    """Small numbers have the same answers as large ones."""
    told = fill(bench.engine, world(bench, "nasty"), rows, {BOOKKEEPING})
    empty = {*EMPTY, *EMPTY_IN[bench.engine.dialect]}
    assert {f.table: f.why_not for f in told if not f.rows and f.table not in empty} == {}


def test_two_servers_get_the_same_rows(bench, another):
    """Neither chance nor the clock has a say in any value."""
    first = world(bench, "nasty")
    tables = {f.table: f for f in fill(bench.engine, first, ROWS, {BOOKKEEPING})}
    assert tables == {f.table: f for f in fill(bench.engine, another, ROWS, {BOOKKEEPING})}
    for table, source in sources(bench, first).items():
        if table in tables:
            rows = [
                sorted(map(repr, s.run(f"SELECT * FROM {source}").rows)) for s in (first, another)
            ]
            assert (table, rows[0]) == (table, rows[1])


def test_values_differ_and_some_are_missing(bench):
    """Rows that are all alike, or all complete, would hide what a migration does to others."""
    session = world(bench, "nasty")
    fill(bench.engine, session, ROWS, {BOOKKEEPING})
    for table, column in (("accounts", "email"), ("products", "price"), ("categories", "name")):
        found = scalar(session, f"SELECT count(DISTINCT {column}) FROM {table}")
        assert (column, found > 0.9 * ROWS) == (column, True)
    missing = scalar(session, "SELECT count(*) FROM accounts WHERE country IS NULL")
    assert 0 < missing < ROWS / 2
    active = scalar(session, "SELECT count(*) FROM accounts WHERE status = 'active'")
    assert ROWS / 3 <= active < ROWS * 2 / 3


def test_parents_have_several_children(bench):
    """And some have none; yet where a parent may have only one child, each has its own."""
    session = world(bench, "app")
    fill(bench.engine, session, 300, {BOOKKEEPING})
    sql = "SELECT count(*) FROM {0} p WHERE (SELECT count(*) FROM {1} c WHERE c.{2} = p.id) {3}"
    many, none = (sql.format("orders", "order_items", "order_id", n) for n in ("> 1", "= 0"))
    if bench.engine.dialect == "postgres":
        many, none = (text.replace("order_items", "order_lines") for text in (many, none))
    assert scalar(session, many) > 0
    assert scalar(session, none) > 0


def test_cycles_are_closed(bench):
    """Whichever link had to wait points at a row in the end, through no gap in the constraints."""
    session = world(bench, "nasty")
    fill(bench.engine, session, ROWS, {BOOKKEEPING})
    orphans = "SELECT count(*) FROM {0} c WHERE NOT EXISTS (SELECT 1 FROM {1} p WHERE p.id = c.{2})"
    links = [("dog", "cat", "cat_id"), ("cat", "dog", "dog_id"), ("flea", "dog", "dog_id")]
    if bench.engine.dialect == "postgres":
        links += [("hen", "egg", "egg_id"), ("egg", "hen", "hen_id")]
    for child, parent, column in links:
        assert scalar(session, orphans.format(child, parent, column)) == 0
    for table, column in (("categories", "parent_id"), ("departments", "head_id")):
        linked = scalar(session, f"SELECT count(*) FROM {table} WHERE {column} IS NOT NULL")
        assert linked > ROWS / 2


def test_numbers_of_the_server_go_on(bench):
    """A row that the migration inserts later does not collide with a generated one."""
    session = world(bench, "nasty")
    fill(bench.engine, session, ROWS, {BOOKKEEPING})
    session.run("INSERT INTO categories (name) VALUES ('later')")
    assert scalar(session, "SELECT id FROM categories WHERE name = 'later'") > ROWS
    assert scalar(session, "SELECT count(*) FROM categories") == ROWS + 1


def test_what_is_there_is_left_alone(bench):
    """Tables with rows, a tool's bookkeeping, and everything on a second call."""
    session = world(bench, "nasty")
    first = fill(bench.engine, session, 30, {f"public.{BOOKKEEPING}"})
    assert not {"roles", BOOKKEEPING} & {f.table for f in first}
    assert scalar(session, "SELECT count(*) FROM roles") == 3
    assert scalar(session, f"SELECT count(*) FROM {BOOKKEEPING}") == 0
    again = fill(bench.engine, session, 30, {BOOKKEEPING})
    assert {f.table for f in again} == {f.table for f in first if not f.rows}
    assert scalar(session, "SELECT count(*) FROM accounts") == 30


def test_an_application_is_filled_as_a_whole(bench):
    """Thirty tables and more: none is short but for the two letters of a country."""
    filled = fill(bench.engine, world(bench, "app"), 1000, {BOOKKEEPING})
    assert {f.table: (f.rows, f.why_not) for f in filled if f.rows != 1000} in (
        {},
        {"countries": (676, "")},
    )
    assert len(filled) >= 28


def test_a_database_without_tables_is_no_trouble(bench):
    """There is nothing to tell."""
    name = bench.new_name()
    bench.engine.databases.create(bench.admin(), name)
    assert fill(bench.engine, bench.connect(database=name), 10) == ()

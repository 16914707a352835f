"""A pruned sweep says of every crash point what an exhaustive one says.

Twenty migrations of many kinds. ``MDRILL_SEED`` draws one for each tool and engine;
``MDRILL_WHOLE=1`` takes them all.
"""

from __future__ import annotations

from random import Random

import pytest
from places import SEED, WHOLE

FIRST = """\
CREATE TABLE guests (id integer PRIMARY KEY, name varchar(80) NOT NULL, room varchar(20));
CREATE TABLE bills (id integer PRIMARY KEY, guest_id integer NOT NULL, note varchar(200) NOT NULL,
  CONSTRAINT bills_guest FOREIGN KEY (guest_id) REFERENCES guests (id));
"""
KINDS = {
    "column": "ALTER TABLE guests ADD COLUMN phone varchar(20);",
    "default": "ALTER TABLE guests ADD COLUMN stars integer NOT NULL DEFAULT 3;",
    "index": "CREATE INDEX guests_name ON guests (name);",
    "table": "CREATE TABLE doors (id integer PRIMARY KEY, label varchar(9));",
    "copy": "CREATE TABLE old_guests (id integer, name varchar(80));"
    "INSERT INTO old_guests SELECT id, name FROM guests;",
    "update": "UPDATE guests SET name = CONCAT(name, '.');",
    "update-and-index": "UPDATE guests SET room = '1';\nCREATE INDEX guests_room ON guests (room);",
    "delete": "DELETE FROM bills WHERE id > 3;",
    "three": "ALTER TABLE bills ADD COLUMN a integer;\nALTER TABLE bills ADD COLUMN b integer;\n"
    "UPDATE bills SET a = id, b = id;",
    "drop-column": "ALTER TABLE guests DROP COLUMN room;",
    "drop-table": "DROP TABLE bills;",
    "view": "CREATE VIEW names AS SELECT name FROM guests;",
    "unique": "ALTER TABLE guests ADD CONSTRAINT guests_whole UNIQUE (id, name);",
    "check": "ALTER TABLE guests ADD CONSTRAINT guests_id CHECK (id > -1);",
    "rename": "ALTER TABLE guests RENAME COLUMN name TO full_name;",
    "rows": "INSERT INTO guests (id, name) VALUES (900001, 'new');",
    "many": "\n".join(f"ALTER TABLE guests ADD COLUMN c{n} integer;" for n in range(9)),
    "mixed": "UPDATE guests SET room = '2';\nALTER TABLE guests ADD COLUMN floor integer;\n"
    "UPDATE guests SET floor = 4;\nCREATE TABLE floors (id integer PRIMARY KEY);",
    "type": "CREATE TABLE prices (id integer PRIMARY KEY, p decimal(9, 2) NOT NULL);",
    "nothing": "SELECT 1;",
}
TOOLS = (
    ("golang-migrate", "{n}_{kind}.up.sql", ("postgres", "mysql", "mariadb")),
    ("psql-single-transaction", "{n}_{kind}.sql", ("postgres",)),
    ("goose", "{n}_{kind}.sql", ("postgres", "mysql")),
)
CASES = [(tool, name, engine) for tool, name, engines in TOOLS for engine in engines]


def drawn(case: str) -> list[str]:
    """Each migration begins from the first state, so the others change nothing of it."""
    kinds = sorted(KINDS)
    return kinds if WHOLE else Random(f"{SEED} {case}").sample(kinds, 1)


def answers(outcome) -> dict[tuple[str, str], tuple[object, ...]]:
    return {
        (m.version, c.point): (c.left.name, c.applied, c.stuck, c.grade, c.heals)
        for m in outcome.result.migrations
        for c in m.every_cell
        if not c.missed
    }


@pytest.mark.matrix(of=2)
@pytest.mark.parametrize(("tool", "name", "engine"), CASES, ids=lambda value: str(value)[:20])
def test_it_says_what_an_exhaustive_one_says(sweep, tool, name, engine):
    for kind in drawn(f"{tool} {engine}"):
        head = "-- +goose Up\n" if tool == "goose" else ""
        again = "CREATE TABLE shape_{n} (id integer PRIMARY KEY);"
        files = {
            name.format(n=1, kind="first"): head + FIRST,
            name.format(n=2, kind="shape"): head + again.format(n=2),
            name.format(n=3, kind=kind): head + KINDS[kind],
        }
        more = ("--tool", tool, "--rows", "20", "--range", "2..3")
        pruned = sweep(files, engine, *more)
        whole = sweep(files, engine, *more, "--exhaustive")
        said, true = answers(pruned), answers(whole)
        common = said.keys() & true.keys()
        assert {point: said[point] for point in common} == {p: true[p] for p in common}
        assert said.keys() >= true.keys()
        assert (sum(whole.result.by_rule.values()), pruned.result.revoked) == (0, ())
        assert sum(pruned.result.by_rule.values()) > 0

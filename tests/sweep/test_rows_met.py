"""A migration that fails on rows, and one that was not tried on any: told in every output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree as Xml

import pytest

QUICK = ("--tool", "psql", "--ways", "client-sigkill", "--rows", "60")
FIRST = """\
CREATE TABLE readings (id integer PRIMARY KEY, level integer NOT NULL, unit varchar(60) NOT NULL);
CREATE TABLE never (id integer PRIMARY KEY, n integer NOT NULL, CHECK (n > 5 AND n < 3));
"""
NEGATIVE = "ALTER TABLE readings ADD CONSTRAINT no_frost CHECK (level >= 0);"
UNTOUCHED = """\
UPDATE readings SET unit = 'K' WHERE id = -4711;
UPDATE never SET n = 4;
"""
CODES = {"postgres": "23514", "mysql": "3819", "mariadb": "4025"}


@pytest.fixture
def failing(sweep: Callable[..., Any], engine: str) -> Any:
    return sweep({"1_first.sql": FIRST, "2_frost.sql": NEGATIVE}, engine, *QUICK, "--only", "2")


def test_the_rows_on_which_it_fails_are_told(failing, engine):
    """By key and value; the migration goes through on the others, and is struck on them."""
    reference = failing.migration("2").reference
    assert CODES[engine] in reference.fails_with_rows or "no_frost" in reference.fails_with_rows
    assert "of readings" in reference.failing_rows
    assert "level -" in reference.failing_rows
    assert reference.passing_rows > 0
    assert reference.states[0].rows >= reference.passing_rows
    assert not any(cell.missed for cell in failing.cells("2"))


def test_that_is_the_answer_everywhere(failing):
    assert failing.code == 1
    assert [(f.point, f.grade) for f in failing.result.against] == [("on rows", "fails-on-rows")]
    assert "1 migration failing on tables with rows" in failing.file("sweep.md")
    assert "**fails**" in failing.file("sweep.md")
    assert "- [ ] **Does it go through on tables with rows?**" in failing.file("readiness.md")
    root = Xml.fromstring(failing.file("junit.xml"))
    (failure,) = (f for f in root.iter("failure") if f.get("type") == "fails-on-rows")
    assert "readings" in str(failure.get("message"))


@pytest.fixture
def untouched(sweep: Callable[..., Any], engine: str) -> Any:
    return sweep({"1_first.sql": FIRST, "2_units.sql": UNTOUCHED}, engine, *QUICK, "--only", "2")


def test_what_met_no_rows_is_not_known(untouched):
    """A table that nothing can be put into, and a statement that found nothing to change."""
    reference = untouched.migration("2").reference
    assert [table.rpartition(".")[2] for table in reference.without_rows] == ["never"]
    assert reference.idle == (
        "UPDATE readings changed nothing in its 60 rows",
        "UPDATE never met no rows: there are none",
    )
    assert untouched.code == 3
    assert {f.point for f in untouched.result.unknown} == {
        f"rows of {reference.without_rows[0]}",
        *(f"work of {idle}" for idle in reference.idle),
    }
    assert "not known" in untouched.file("sweep.md")
    errors = [
        str(e.get("message")) for e in Xml.fromstring(untouched.file("junit.xml")).iter("error")
    ]
    assert len(errors) == 3


def test_a_statement_without_rows_has_no_middle_that_could_be_missed(untouched):
    """Nothing holds it, and that is no crash point of which nothing was learned."""
    cells = untouched.cells("2")
    assert {cell.where for cell in cells} == {"before"}
    assert not any(cell.missed for cell in cells)


BEHIND = {
    "postgres": (
        "CREATE TABLE visits (id serial PRIMARY KEY, at_door integer);",
        "SELECT setval('visits_id_seq', 1, false);",
        "SELECT setval('visits_id_seq', 100000);",
    ),
    "mariadb": (
        "CREATE SEQUENCE visits_no;"
        "CREATE TABLE visits (id bigint DEFAULT nextval(visits_no) PRIMARY KEY, at_door integer);",
        "ALTER SEQUENCE visits_no RESTART 1;",
        "ALTER SEQUENCE visits_no RESTART 100000;",
    ),
}


@pytest.mark.parametrize("name", BEHIND)
@pytest.mark.matrix(of=2)
def test_a_next_value_left_behind_is_told_as_the_error_that_follows(sweep, name):
    """A gap forward is no damage."""
    first, back, forward = BEHIND[name]
    files = {"1_a.sql": first, "2_back.sql": back, "3_forward.sql": forward}
    outcome = sweep(files, name, *QUICK)
    told = [
        (f.migration, f.grade, f.says) for f in outcome.result.findings if "next value" in f.point
    ]
    ((version, grade, says),) = told
    assert (version, grade) == ("2", "fails-on-rows")
    assert ("23505" if name == "postgres" else "1062") in says
    assert outcome.code == 1


def test_a_column_made_from_a_document_gets_rows(sweep):
    """And so a migration on that table is struck on rows, half way as well."""
    files = {
        "1_a.sql": (
            "CREATE TABLE parcels (code varchar(50) PRIMARY KEY, body json NOT NULL, "
            "town varchar(50) GENERATED ALWAYS AS (body ->> '$.address.town') STORED NOT NULL);"
        ),
        "2_b.sql": "ALTER TABLE parcels ADD COLUMN weight int;\nUPDATE parcels SET weight = 1;",
    }
    outcome = sweep(files, "mysql", *QUICK, "--only", "2")
    assert outcome.migration("2").reference.is_looked_at
    assert "1 of 2" in {cell.left.name for cell in outcome.cells("2")}

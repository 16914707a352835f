"""Where a way down leads: compared with the state before, with rows written in between.

Each pair of scripts stands for one verdict; what is right was written by hand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

FIRST = """\
CREATE TABLE guests (id integer PRIMARY KEY, name varchar(80) NOT NULL, room varchar(20));
CREATE TABLE bills (
  id integer PRIMARY KEY, guest_id integer NOT NULL, note varchar(200) NOT NULL,
  CONSTRAINT bills_guest FOREIGN KEY (guest_id) REFERENCES guests (id)
);
CREATE TABLE stamps (a integer NOT NULL, b integer NOT NULL, said varchar(20) NOT NULL,
  PRIMARY KEY (a, b));
"""
COMMON: Mapping[str, tuple[str, str]] = {
    "2_column": (
        "ALTER TABLE guests ADD COLUMN phone varchar(20);",
        "ALTER TABLE guests DROP COLUMN phone;",
    ),
    "3_table": ("CREATE TABLE doors (id integer PRIMARY KEY, a varchar(9));", "DROP TABLE doors;"),
    "4_data_lost": (
        "ALTER TABLE guests DROP COLUMN room;",
        "ALTER TABLE guests ADD COLUMN room varchar(20);",
    ),
    "5_letters": ("UPDATE guests SET name = LOWER(name);", "SELECT 1;"),
    "6_trimmed": ("UPDATE stamps SET said = TRIM(said);", "SELECT 1;"),
    "7_other_schema": (
        "ALTER TABLE bills DROP COLUMN note;",
        "ALTER TABLE bills ADD COLUMN note varchar(100);",
    ),
    "8_nothing": ("CREATE INDEX guests_name ON guests (name);", ""),
    "9_for_good": (
        "-- mdrill: irreversible: the old numbers were wrong\nUPDATE bills SET id = id + 1000000;",
        "",
    ),
    "10_fails": (
        "CREATE INDEX stamps_said ON stamps (said);",
        "DROP TABLE there_is_no_such_table;",
    ),
    "11_emptied": ("ALTER TABLE stamps ADD COLUMN n integer;", "DELETE FROM stamps;"),
}
OF_MYSQL: Mapping[str, tuple[str, str]] = {
    "12_more": (
        "CREATE INDEX bills_guest_2 ON bills (id, guest_id);",
        "DROP INDEX bills_guest_2 ON bills; DROP INDEX guests_name ON guests;",
    ),
}
OF_POSTGRES: Mapping[str, tuple[str, str]] = {
    "12_more": (
        "CREATE INDEX bills_guest_2 ON bills (id, guest_id);",
        "DROP INDEX bills_guest_2; DROP INDEX guests_name;",
    ),
}
LEADS = {
    "2": "restores-everything",
    "3": "restores-everything",
    "4": "restores-schema-loses-data",
    "5": "restores-schema-loses-data",
    "6": "restores-schema-loses-data",
    "7": "schema-differs",
    "8": "no-way-down",
    "9": "declared-irreversible",
    "10": "fails",
    "11": "schema-differs",
    "12": "removes-what-up-never-made",
}
QUICK = ("--ways", "client-sigkill", "--rows", "60")


def folder(engine: str) -> dict[str, str]:
    """As golang-migrate has it."""
    own = OF_POSTGRES if engine == "postgres" else OF_MYSQL
    files = {"1_first.up.sql": FIRST, "1_first.down.sql": "DROP TABLE stamps, bills, guests;"}
    for name, (up, down) in {**COMMON, **own}.items():
        files[f"{name}.up.sql"] = up
        if down:
            files[f"{name}.down.sql"] = down
    return files


@pytest.fixture
def swept(sweep: Callable[..., Any], some_engine: str) -> Any:
    return sweep(folder(some_engine), some_engine, *QUICK)


def test_it_is_told_where_each_way_down_leads(swept):
    found = {m.version: str(m.rollback.leads) for m in swept.result.migrations}
    assert found.pop("1") == "restores-everything"
    assert found == LEADS
    assert swept.code == 1


def test_what_is_lost_is_told_by_column_and_row(swept):
    """Never a hash: the table, the column, how many values, and which rows. Of 60 rows six were
    edited meanwhile, and are told with what was written.
    """
    (room,) = swept.migration("4").rollback.data
    assert "guests: " in room
    assert "of 54 rows differ" in room
    assert "values of room " in room
    assert "room '" in room
    (name,) = swept.migration("5").rollback.data
    assert "→" in name
    assert "guests" in name
    (said,) = swept.migration("6").rollback.data
    assert "stamps" in said
    assert "a " in said.partition(": ")[2]
    (emptied,) = swept.migration("11").rollback.data
    assert "54 gone" in emptied
    assert any("6 gone" in line for line in swept.migration("11").rollback.undone)
    assert "note" in " ".join(swept.migration("7").rollback.schema)
    assert "guests_name" in " ".join(swept.migration("12").rollback.schema)
    assert "there_is_no_such_table" in swept.migration("10").rollback.says
    assert swept.migration("9").rollback.says == "the old numbers were wrong"


def test_what_was_written_meanwhile_is_told_apart(swept):
    """The way down is right, and yet what came into the new column goes with it."""
    column, table = (swept.migration(version).rollback for version in ("2", "3"))
    (phones,) = column.meanwhile
    assert "guests.phone, which is gone" in phones
    assert column.written >= 3 * 5
    (doors,) = table.meanwhile
    assert "5 rows of " in doors
    assert "doors, which is gone" in doors
    assert swept.migration("8").rollback.meanwhile == ()


def test_the_reports_tick_nothing_that_lies(swept):
    """The checklist, the findings and the exit code say the same."""
    told = {f.migration: f.grade for f in swept.result.findings if f.point == "way back"}
    assert set(told) == {"4", "5", "6", "7", "10", "11", "12"}
    assert {f.migration for f in swept.result.against if f.point == "way back"} == set(told)


def test_the_way_down_is_killed_as_well(swept):
    assert {cell.down for cell in swept.migration("2").down_cells} == {True}
    assert {cell.where for cell in swept.migration("2").down_cells} == {"before", "inside"}


def test_a_trigger_that_answers_a_write_is_no_loss_of_the_way_down(sweep):
    """A row that was there changes because the application wrote another one; and what the way
    down itself does to such rows is seen all the same.
    """
    files = {
        "1_a.up.sql": (
            "CREATE TABLE totals (id integer PRIMARY KEY, n integer NOT NULL);"
            "INSERT INTO totals VALUES (1, 0);"
            "CREATE TABLE hits (id integer PRIMARY KEY, page varchar(30));"
            "CREATE FUNCTION count_hit() RETURNS trigger LANGUAGE plpgsql AS "
            "'BEGIN UPDATE totals SET n = n + 1; RETURN NEW; END';"
            "CREATE TRIGGER counted AFTER INSERT ON hits FOR EACH ROW "
            "EXECUTE FUNCTION count_hit();"
        ),
        "2_b.up.sql": "CREATE INDEX hits_page ON hits (page);",
        "2_b.down.sql": "DROP INDEX hits_page;",
    }
    outcome = sweep(files, "postgres", *QUICK, "--only", "2")
    assert str(outcome.migration("2").rollback.leads) == "restores-everything"
    files["2_b.down.sql"] += "UPDATE totals SET n = -5;"
    lying = sweep(files, "postgres", *QUICK, "--only", "2")
    assert str(lying.migration("2").rollback.leads) == "restores-schema-loses-data"
    assert "n " in " ".join(lying.migration("2").rollback.data)

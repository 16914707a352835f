"""Numbers that the server gives: a run after a crash gets others, and that alone is no damage."""

from __future__ import annotations

import re

import pytest

QUICK = ("--ways", "client-sigkill", "--ways", "session-kill", "--rows", "20", "--only", "2")
NUMBERED = {
    "postgres": ("serial", "'crew ' || id"),
    "mariadb": ("integer AUTO_INCREMENT", "CONCAT('crew ', id)"),
    "mysql": ("integer AUTO_INCREMENT", "CONCAT('crew ', id)"),
}
FIRST = """\
CREATE TABLE ships (id {number} PRIMARY KEY, name varchar(40) NOT NULL);
CREATE TABLE crews (id {number} PRIMARY KEY, ship integer NOT NULL, title varchar(40),
  CONSTRAINT crews_ship FOREIGN KEY (ship) REFERENCES ships (id));
"""
SECOND = """\
INSERT INTO ships (name) VALUES ('new one'), ('new two');
INSERT INTO crews (ship, title) SELECT id, {title} FROM ships WHERE name LIKE 'new %';
"""


def folder(engine: str, second: str = SECOND) -> dict[str, str]:
    number, title = NUMBERED[engine]
    return {
        "1_first.up.sql": FIRST.format(number=number),
        "2_second.up.sql": second.format(title=title),
    }


@pytest.mark.parametrize("engine", NUMBERED)
@pytest.mark.matrix(of=2)
def test_rows_that_get_other_numbers_after_a_crash_are_no_damage(sweep, engine):
    """The numbers, what refers to them and what is made of them; they are listed, from which on."""
    outcome = sweep(folder(engine), engine, *QUICK)
    told = {
        name.rpartition(".")[2]: tuple(re.sub(r"from \d\d$", "from N", c) for c in columns)
        for name, columns in outcome.migration("2").reference.volatile.items()
    }
    assert told["ships"] == ("id from N",)
    assert told["crews"] == ("id from N", "ship from N", "title")
    grades = {cell.grade for cell in outcome.cells("2")}
    assert not grades & {"unhealed", "loses-data"}, grades


RENUMBERED = """\
INSERT INTO ships (name) VALUES ('new one');
UPDATE crews SET ship = ship + 1 WHERE ship < 20;
"""


def test_numbers_of_rows_that_were_there_count(sweep):
    """A re-run that changes them once more is caught, for those are compared as ever."""
    outcome = sweep(folder("postgres", RENUMBERED), "postgres", "--tool", "psql", *QUICK)
    halves = {c.left.name for c in outcome.cells("2")} & {"2 of 2", "after"}
    assert halves, [c.left.name for c in outcome.cells("2")]
    rerun = [a for a in outcome.healing("2", "after").attempts if a.kind == "re-run"]
    assert [attempt.healed for attempt in rerun] == [False]


CHILD_COMES_LAST = """\
CREATE TABLE ships (id serial PRIMARY KEY, name varchar(40) NOT NULL);
CREATE TABLE voyages (id serial PRIMARY KEY, ship integer NOT NULL REFERENCES ships (id));
INSERT INTO ships (name) VALUES ('Argo'), ('Beagle');
"""
"""Two numbers of ships are given by then, and of voyages as many as rows are generated."""
BOTH = """\
INSERT INTO ships (name) VALUES ('new one');
INSERT INTO voyages (ship) SELECT id FROM ships WHERE name = 'new one';
"""


def test_another_tables_smaller_number_hides_no_old_value(sweep):
    """Of each column only those numbers are left out that its own counter gave."""
    files = {"1_first.up.sql": CHILD_COMES_LAST, "2_second.up.sql": BOTH}
    outcome = sweep(files, "postgres", *QUICK)
    assert outcome.migration("2").reference.volatile == {
        "public.ships": ("id from 3",),
        "public.voyages": ("id from 21", "ship from 3"),
    }

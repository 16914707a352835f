"""Definitions that differ from run to run: what differs is left out, and all else is compared."""

from __future__ import annotations

import pytest

QUICK = ("--ways", "client-sigkill", "--rows", "20")
TABLE = "CREATE TABLE logs (id integer PRIMARY KEY, said varchar(90), at_time integer);\n"
NUMBER = {"postgres": "(random() * 1e12)::bigint + 4000000000", "mysql": "FLOOR(RAND() * 1e12)"}
ENGINES = ("postgres", "mysql", "mariadb")


def executed(engine: str, text: str, number: str = "") -> str:
    """A statement with a number for ``%``: another one in every run if none is given."""
    dialect = "postgres" if engine == "postgres" else "mysql"
    number = number or NUMBER[dialect]
    quoted = text.replace("'", "''")
    if dialect == "postgres":
        told = quoted.replace("%", "%1$s")
        return f"DO $$ BEGIN EXECUTE format('{told}', {number}); END $$;\n"
    return (
        f"SET @n = {number};\nSET @s = REPLACE('{quoted}', '%', @n);\n"
        "PREPARE p FROM @s;\nEXECUTE p;\nDEALLOCATE PREPARE p;\n"
    )


def commented(engine: str, words: str, number: str = "") -> str:
    """A comment on the table."""
    told = f" '{words} %'"
    on = "COMMENT ON TABLE logs IS" if engine == "postgres" else "ALTER TABLE logs COMMENT ="
    return executed(engine, on + told, number)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.matrix(of=2)
def test_what_does_not_differ_in_such_a_definition_is_compared(sweep, engine):
    """The column's type tells one state from the next, whatever its default is in this run."""
    make = executed(engine, "ALTER TABLE logs ADD COLUMN k bigint DEFAULT %")
    again = "ALTER TABLE logs ALTER COLUMN k TYPE varchar(60);\n"
    if engine != "postgres":
        again = executed(engine, "ALTER TABLE logs MODIFY COLUMN k varchar(60) DEFAULT %", "@n")
    files = {"1_a.sql": TABLE, "2_b.sql": make + again}
    outcome = sweep(files, engine, "--tool", "psql", *QUICK, "--only", "2")
    migration = outcome.migration("2")
    (differs,) = (v for k, v in migration.reference.volatile.items() if k.endswith("logs.k"))
    assert differs == ("DEFAULT …",) or "DEFAULT '…" in differs, migration.reference.volatile
    assert len(migration.reference.states) == 3
    assert len({cell.left.name for cell in outcome.cells("2")}) == 3
    assert {cell.grade for cell in outcome.cells("2")} <= {"done", "self-heals", "needs-hand-work"}


@pytest.fixture(params=ENGINES, scope="module")
def back(sweep, request):
    """A way down that makes anew what the way up took away; and three that lead elsewhere."""
    engine = request.param
    first, number = TABLE + commented(engine, "made"), "777"
    gone = commented(engine, "gone", number)
    files = {
        "1_a.up.sql": first,
        "1_a.down.sql": "DROP TABLE logs;",
        "2_back.up.sql": gone,
        "2_back.down.sql": commented(engine, "made"),
        "3_other.up.sql": gone,
        "3_other.down.sql": commented(engine, "built"),
        "4_left.up.sql": commented(engine, "made"),
        "4_left.down.sql": "SELECT 1;",
    }
    return sweep(files, engine, *QUICK)


def test_a_way_down_may_make_anew_what_differs_from_run_to_run(back):
    """The number is another one after every way down, and that is no lie; another word is one.

    So is a number that only the way up makes another one: nothing has led back from it.
    """
    assert {m.version: str(m.rollback.leads) for m in back.result.migrations} == {
        "1": "restores-everything",
        "2": "restores-everything",
        "3": "schema-differs",
        "4": "schema-differs",
    }
    assert "built …" in " ".join(back.migration("3").rollback.schema)


def test_its_crashes_are_told_by_what_does_not_differ(back):
    """A way down that was killed has left one of the states that an unbroken one passes through."""
    for version in ("2", "3"):
        cells = back.migration(version).down_cells
        assert cells
        assert {cell.left.name for cell in cells} <= {"before", "after"}
    assert {cell.left.name for cell in back.cells("4")} == {"before", "after"}

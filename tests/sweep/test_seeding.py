"""A sweep on rows of the user's own: a dump to start from, or SQL that brings them."""

from __future__ import annotations

import pytest
from swept import arguments, run, write

USERS = "CREATE TABLE users (id integer PRIMARY KEY, name varchar(50) NOT NULL);"
FILES = {
    "1_users.up.sql": USERS,
    "2_phone.up.sql": "ALTER TABLE users ADD COLUMN phone varchar(60);",
    "3_teams.up.sql": "CREATE TABLE teams (id integer PRIMARY KEY);",
    "4_fax.up.sql": "ALTER TABLE teams ADD COLUMN fax varchar(60);",
}
ROWS = "INSERT INTO users VALUES (7, 'Ada'), (8, 'Grace'), (9, 'Edsger');\n"
DONE = "CREATE TABLE schema_migrations (version bigint PRIMARY KEY, dirty boolean NOT NULL);\n"
DUMP = USERS + "\n" + ROWS + DONE + "INSERT INTO schema_migrations VALUES (1, false);\n"
FOREIGN = {
    "postgres": "ALTER TABLE users OWNER TO owner_of_production;\n"
    "GRANT SELECT ON users TO reader_of_production;\n",
    "mysql": "SET @@GLOBAL.GTID_PURGED=/*!80000 '+'*/ '3e11fa47-71ca-11e1-9e33-c80aa9429562:1';\n",
    "mariadb": "",
}
ONE_WAY = ("--ways", "client-sigkill")


def rows_before(outcome, version):
    return outcome.migration(version).reference.states[0].rows


def test_it_starts_from_a_dump(tmp_path, engine):
    """What the dump says is applied is not swept; its rows are those that are there."""
    folder = write(tmp_path / "migrations", FILES)
    write(
        tmp_path,
        {"dump.sql": FOREIGN[engine] + DUMP + FOREIGN[engine]}
        if engine != "postgres"
        else {"dump.sql": DUMP + FOREIGN[engine]},
    )
    dump = str(tmp_path / "dump.sql")
    more = ("--seed-dump", dump, "--range", "..2", *ONE_WAY)
    done = run(*arguments(folder, engine, tmp_path / "out", *more))
    assert done.code == 0, done.err
    assert [m.version for m in done.result.migrations] == ["2"]
    assert rows_before(done, "2") == 3


@pytest.mark.parametrize(
    ("engine", "text", "line", "says"),
    [
        ("postgres", USERS + "\nCREATE TABL users ();\n", 2, 'syntax error at or near "TABL"'),
        ("postgres", "\\connect shop\n" + USERS, 1, "another database"),
        ("mysql", "USE `shop`;\nUSE `bank`;\n" + USERS, 2, "another database"),
        ("mariadb", "SELECT 1;\nCREATE TABL users ();\n", 2, "error in your SQL syntax"),
    ],
)
def test_a_dump_that_cannot_be_restored_is_refused(tmp_path, engine, text, line, says):
    """One error, with its line and the server's words; nothing was swept."""
    folder = write(tmp_path / "migrations", FILES)
    text += "SELECT * FROM a_cascade;\n" * 3
    dump = write(tmp_path, {"dump.sql": text}) / "dump.sql"
    done = run(*arguments(folder, engine, tmp_path / "out", "--seed-dump", str(dump), *ONE_WAY))
    assert done.code == 2
    assert f"{dump}:{line}: the dump cannot be restored: " in done.err
    assert says in done.err
    assert "a_cascade" not in done.err


@pytest.mark.matrix(of=2)
def test_rows_come_as_soon_as_their_table_is_there(tmp_path, engine):
    """Each statement is planted once, before the first migration that finds its table."""
    folder = write(tmp_path / "migrations", FILES)
    text = ROWS + "INSERT INTO teams VALUES (1), (2);\nINSERT INTO nowhere VALUES (1);\n"
    seed = write(tmp_path, {"rows.sql": text}) / "rows.sql"
    more = ("--seed-sql", str(seed), "--rows", "0", *ONE_WAY)
    done = run(*arguments(folder, engine, tmp_path / "out", *more))
    assert done.code == 0, done.err
    assert [rows_before(done, version) for version in "1234"] == [0, 3, 3, 5]
    (refused,) = done.result.seed_refused.items()
    assert refused[0] == f"{seed}:3"
    assert "nowhere" in refused[1]


def test_a_seed_that_is_no_sql_is_refused_before_a_server_starts(tmp_path):
    folder = write(tmp_path / "migrations", FILES)
    seed = write(tmp_path, {"rows.sql": "SELECT 'never closed"}) / "rows.sql"
    done = run(*arguments(folder, "postgres", tmp_path / "out", "--seed-sql", str(seed)))
    assert done.code == 2
    assert f"{seed}:1" in done.err
    assert not (tmp_path / "out").exists()

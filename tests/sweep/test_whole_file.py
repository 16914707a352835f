"""A file that is sent as one message, as programs with a driver do."""

from __future__ import annotations

import pytest
from swept import arguments, run, write

FILES = {
    "1_users.sql": "CREATE TABLE users (id integer PRIMARY KEY, name varchar(60) NOT NULL);\n",
    "2_tidy.sql": """\
ALTER TABLE users ADD COLUMN nick varchar(60);
CREATE PROCEDURE nickname()
BEGIN
    UPDATE users SET nick = name;
    SELECT COUNT(*) FROM users;
END;
CALL nickname();
DROP PROCEDURE nickname;
""",
}
ONE_MORE = "ALTER TABLE users ADD COLUMN phone varchar(60);\nUPDATE users SET phone = '1';\n"
WAYS = ("--ways", "client-sigkill", "--ways", "session-kill", "--rows", "9")


@pytest.mark.parametrize("engine", ["mysql", "mariadb"])
@pytest.mark.matrix(of=2)
def test_a_stored_program_without_delimiter_goes_through(tmp_path, engine):
    """All four statements; those of its body are none of their own."""
    folder = write(tmp_path / "migrations", FILES)
    more = ("--tool", "whole-file", "--only", "2", *WAYS)
    done = run(*arguments(folder, engine, tmp_path / "out", *more))
    assert done.code in (0, 1), done.err
    migration = done.migration("2")
    assert not migration.broken
    rows = migration.reference.rows
    assert sum(row.statements for row in rows if row.kind == "statement") == 4
    left = {cell.point: cell.left.name for cell in done.cells("2") if not cell.missed}
    assert left["inside-1:client-sigkill"] == "after"
    assert left["inside-1:session-kill"] == "before"


def test_the_client_is_refused_and_the_other_way_named(tmp_path):
    """Before any server is started."""
    folder = write(tmp_path / "migrations", FILES)
    done = run(*arguments(folder, "mysql", tmp_path / "out"))
    assert done.code == 2
    assert f"{folder}/2_tidy.sql:2: found the body of a stored program" in done.err
    assert "--tool whole-file" in done.err
    assert not (tmp_path / "out").exists()


def test_flyway_knows_where_a_body_ends(tmp_path):
    """It sends it as one statement, with nothing around it in the file."""
    files = {f"V{name.replace('_', '__')}": text for name, text in FILES.items()}
    folder = write(tmp_path / "migrations", files)
    done = run(*arguments(folder, "mysql", tmp_path / "out", "--only", "2", *WAYS))
    migration = done.migration("2")
    assert not migration.broken
    sent = [row.verb for row in migration.reference.rows if row.kind == "statement"]
    assert sent == ["ALTER TABLE", "CREATE PROCEDURE", "CALL", "DROP PROCEDURE"]


def test_on_postgres_the_message_is_one_transaction(tmp_path):
    """Killed inside, it is through if only the client died, and undone if its session did."""
    folder = write(tmp_path / "migrations", {"1_users.sql": FILES["1_users.sql"]})
    write(folder, {"2_phone.sql": ONE_MORE})
    more = ("--tool", "whole-file", "--only", "2", *WAYS)
    done = run(*arguments(folder, "postgres", tmp_path / "out", *more))
    assert {cell.left.name for cell in done.cells("2") if not cell.missed} == {"before", "after"}

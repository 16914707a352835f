"""A body of a stored program is one statement, or refused where a tool would cut it up."""

from __future__ import annotations

import pytest

from harness.errors import ScenarioError
from harness.layouts import Migration, Script, stored_programs

BODY = """\
CREATE TABLE t (id int);
-- tidy
CREATE PROCEDURE tidy()
BEGIN
  UPDATE t SET id = 1;
  SELECT 2;
END;
CALL tidy();
"""
DELIMITED = f"DELIMITER //\n{BODY.replace('END;', 'END//')}".replace("(id int);", "(id int)//")


def migration(text: str, line: int = 1) -> Migration:
    return Migration("1", "1_a", None, Script("db/1_a.sql", line, text), ("db/1_a.sql",))


@pytest.mark.parametrize("dialect", ["mysql", "mariadb"])
def test_a_body_that_a_client_cuts_is_refused_where_it_begins(dialect):
    """With the line at which it is cut, and the tool that does not."""
    with pytest.raises(ScenarioError) as told:
        stored_programs.refuse([migration(BODY, 11)], dialect, "the client")
    (problem,) = told.value.problems
    assert (problem.file, problem.line) == ("db/1_a.sql", 13)
    assert "the client does not cut: it ends at the semicolon in line 15" in problem.message
    assert "--tool whole-file" in problem.message


@pytest.mark.parametrize(
    ("text", "dialect"),
    [
        (DELIMITED, "mysql"),
        ("CREATE TRIGGER a BEFORE INSERT ON t FOR EACH ROW SET NEW.id = 1;\nSELECT 1;", "mysql"),
        ("CREATE FUNCTION f() RETURNS int AS $$ BEGIN RETURN 1; END $$;\nSELECT 1;", "postgres"),
        ("BEGIN;\nUPDATE t SET id = CASE WHEN id = 1 THEN 2 END;\nCOMMIT;", "mysql"),
    ],
)
def test_what_a_client_takes_whole_is_none(text, dialect):
    stored_programs.refuse([migration(text)], dialect, "the client")


@pytest.mark.parametrize("text", [BODY, DELIMITED])
def test_to_a_tool_that_knows_bodies_it_is_one_statement(text):
    """With DELIMITER or without."""
    (done,) = stored_programs.known([migration(text)])
    assert done.down is not None
    kinds = [one.kind for one in done.down.cut("mysql")]
    assert kinds[:2] == ["CREATE TABLE", "CREATE PROCEDURE"]
    assert len(kinds) == 3

"""What each death leaves behind, against what the protocols and the servers' rules say it must.

The expectations are written by hand from how the tools send their files, never from a sweep.
"""

from __future__ import annotations

USERS = "CREATE TABLE users (id integer PRIMARY KEY, name varchar(50) NOT NULL);"
PHONE = """\
ALTER TABLE users ADD COLUMN phone varchar(60);
UPDATE users SET phone = CONCAT('+', name);
CREATE INDEX users_phone ON users (phone);
"""
GOLANG = {
    "1_users.up.sql": USERS,
    "1_users.down.sql": "DROP TABLE users;",
    "2_phone.up.sql": PHONE,
    "2_phone.down.sql": "ALTER TABLE users DROP COLUMN phone;",
}
PLAIN = {"1_users.sql": USERS, "2_phone.sql": PHONE}
SECOND = ("--only", "2", "--rows", "37")
BY_CLIENT = ("client-sigkill", "client-sigterm")
"""Deaths that the server learns of only when it has its answer to send."""


def statements(migration) -> dict[int, int]:
    """Message number to the number of statements done when it has been carried out."""
    rows = [row for row in migration.reference.rows if row.kind == "statement"]
    return {row.n: row.done_before + row.statements for row in rows}


def told(done: int, of: int) -> str:
    return {0: "before", of: "after"}.get(done, f"{done} of {of}")


def one_message(engine: str, numbers: dict[int, int], cell) -> str:
    """A file in one message: whatever reached the server is run to its end, unless its session
    dies. PostgreSQL takes the whole message back; MySQL keeps what was done before."""
    first, last = min(numbers), max(numbers)
    n, where, way = cell.n, cell.where, cell.way
    if n < first or (n == first and where == "before"):
        return "before"
    if n > last or where == "answered":
        return "after"
    if way in (*BY_CLIENT, "connection-lost"):
        return "after"
    return "before" if engine == "postgres" else told(numbers[n] - 1, 3)


def each_its_own(numbers: dict[int, int], cell) -> str:
    """A message a statement, committed as it ends: what had begun ends, nothing more is sent."""
    n, where, way = cell.n, cell.where, cell.way
    done = max((d for at, d in numbers.items() if at < n), default=0)
    carried_out = where == "answered" or (where == "inside" and way in BY_CLIENT)
    return told(numbers.get(n, done) if carried_out else done, 3)


def test_a_file_in_one_message(sweep, engine):
    outcome = sweep(GOLANG, engine, *SECOND)
    assert outcome.code == 0, outcome.err
    migration = outcome.migration("2")
    numbers = statements(migration)
    assert len(numbers) == (1 if engine == "postgres" else 3)
    for cell in outcome.cells("2"):
        assert not cell.missed, cell
        expected = one_message(engine, numbers, cell)
        assert cell.left.name == expected, (cell.point, cell.left)


def test_each_statement_a_message(sweep, engine):
    outcome = sweep(PLAIN, engine, "--tool", "psql", *SECOND)
    migration = outcome.migration("2")
    numbers = statements(migration)
    assert list(numbers.values()) == [1, 2, 3]
    for cell in outcome.cells("2"):
        assert not cell.missed, cell
        expected = each_its_own(numbers, cell)
        if engine == "mariadb" and cell.where == "inside" and cell.way in BY_CLIENT:
            # it looks at whether the client is there while it waits for a lock
            assert cell.left.name in (expected, told(numbers[cell.n] - 1, 3))
            continue
        assert cell.left.name == expected, (cell.point, cell.left)


def test_every_way_strikes_at_every_place(sweep, engine):
    """Boundaries, insides, answers; each way at least once, and each cell once."""
    cells = list(sweep(GOLANG, engine, *SECOND).cells("2"))
    assert {cell.way for cell in cells} == {
        "client-sigkill", "client-sigterm", "session-kill", "query-cancel",
        "server-sigkill", "connection-lost", "reply-lost",
    }  # fmt: skip
    assert {cell.where for cell in cells} == {"before", "inside", "answered"}
    assert len({cell.point for cell in cells}) == len(cells)
    assert all(cell.witnesses for cell in cells)


def test_whole_or_not_at_all_is_told(sweep, engine):
    """PostgreSQL's one message is atomic, MySQL's is not; one statement is, everywhere."""
    outcome = sweep(GOLANG, engine, *SECOND)
    assert outcome.migration("2").atomic is (engine == "postgres")
    plain = sweep(PLAIN, engine, "--tool", "psql", *SECOND)
    assert plain.migration("2").atomic is False


def test_what_the_tool_believes_stands_beside_it(sweep, engine):
    """golang-migrate is dirty from the commit before the file to the commit after it."""
    outcome = sweep(GOLANG, engine, *SECOND)
    migration = outcome.migration("2")
    file = min(statements(migration))
    commit = max(row.n for row in migration.reference.rows if row.kind == "commit")
    for cell in outcome.cells("2"):
        if file <= cell.n < commit:
            assert cell.stuck, cell.point
        if cell.n < file - 1:
            assert not cell.stuck, cell.point
            assert cell.applied == ("1",)
        if cell.n == commit and cell.where == "answered":
            assert (cell.stuck, cell.applied) == (False, ("2",))


def test_the_grade_says_what_heals(sweep, engine):
    """Dirty needs force: the version to force depends on what is really there."""
    outcome = sweep(GOLANG, engine, *SECOND)
    after = [c for c in outcome.cells("2") if c.stuck and c.left.name == "after"]
    before = [c for c in outcome.cells("2") if c.stuck and c.left.name == "before"]
    assert {c.heals for c in after} == {"migrate force 2, then run again"}
    assert {c.heals for c in before} == {"migrate force 1, then run again"}
    assert {c.grade for c in after + before} == {"needs-tool-repair"}
    free = [c for c in outcome.cells("2") if not c.stuck and c.left.name == "before"]
    assert {c.grade for c in free} == {"self-heals"}


def test_rows_stand_in_every_table(sweep, engine):
    """A crash on empty tables proves little."""
    filled = sweep(GOLANG, engine, *SECOND).migration("2")
    assert filled.reference.states[0].rows == 37


def test_only_the_asked_ways(sweep):
    outcome = sweep(GOLANG, "postgres", *SECOND, "--ways", "session-kill")
    assert {c.way for m in outcome.result.migrations for c in m.cells} == {"session-kill"}
    assert [m.version for m in outcome.result.migrations] == ["2"]


def test_what_a_run_has_made_and_not_filled_yet_is_told(sweep, engine):
    """A new column is empty until the UPDATE; a table of which it is a part has its rows."""
    outcome = sweep(PLAIN, engine, *SECOND)
    before, *between, after = outcome.migration("2").reference.states
    column = f"column {'public.' if engine == 'postgres' else ''}users.phone"
    assert [state.done for state in between] == [1, 2]
    assert [state.empty for state in (before, *between, after)] == [(), (column,), (), ()]
    assert [f"new: {column}" in state.since for state in between] == [True, False]
    assert "after statement 1 of 3" in outcome.file("sweep.md")
    assert "`users.phone` is there and empty" in outcome.file("sweep.md")
    assert "`users.phone` is there, values in `users` are changed" in outcome.file("plan.md")

"""Rows are counted and hashed by the server: what differs shows, and the same is the same."""

from __future__ import annotations

from typing import Any

import pytest

from harness.ports import Session
from harness.state.rows import checksums, column_sums, named


def sums(bench: Any, session: Session, **options: Any) -> dict[str, tuple[int, str]]:
    """Every table by its bare name, but for those that are ``unread``."""
    there = bench.engine.snapshot.tables(session).items()
    read = [table for name, table in there if name not in options.get("unread", ())]
    found = checksums(bench.engine, session, options.get("volatile", {}), read)
    return {name.rpartition(".")[2]: counted for name, counted in found.items()}


def full_name(bench: Any, session: Session, table: str) -> str:
    return named(bench.engine.snapshot.tables(session), table).name


def loose(bench: Any, *rows: tuple[str | None, str | None]) -> tuple[int, str]:
    """The checksum of exactly these rows, put in in this order."""
    session = bench.connect()
    session.run("DELETE FROM loose")
    for row in rows:
        session.run("INSERT INTO loose VALUES (%s, %s)", row)
    return sums(bench, session)["loose"]


def test_one_changed_value_changes_the_checksum(bench):
    """And changing it back gives the checksum back; no other table's is touched."""
    session = bench.connect()
    before = sums(bench, session)
    session.run("UPDATE users SET note = 'x' WHERE id = 1000")
    changed = sums(bench, session)
    session.run("UPDATE users SET note = NULL WHERE id = 1000")
    assert {table for table in before if before[table] != changed[table]} == {"users"}
    assert before["users"][0] == changed["users"][0] == 2000
    assert sums(bench, session) == before


def test_the_order_of_rows_does_not_count(bench):
    """The same rows, put in the other way round."""
    assert loose(bench, ("1", "x"), ("2", "y")) == loose(bench, ("2", "y"), ("1", "x"))


DIFFERENT = {
    "a pair of equal rows against another pair": ([("1", "x")] * 2, [("2", "y")] * 2),
    "three equal rows against one": ([("1", "x")] * 3, [("1", "x")]),
    "NULL against an empty text": ([(None, "x")], [("", "x")]),
    "NULL in one column against the other": ([(None, "x")], [("x", None)]),
    "the border between two values": ([("ab", "c")], [("a", "bc")]),
    "values crossed between rows": ([("1", "x"), ("2", "y")], [("1", "y"), ("2", "x")]),
    "upper case": ([("a", "x")], [("A", "x")]),
    "a separator inside a value": ([("a,b", "c")], [("a", "b,c")]),
    "a space at the end": ([("a ", "c")], [("a", "c")]),
    "the word NULL": ([(None, "c")], [("NULL", "c")]),
    "the letter for NULL": ([(None, "c")], [("N", "c")]),
}


@pytest.mark.parametrize("case", DIFFERENT)
def test_different_rows_have_different_checksums(bench, case):
    """Also where an XOR of hashes or a join of texts would be blind."""
    one, other = DIFFERENT[case]
    assert loose(bench, *one)[1] != loose(bench, *other)[1]


def test_an_empty_table_has_a_checksum(bench):
    """No rows, and still an answer."""
    assert loose(bench)[0] == 0


def test_tables_and_columns_can_be_left_out(bench):
    """A change in a column or table left out does not show, one beside it does."""
    session = bench.connect()
    users, notes = (full_name(bench, session, table) for table in ("users", "notes"))
    options = {"volatile": {users: ("name", "twice")}, "unread": (notes,)}
    before = sums(bench, session, **options)
    session.run("UPDATE users SET name = 'other' WHERE id = 1")
    session.run("DELETE FROM notes")
    assert sums(bench, session, **options) == before
    assert "notes" not in before
    session.run("UPDATE users SET status = 'other' WHERE id = 1")
    after = sums(bench, session, **options)
    assert {table for table in before if before[table] != after[table]} == {"users"}


def test_every_column_of_a_table_can_be_left_out(bench):
    """Then only the number of rows counts."""
    session = bench.connect()
    volatile = {full_name(bench, session, "loose"): ("a", "b")}
    session.run("INSERT INTO loose VALUES ('a', 'b')")
    one = sums(bench, session, volatile=volatile)["loose"]
    session.run("UPDATE loose SET a = 'c'")
    assert sums(bench, session, volatile=volatile)["loose"] == one
    assert one[0] == 1


GIVEN = {
    "a number before the first that was given": ("id = -7 WHERE id = -1", True),
    "a number that was given": ("id = 70000 WHERE id = 1000", False),
    "one that was given for one that was not": ("id = -2 WHERE id = 1000", True),
    "another column": ("name = 'new' WHERE id = 1000", True),
    "a missing number": ("team_id = NULL WHERE id = 1000", True),
}


@pytest.mark.parametrize("case", GIVEN)
def test_numbers_that_the_server_gave_can_be_left_out(bench, case):
    """Of their column all that is before the first of them is compared as ever."""
    change, shows = GIVEN[case]
    session = bench.connect()
    session.run("INSERT INTO users (id, email, score) VALUES (-1, 'before@example.com', 1)")
    volatile = {full_name(bench, session, "users"): ("id from 1000", "team_id from 1000")}
    before = sums(bench, session, volatile=volatile)["users"]
    session.run(f"UPDATE users SET {change}")
    assert (sums(bench, session, volatile=volatile)["users"] != before) is shows


def test_more_tables_than_are_counted_at_once(bench, monkeypatch):
    """Each is counted once, whatever the portion."""
    session = bench.connect()
    before = sums(bench, session)
    monkeypatch.setattr("harness.state.rows.AT_ONCE", 2)
    assert sums(bench, session) == before
    assert len(before) == 5


def test_column_sums_tell_the_column_that_differs(bench):
    """Every column has one, and exactly the changed one has another."""
    session = bench.connect()
    users = full_name(bench, session, "users")
    before = column_sums(bench.engine, session, users)
    session.run("UPDATE users SET status = NULL WHERE id = 77")
    after = column_sums(bench.engine, session, users)
    assert {column for column in before if before[column] != after[column]} == {"status"}
    assert {"id", "email", "name", "note", "team_id"} <= before.keys()
    assert column_sums(bench.engine, session, "no_such_table") == {}


def test_a_table_is_meant_with_or_without_its_schema(bench):
    """An exact name first; None for a table that is not there."""
    tables = bench.engine.snapshot.tables(bench.connect())
    full = next(name for name in tables if name.endswith("users"))
    assert named(tables, full) is named(tables, "users") is tables[full]
    assert named(tables, "no_such_table") is None

"""Which reads tell for certain what is in a row, and whether it is there at all."""

from __future__ import annotations

import pytest

from harness.application.lookup import lookup_of, row_of
from harness.model import App
from harness.ports import Rows

APP = App("users", "id", (1, 9), {})
COLUMNS = ("email", "name")


@pytest.mark.parametrize(
    "sql, columns, told",
    [
        ("SELECT id, email FROM users WHERE id = :id", ("id", "email"), ["email"]),
        ("select Email from Users where Id = :id;", ("Email",), ["email"]),
        ("SELECT * FROM users WHERE id = :id LIMIT 1", ("id", "email", "name"), ["email", "name"]),
        ("SELECT u.email FROM public.users AS u WHERE u.id = :id", ("email",), ["email"]),
        ("SELECT `email` FROM `users` WHERE `id` = :id FOR UPDATE", ("email",), ["email"]),
        ("SELECT id /* , email */ FROM users -- old\nWHERE id = :id", ("id",), []),
        ("SELECT email AS email FROM users WHERE id = :id", ("email",), ["email"]),
        ("SELECT id, email, email AS name FROM users WHERE id = :id", ("id", "email", "name"),
         ["email"]),
        ("SELECT email name FROM users WHERE id = :id", ("name",), []),
        ("SELECT 'x' AS name, email FROM users WHERE id = :id", ("name", "email"), ["email"]),
        ("SELECT email || '' AS email FROM users WHERE id = :id", ("email",), []),
        ("SELECT *, 'x' AS name FROM users WHERE id = :id", ("id", "email", "name", "name"),
         ["email"]),
        ('SELECT "email" FROM users WHERE id = :id', ("email",), []),
    ],
)  # fmt: skip
def test_a_lookup_tells_the_tables_own_columns_under_their_own_names(sql, columns, told):
    """An alias, an expression or a text may show anything."""
    lookup = lookup_of(sql, APP)
    places = tuple(range(len(columns)))
    ((row,), seen) = row_of(lookup, Rows(columns, (places,), 1), COLUMNS)
    assert (seen, list(row)) == (told, told)
    assert [columns[at].lower() for at in row.values()] == told


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT email FROM users WHERE id = :id AND NOT hidden",
        "SELECT email FROM users WHERE id = :id FOR UPDATE SKIP LOCKED",
        "SELECT email FROM users WHERE id = :id LIMIT 0",
        "SELECT email FROM users WHERE id = :id OFFSET 1",
        "SELECT email FROM users WHERE id = :id UNION SELECT 'x'",
        "SELECT email FROM users WHERE id > :id",
        "SELECT email FROM users WHERE note = :id",
        "SELECT email FROM user_view WHERE id = :id",
        "SELECT email FROM users, teams WHERE id = :id",
        "SELECT email FROM users u JOIN teams t ON t.id = u.team WHERE u.id = :id",
        "SELECT MAX(email) AS email FROM users WHERE id = :id",
        "SELECT COUNT(*) FROM users WHERE id = :id",
        "SELECT email FROM (SELECT 'x' AS email) users WHERE id = :id",
        "SELECT email FROM users",
        "CALL find_user(:id)",
        "",
    ],
)
def test_what_may_leave_a_row_out_or_make_one_up_tells_nothing(sql):
    """No row of such a read proves that a row is missing, and a row not that it is there."""
    assert lookup_of(sql, APP) is None


def test_no_row_is_told_as_well():
    """A lookup that finds nothing has found that the row is not there."""
    lookup = lookup_of("SELECT email FROM users WHERE id = :id", APP)
    assert row_of(lookup, Rows(("email",), (), 0), COLUMNS) == ([None], ["email"])

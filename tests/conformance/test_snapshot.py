"""A snapshot sees every small change, alone and exactly, and is the same on every equal database."""

from __future__ import annotations

import pytest
from rich_bench import differing, furnish, held, template, tour
from rich_worlds import CHANGES

from harness.errors import DatabaseError


def test_each_change_alters_exactly_what_it_names(bench):
    """No change goes unseen, and none shows in an object that it does not touch."""
    seen = {name: (stop.objects, stop.rows) for name, stop in tour(bench).items()}
    wanted = {
        name: (objects, rows) for name, (_, objects, rows) in CHANGES[bench.engine.name].items()
    }
    assert {name: seen[name] for name in wanted if seen[name] != wanted[name]} == {}
    assert seen.keys() == wanted.keys()


def test_the_same_statements_give_the_same_census(bench):
    """Two databases that were made one after the other are equal, whatever their names."""
    one, other = template(bench), furnish(bench, bench.new_name())
    assert held(bench, one) == held(bench, other)


def test_the_settings_of_a_session_change_nothing(bench):
    """Neither how texts are shown there nor its time zone reaches the snapshot."""
    snapshot = bench.engine.snapshot
    session = bench.connect(database=template(bench))
    before = snapshot.schema(session), snapshot.contents(session)
    for sql in SETTINGS[bench.engine.dialect]:
        session.run(sql)
    assert (snapshot.schema(session), snapshot.contents(session)) == before


SETTINGS = {
    "postgres": (
        "SET search_path = shop, public",
        "SET bytea_output = escape",
        "SET extra_float_digits = -3",
        "SET IntervalStyle = iso_8601",
        "SET DateStyle = German",
        "SET TimeZone = 'Asia/Tokyo'",
        "SET quote_all_identifiers = on",
    ),
    "mysql": (
        "SET SESSION time_zone = '+09:00'",
        "SET SESSION sql_mode = 'ANSI_QUOTES'",
        "SET NAMES latin1",
        "SET SESSION group_concat_max_len = 4",
    ),
}


def test_the_census_leaves_the_session_as_it_was(bench):
    """What it needs for itself ends with its message."""
    session = bench.connect(database=template(bench))
    probe = {"postgres": "SHOW search_path", "mysql": "SELECT @@sql_mode"}[bench.engine.dialect]
    before = session.run(probe).rows
    held(bench, template(bench))
    bench.engine.snapshot.schema(session)
    bench.engine.snapshot.contents(session)
    assert session.run(probe).rows == before


def test_what_is_ours_is_not_counted(bench):
    """Neither the nonce nor a hold's function shows as an object of the user's."""
    snapshot = bench.engine.snapshot
    named = [name for name in snapshot.schema(bench.connect()) if "mdrill" in name]
    assert named == []


def test_an_empty_database_has_a_census(bench):
    """No table, and still an answer."""
    name = bench.new_name()
    bench.engine.databases.create(bench.admin(), name)
    empty = held(bench, name)
    assert empty.contents == {}
    assert empty.sequences == {}


def test_tables_and_columns_can_be_left_out(bench):
    """A change in a column or table left out does not show, one beside it does."""
    snapshot, session = bench.engine.snapshot, bench.connect()
    users, notes = _named(snapshot.contents(session), "users", "notes")
    options = {"without": (notes,), "columns": {users: ("name", "twice")}}
    before = snapshot.contents(session, **options)
    session.run("UPDATE users SET name = 'other' WHERE id = 1")
    session.run("DELETE FROM notes")
    assert snapshot.contents(session, **options) == before
    assert notes not in before
    session.run("UPDATE users SET status = 'other' WHERE id = 1")
    assert differing(snapshot.contents(session, **options), before) == {users}


def test_every_column_of_a_table_can_be_left_out(bench):
    """Then only the number of rows counts."""
    snapshot, session = bench.engine.snapshot, bench.connect()
    (loose,) = _named(snapshot.contents(session), "loose")
    session.run("INSERT INTO loose VALUES ('a', 'b')")
    one = snapshot.contents(session, columns={loose: ("a", "b")})[loose]
    session.run("UPDATE loose SET a = 'c'")
    assert snapshot.contents(session, columns={loose: ("a", "b")})[loose] == one
    assert one[0] == 1


def test_the_order_of_columns_does_not_count(bench):
    """A column that was dropped and filled again stands last, and all is as before."""
    session = bench.connect()
    session.run("INSERT INTO loose VALUES ('a', 'b'), ('c', NULL)")
    before = held(bench, bench.database)
    session.run("ALTER TABLE loose ADD COLUMN a2 varchar(20)")
    session.run("UPDATE loose SET a2 = a")
    session.run("ALTER TABLE loose DROP COLUMN a")
    session.run("ALTER TABLE loose RENAME COLUMN a2 TO a")
    assert held(bench, bench.database) == before


def test_column_sums_tell_the_column_that_differs(bench):
    """Every column has one, and exactly the changed one has another."""
    snapshot, session = bench.engine.snapshot, bench.connect()
    (users,) = _named(snapshot.contents(session), "users")
    before = snapshot.column_sums(session, users)
    session.run("UPDATE users SET status = NULL WHERE id = 77")
    assert differing(before, snapshot.column_sums(session, users)) == {"status"}
    assert {"id", "email", "name", "note", "team_id"} <= before.keys()
    assert snapshot.column_sums(session, "no_such_table") == {}


def test_sequences_tell_the_next_value(bench):
    """It moves when a value is taken."""
    name = bench.new_name()
    bench.engine.databases.clone(bench.admin(), template(bench), name)
    session = bench.connect(database=name)
    before = bench.engine.snapshot.sequences(session)
    session.run("INSERT INTO people (name, email) VALUES ('new', 'new')")
    after = bench.engine.snapshot.sequences(session)
    (moved,) = differing(before, after)
    assert after[moved] == before[moved] + 1
    assert "people" in moved


def test_a_table_dropped_meanwhile_is_an_error(bench, monkeypatch):
    """Between the listing and the counting; nothing is left out in silence."""
    session, other = bench.connect(), bench.connect()
    plain = type(session).run

    def run(self, sql, args=()):
        if "FROM" in sql and "loose" in sql:
            plain(other, "DROP TABLE loose")
        return plain(self, sql, args)

    monkeypatch.setattr(type(session), "run", run)
    with pytest.raises(DatabaseError, match="loose"):
        bench.engine.snapshot.contents(session)


def test_the_tables_of_objects_are_told_by_their_names(bench):
    """Columns, constraints and triggers lead to their table; a function leads nowhere."""
    snapshot, session = bench.engine.snapshot, bench.connect()
    (users,) = _named(snapshot.contents(session), "users")
    objects = [f"column {users}.note", f"constraint {users}.users_team", f"table {users}", users]
    assert [snapshot.tables_of([one]) for one in objects] == [{users}] * 4
    assert snapshot.tables_of(["Odd Name"]) == {"Odd Name"}
    assert snapshot.tables_of(["function shout()"]) == set()


def test_an_index_too_many_can_be_taken_away(bench):
    """Where an unfinished build leaves one, the statements drop it; elsewhere there are none."""
    session = bench.connect()
    session.run("CREATE INDEX loose_a ON loose (a)")
    before = bench.engine.snapshot.schema(session)
    (index,) = [name for name in before if "loose_a" in name]
    for sql in bench.engine.snapshot.remove_sql([f"new: {index}", "gone: table x", "data: users"]):
        session.run(sql)
    left = index in bench.engine.snapshot.schema(session)
    assert left == ("concurrent-index" not in bench.engine.traits)


def _named(contents, *tables):
    return [next(key for key in contents if key.split(".")[-1] == table) for table in tables]

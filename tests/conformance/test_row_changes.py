"""Rows added and updated as an application would, and statements that change none; real servers."""

from __future__ import annotations

import pytest
from row_worlds import BOOKKEEPING, empty, scalar, world

from harness.errors import DatabaseError
from harness.row_generation import add, fill, lost, update, without_effect

ROWS = 100
NOTHING_MORE = {"few", "impossible", "of_impossible", "no_partition_yet", "refused", "yearly"}
"""Tables of the nasty schema that let nothing more in."""


def whole(bench, stem):
    """A world whose tables have rows."""
    session = world(bench, stem)
    fill(bench.engine, session, ROWS, {BOOKKEEPING})
    return session


@pytest.mark.parametrize("stem", ["app", "nasty"])
def test_rows_are_added_to_every_table(bench, stem):
    """As many as asked for, with keys that were not there; what lets nothing more in says why."""
    session, engine = whole(bench, stem), bench.engine
    counts = {
        spec.name: scalar(session, f"SELECT count(*) FROM {spec.source}")
        for spec in engine.table_specs.specs(session)
    }
    added = {a.table: a for a in add(engine, session, 4, {BOOKKEEPING})}
    assert added.keys() == counts.keys() - {BOOKKEEPING}
    for table, of in added.items():
        there = scalar(session, f"SELECT count(*) FROM {of.source}")
        assert (table, there - counts[table]) == (table, of.rows)
        assert not of.key or len(of.keys) == of.rows
        assert of.rows >= 3 or of.why_not
    short = {table for table, of in added.items() if of.rows < 3}
    assert short <= NOTHING_MORE
    assert len(added) > 25


def test_old_rows_stay_as_they_are(bench):
    """An application that writes more does not touch what is there."""
    session, engine = whole(bench, "app"), bench.engine
    tables = engine.snapshot.tables(session)
    specs = {spec.name: spec for spec in engine.table_specs.specs(session)}
    name = "users" if "users" in specs else "customers"
    table = tables.get(name) or tables[f"public.{name}"]
    summed = engine.snapshot.summed(engine.snapshot.row_hash(list(table.columns.values())))
    sql = f"{engine.snapshot.SETTINGS}SELECT {summed} FROM {table.source} WHERE id <= {ROWS}"
    before = scalar(session, sql)
    add(engine, session, 5, {BOOKKEEPING})
    assert scalar(session, sql) == before


def test_what_refers_refers_to_new_rows_too(bench):
    """Where a key says that a parent has one child, the new child has a new parent."""
    session = empty(
        bench,
        "CREATE TABLE person (id bigint PRIMARY KEY, name varchar(40) NOT NULL)",
        "CREATE TABLE passport (person_id bigint PRIMARY KEY, number varchar(20) NOT NULL UNIQUE, "
        "FOREIGN KEY (person_id) REFERENCES person (id))",
        "CREATE TABLE friend (one bigint NOT NULL, other bigint NOT NULL, PRIMARY KEY (one, other),"
        " FOREIGN KEY (one) REFERENCES person (id), FOREIGN KEY (other) REFERENCES person (id), "
        "CHECK (one <> other))",
    )
    fill(bench.engine, session, 20)
    added = {a.table: a for a in add(bench.engine, session, 6)}
    assert {table: (a.rows, a.why_not) for table, a in added.items()} == dict.fromkeys(
        ("person", "passport", "friend"), (6, "")
    )
    new = {key for (key,) in added["person"].keys}
    assert new == set(range(21, 27))
    assert {key for (key,) in added["passport"].keys} == new


def test_keys_are_beyond_the_largest(bench):
    """However few rows there are, and wherever their numbers ended."""
    session = empty(
        bench, "CREATE TABLE person (id bigint PRIMARY KEY, badge integer UNIQUE, word varchar(20))"
    )
    fill(bench.engine, session, 10)
    session.run("INSERT INTO person VALUES (7000000000, 5000, 'far')")
    session.run("DELETE FROM person WHERE id BETWEEN 3 AND 8")
    (added,) = add(bench.engine, session, 4)
    assert added.keys == tuple((7_000_000_000 + n,) for n in range(1, 5))
    sql = "SELECT min(badge) FROM person WHERE id > 7000000000"
    assert scalar(session, sql) > 5000


def test_what_is_lost_is_told_by_key(bench):
    """Rows that a rollback removed; all of them if it removed the table."""
    session, engine = whole(bench, "app"), bench.engine
    added = {a.table: a for a in add(engine, session, 5, {BOOKKEEPING})}
    of = added["attachments"]
    assert lost(engine, session, of) == ()
    gone = of.keys[1:3]
    session.run(f"DELETE FROM attachments WHERE {engine.snapshot.is_one_of(of.key, gone)}")
    assert lost(engine, session, of) == gone
    session.run("DROP TABLE attachments")
    assert lost(engine, session, of) == of.keys


def test_a_table_that_refuses_does_not_stop_the_others(bench):
    """A trigger that lets no more rows in is told in the server's words."""
    session = empty(
        bench,
        "CREATE TABLE first (id integer PRIMARY KEY, word varchar(20) NOT NULL)",
        "CREATE TABLE second (id integer PRIMARY KEY, word varchar(20) NOT NULL)",
    )
    fill(bench.engine, session, 10)
    session.run_file(REFUSE[bench.engine.dialect])
    first, second = add(bench.engine, session, 3)
    assert (first.rows, first.why_not) == (0, "the server refused: closed for today")
    assert (second.rows, second.why_not) == (3, "")


REFUSE = {
    "postgres": "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "'BEGIN RAISE EXCEPTION ''closed for today''; END'; "
    "CREATE TRIGGER refused BEFORE INSERT ON first FOR EACH ROW EXECUTE FUNCTION refuse()",
    "mysql": "CREATE TRIGGER refused BEFORE INSERT ON first FOR EACH ROW "
    "SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'closed for today'",
}


def test_a_few_rows_are_updated(bench):
    """In the columns that were asked for; what is not an application's to write is told."""
    session = empty(
        bench,
        "CREATE TABLE users (id integer PRIMARY KEY, email varchar(80) NOT NULL)",
    )
    fill(bench.engine, session, 20)
    session.run("ALTER TABLE users ADD COLUMN phone varchar(20)")
    session.run("ALTER TABLE users ADD COLUMN age integer CHECK (age BETWEEN 18 AND 99)")
    (done,) = update(bench.engine, session, {"public.users": ["phone", "age"]}, rows=4)
    assert (done.columns, done.keys) == (("phone", "age"), ((1,), (2,), (3,), (4,)))
    assert done.why_not == ""
    found = session.run("SELECT id FROM users WHERE phone IS NOT NULL AND age >= 18 ORDER BY id")
    assert found.rows == done.keys
    several = update(bench.engine, session, {"users": ["id", "nope"], "none": ["x"]})
    assert [one.why_not for one in several] == ["it has no column nope", "there is no such table"]


def test_a_value_that_is_there_already_is_no_update(bench):
    """Another one is taken, and every row that is told has it."""
    session = empty(bench, "CREATE TABLE users (id integer PRIMARY KEY, active boolean NOT NULL)")
    fill(bench.engine, session, 5)
    session.run("UPDATE users SET active = true")
    (done,) = update(bench.engine, session, {"users": ["active"]}, rows=4)
    assert done.keys == ((1,), (2,), (3,), (4,))
    assert session.run("SELECT id FROM users WHERE NOT active ORDER BY id").rows == done.keys


def test_an_update_that_is_refused_changes_nothing(bench):
    """And is told in the server's words; no key is told that has its old values."""
    session = empty(bench, "CREATE TABLE users (id integer PRIMARY KEY, age integer)")
    fill(bench.engine, session, 5)
    session.run("UPDATE users SET age = NULL")
    session.run("ALTER TABLE users ADD CONSTRAINT nothing CHECK (age IS NULL)")
    (done,) = update(bench.engine, session, {"users": ["age"]})
    assert (done.columns, done.keys) == ((), ())
    assert "the server refused" in done.why_not


# ------------------------------------------------------------------ statements without effect


MAILS = (
    "CREATE TABLE users (id integer PRIMARY KEY, email varchar(80) NOT NULL, old varchar(20))",
    "CREATE TABLE nobody (id integer PRIMARY KEY, email varchar(80))",
    "INSERT INTO users VALUES (1, 'a@x.io', 'x'), (2, 'b@x.io', 'y')",
)


def effects(bench, *statements, base=MAILS):
    """What is told of these statements, run on a copy of the base."""
    before, after = empty(bench, *base), empty(bench, *base)
    for sql in statements:
        after.run(sql)
    return [str(one) for one in without_effect(bench.engine, before, after, statements)]


def test_letters_that_were_small_are_not_changed(bench):
    """The statement met rows, and they are as they were."""
    assert effects(bench, "UPDATE users SET email = lower(email)") == [
        "UPDATE users changed nothing in its 2 rows"
    ]
    assert effects(bench, "UPDATE users SET email = upper(email)") == []


def test_statements_that_meet_no_row(bench):
    """A condition that no row fulfils, and a table that is empty."""
    assert effects(
        bench,
        "DELETE FROM users WHERE id > 9",
        "/* UPDATE users */ UPDATE nobody SET email = 'users'",
        "INSERT INTO nobody (id) SELECT id FROM users WHERE id > 9",
    ) == [
        "DELETE users changed nothing in its 2 rows",
        "UPDATE nobody met no rows: there are none",
        "INSERT nobody met no rows: there are none",
    ]


def test_a_new_column_counts_by_its_values(bench):
    """NULL or the default is what every row gets; anything else somebody has written."""
    add_column = "ALTER TABLE users ADD COLUMN n integer DEFAULT 5"
    nothing = "UPDATE users SET n = 7 WHERE id > 9"
    assert effects(bench, add_column, nothing) == ["UPDATE users changed nothing in its 2 rows"]
    assert effects(bench, add_column, "UPDATE users SET n = 7 WHERE id = 1") == []
    assert effects(bench, add_column, "UPDATE users SET n = NULL WHERE id = 1") == []


def test_a_statement_is_not_blamed_for_another_column(bench):
    """A new column that has values speaks against those alone that name it."""
    numbered = {
        "postgres": "ALTER TABLE users ADD COLUMN n serial",
        "mysql": "ALTER TABLE users ADD COLUMN n integer AUTO_INCREMENT UNIQUE",
    }
    told = effects(
        bench,
        numbered[bench.engine.dialect],
        "UPDATE users SET email = lower(email)",
        "UPDATE users SET n = n + 0",
    )
    assert told == ["UPDATE users changed nothing in its 2 rows"]


def test_what_cannot_be_seen_any_more_is_not_told(bench):
    """A column that is gone may have been changed before; so may a table that is gone."""
    drop = "ALTER TABLE users DROP COLUMN old"
    assert effects(bench, "UPDATE users SET old = 'z'", drop) == []
    assert effects(bench, "UPDATE users SET email = lower(email)", drop) == [
        "UPDATE users changed nothing in its 2 rows"
    ]
    assert effects(bench, "UPDATE users SET email = 'x'", "DROP TABLE users") == []


def test_another_statement_on_the_same_table_may_be_what_changed_it(bench):
    """Then it cannot be told which it was, and none is blamed."""
    assert (
        effects(
            bench,
            "UPDATE users SET email = lower(email)",
            "UPDATE users SET email = 'new' WHERE id = 1",
        )
        == []
    )


def test_a_table_that_cannot_be_read_is_an_error(bench):
    """Nothing is told of what was not looked at."""
    before, after = empty(bench, *MAILS), empty(bench, *MAILS)
    after.close()
    with pytest.raises(DatabaseError):
        without_effect(bench.engine, before, after, ["UPDATE users SET email = 'x'"])

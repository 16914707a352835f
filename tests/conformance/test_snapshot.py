"""A snapshot sees every small change, exactly, and is the same on every equal database."""

from __future__ import annotations

import pytest
from rich_bench import furnish, held, template, tour
from rich_worlds import CHANGES

from harness.errors import DatabaseError
from harness.state.difference import difference
from harness.state.snapshot import schema_of, take


def test_each_change_alters_exactly_what_it_names(bench):
    """No change goes unseen, and none shows in an object that it does not touch."""
    seen = {name: (stop.objects, stop.rows) for name, stop in tour(bench).items()}
    wanted = {
        name: (objects, rows) for name, (_, objects, rows) in CHANGES[bench.engine.name].items()
    }
    assert {name: seen[name] for name in wanted if seen[name] != wanted[name]} == {}
    assert seen.keys() == wanted.keys()


def test_the_same_statements_give_the_same_snapshot(bench):
    """Two databases that were made one after the other are equal, whatever their names."""
    one, other = (furnish(bench, bench.new_name()) for _ in range(2))
    assert held(bench, one) == held(bench, other)


ANY_ORDER = {
    "postgres": (
        "CREATE TABLE a (x integer, y integer)",
        "CREATE TABLE b (x integer)",
        "CREATE SCHEMA s",
        "CREATE TYPE e AS ENUM ('a')",
        "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
        "CREATE VIEW v AS SELECT 1 AS one",
    ),
    "mysql": (
        "CREATE TABLE a (x integer, y integer)",
        "CREATE TABLE b (x integer)",
        "CREATE FUNCTION f() RETURNS integer DETERMINISTIC RETURN 1",
        "CREATE VIEW v AS SELECT 1 AS one",
    ),
}
THEN = (
    "CREATE INDEX a_x ON a (x)",
    "CREATE INDEX a_y ON a (y)",
    "ALTER TABLE a ADD CONSTRAINT c CHECK (x > 0)",
    "ALTER TABLE b ADD CONSTRAINT d CHECK (x > 1)",
)


def test_the_order_of_creation_changes_nothing(bench):
    """Nothing of the numbers that a server gives reaches the snapshot."""
    made = []
    for turn in (1, -1):
        name = bench.new_name()
        bench.engine.databases.create(bench.admin(), name)
        session = bench.connect(database=name)
        for sql in (*ANY_ORDER[bench.engine.dialect][::turn], *THEN[::turn]):
            session.run(sql)
        made.append(take(bench.engine, session))
    assert made[0] == made[1]


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
        "SET SESSION sql_quote_show_create = 0",
        "SET NAMES latin1",
        "SET SESSION group_concat_max_len = 4",
    ),
}
PROBES = {
    "postgres": "SELECT current_setting('search_path'), current_setting('bytea_output')",
    "mysql": "SELECT @@sql_mode, @@time_zone, @@character_set_results, @@sql_quote_show_create, "
    "DATABASE()",
}


def test_the_settings_of_a_session_change_nothing(bench):
    """Neither how texts are shown there nor its time zone reaches the snapshot; nor back."""
    session = bench.connect(database=template(bench))
    before = take(bench.engine, session)
    for sql in SETTINGS[bench.engine.dialect]:
        session.run(sql)
    probe = session.run(PROBES[bench.engine.dialect]).rows
    assert take(bench.engine, session) == before
    assert session.run(PROBES[bench.engine.dialect]).rows == probe


def test_what_is_ours_is_not_counted(bench):
    """Neither the nonce nor a hold's function shows as an object of the user's."""
    session = bench.connect()
    before = take(bench.engine, session)
    bench.engine.holding.install_trigger(session, "users", "id", 7, "hold")
    own = difference(before, take(bench.engine, session)).objects()
    assert {name for name in own if "hold" not in name} == set()
    bench.engine.holding.remove_trigger(session, "users", "hold")
    assert take(bench.engine, session) == before
    assert [name for name in before.objects if "mdrill" in name] == []


def test_an_empty_database_has_a_snapshot(bench):
    """No table, and still an answer."""
    name = bench.new_name()
    bench.engine.databases.create(bench.admin(), name)
    empty = held(bench, name)
    assert (empty.contents, empty.counters, empty.tables()) == ({}, {}, frozenset())


def test_the_order_of_columns_is_told_apart(bench):
    """A column that was dropped and filled again stands last, and all else is as before."""
    session = bench.connect()
    session.run("INSERT INTO loose VALUES ('a', 'b'), ('c', NULL)")
    before = held(bench, bench.database)
    session.run("ALTER TABLE loose ADD COLUMN a2 varchar(20)")
    session.run("UPDATE loose SET a2 = a")
    session.run("ALTER TABLE loose DROP COLUMN a")
    session.run("ALTER TABLE loose RENAME COLUMN a2 TO a")
    gap = difference(before, held(bench, bench.database))
    assert not gap
    assert [table.rpartition(".")[2] for table in gap.order] == ["loose"]


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
        take(bench.engine, session)


def test_a_table_dropped_while_the_catalogue_is_read_is_gone(bench, monkeypatch):
    """Where definitions are asked for one by one, what is gone meanwhile is not there at all."""
    session, other = bench.connect(), bench.connect()
    if not hasattr(session, "run_all"):
        pytest.skip("its catalogue is read by one statement")
    plain = type(session).run_all

    def run_all(self, sql, args=()):
        if "SHOW CREATE TABLE `loose`" in sql:
            plain(other, "DROP TABLE IF EXISTS loose")
        return plain(self, sql, args)

    monkeypatch.setattr(type(session), "run_all", run_all)
    assert "loose" not in schema_of(bench.engine, session).tables()


def test_the_tables_of_objects_are_told_by_their_names(bench):
    """Columns, constraints and triggers lead to their table; a function leads nowhere."""
    snapshot, session = bench.engine.snapshot, bench.connect()
    users = next(name for name in snapshot.tables(session) if name.endswith("users"))
    objects = [f"column {users}.note", f"constraint {users}.users_team", f"table {users}"]
    objects += [f"column order {users}", f"trigger {users}.t", users]
    assert [snapshot.tables_of([one]) for one in objects] == [{users}] * len(objects)
    odd = users.replace("users", "Odd Name")
    assert snapshot.tables_of([odd]) == {odd}
    assert snapshot.tables_of(["function shout()", f"grant on table {users}"]) == set()


def test_no_kind_of_object_is_taken_for_a_table(bench):
    """Whatever the rich world has: its name leads to a table or view that is there, or nowhere."""
    has = held(bench, template(bench))
    relations = {
        key.partition(" ")[2]
        for key in has.objects
        if key.partition(" ")[0] in ("table", "view", "sequence")
    }
    led = {key: bench.engine.snapshot.tables_of([key]) for key in has.objects}
    assert {key: tables for key, tables in led.items() if not tables <= relations} == {}
    assert {table for tables in led.values() for table in tables} >= has.tables()


def test_points_in_names_hide_nothing(bench):
    """Two tables may read alike; both are told and counted."""
    if bench.engine.dialect != "postgres":
        pytest.skip(f"{bench.engine.title} has no schemas in a database")
    session = bench.connect()
    for sql in (
        'CREATE SCHEMA a; CREATE SCHEMA "a.b"; CREATE TABLE a."b.c" (x integer)',
        'CREATE TABLE "a.b".c (x integer)',
    ):
        session.run(sql)
    before = take(bench.engine, session)
    for table in ('a."b.c"', '"a.b".c'):
        session.run(f"INSERT INTO {table} VALUES (1)")
        session.run(f"ALTER TABLE {table} ALTER x TYPE bigint")
        after = take(bench.engine, session)
        gap = difference(before, after)
        assert (gap.changed, len(gap.contents)) == (("column a.b.c.x",), 1)
        before = after


def test_an_index_too_many_can_be_taken_away(bench):
    """Where an unfinished build leaves one, the statements drop it; elsewhere there are none."""
    session = bench.connect()
    session.run("CREATE INDEX loose_a ON loose (a)")
    before = bench.engine.snapshot.objects(session)
    (index,) = [name for name in before if "loose_a" in name]
    told = [f"new: {index}", "gone: table x", "data: users", "new: operator class s.x USING hash"]
    for sql in bench.engine.snapshot.remove_sql(told):
        session.run(sql)
    left = index in bench.engine.snapshot.objects(session)
    assert left == ("concurrent-index" not in bench.engine.traits)


def test_an_index_that_was_cut_off_is_invalid(bench):
    """It is told by its name; where no build is cut off half way there is never one."""
    session = bench.connect()
    session.run("CREATE INDEX loose_a ON loose (a)")
    snapshot = bench.engine.snapshot
    assert snapshot.invalid(snapshot.objects(session)) == []
    if "concurrent-index" in bench.engine.traits:
        session.run("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'loose_a'::regclass")
        assert snapshot.invalid(snapshot.objects(session)) == ["public.loose_a"]


OF_A_TOOL = {
    "postgres": (
        "CREATE TABLE changes (id bigserial PRIMARY KEY, what text, at timestamptz)",
        "CREATE SEQUENCE of_changes",
        "ALTER TABLE changes ADD n bigint DEFAULT nextval('of_changes')",
        "CREATE INDEX by_time ON changes (at)",
        "CREATE STATISTICS of_what ON what, at FROM changes",
        "ALTER TABLE changes ADD CONSTRAINT filled CHECK (what <> '')",
        "CREATE FUNCTION nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
        "CREATE TRIGGER stamp BEFORE UPDATE ON changes FOR EACH ROW EXECUTE FUNCTION nothing()",
        "CREATE POLICY reading ON changes USING (true)",
        "CREATE RULE keep AS ON DELETE TO changes DO INSTEAD NOTHING",
        *(
            f"COMMENT ON {what} IS 'of the tool'"
            for what in (
                "TABLE changes", "COLUMN changes.what", "INDEX by_time", "INDEX changes_pkey",
                "SEQUENCE changes_id_seq", "SEQUENCE of_changes", "CONSTRAINT filled ON changes",
                "TRIGGER stamp ON changes", "POLICY reading ON changes", "RULE keep ON changes",
                "STATISTICS of_what",
            )
        ),
        "GRANT SELECT ON changes TO PUBLIC",
        "GRANT SELECT (what) ON changes TO PUBLIC",
        "GRANT USAGE ON SEQUENCE changes_id_seq TO PUBLIC",
    ),
    "mysql": (
        "CREATE TABLE changes (id bigint AUTO_INCREMENT PRIMARY KEY, what varchar(20), "
        "at datetime, KEY by_time (at), CONSTRAINT filled CHECK (what <> '')) "
        "PARTITION BY KEY (id) PARTITIONS 2",
        "CREATE TRIGGER stamp BEFORE UPDATE ON changes FOR EACH ROW SET @a = 1",
        "CREATE USER IF NOT EXISTS snap_one@localhost",
        "GRANT SELECT ON changes TO snap_one@localhost",
        "GRANT SELECT (what) ON changes TO snap_one@localhost",
    ),
}  # fmt: skip
OF_USERS = (
    "CREATE TABLE changes_of (id integer PRIMARY KEY, what varchar(20))",
    "CREATE INDEX changes_by_what ON changes_of (what)",
    "CREATE TABLE other (changes integer)",
)


def test_a_tools_bookkeeping_is_hidden_with_all_that_belongs_to_it(bench):
    """Its columns and their order, indexes, sequences, grants, comments; and nothing of others."""
    session = bench.connect()
    for sql in OF_USERS:
        session.run(sql)
    before = take(bench.engine, session)
    assert before.without(["changes"]) == before
    for sql in OF_A_TOOL[bench.engine.dialect]:
        session.run(sql)
    session.run("INSERT INTO changes (what) VALUES ('one')")
    after = take(bench.engine, session).without(["changes"])
    own = difference(before, after).objects()
    assert {name for name in own if "nothing()" not in name} == set()
    assert after.counters == before.counters
    assert after.objects.keys() - before.objects.keys() == own

"""Clones and resets of a database that holds an object of every kind."""

from __future__ import annotations

import pytest
from rich_bench import held, remaining, template, touched, tour
from rich_worlds import CHANGES
from snapshot_changes.worlds import World

from harness.errors import DatabaseError

pytestmark = pytest.mark.matrix(of=2)


def changed(bench, names):
    """A clone of the rich world to which these changes were made."""
    database = bench.new_name()
    bench.engine.databases.clone(bench.admin(), template(bench), database)
    session = bench.connect(database=database)
    for name in names:
        for sql in CHANGES[bench.engine.name][name][0]:
            session.run(sql)
    session.close()
    return database


AT_ONCE = {
    "postgres": (
        "a table more", "a table less", "a column more", "a type wider", "an index less",
        "a constraint not valid", "a trigger disabled", "row level security", "a rule disabled",
        "a view", "a function's body", "a procedure less", "a label of an enum", "a schema more",
        "a sequence's step", "a setting of the database", "a row of a partition",
    ),
    "mysql": (
        "a table more", "a table became a view", "a table's comment", "a column more",
        "an index less", "a check", "a foreign key's action", "a partition more",
        "the order of triggers", "a view less, which another reads", "a function's body",
        "a procedure less", "an event less", "the database's collation", "a byte",
        "a row of a partition", "a table with an odd name",
    ),
}  # fmt: skip


def test_a_clone_holds_everything(bench):
    """Every object, every row, every next value; and once more from the clone."""
    original = held(bench, template(bench))
    first, second = bench.new_name(), bench.new_name()
    bench.engine.databases.clone(bench.admin(), template(bench), first)
    bench.engine.databases.clone(bench.admin(), first, second)
    assert held(bench, first) == original
    assert held(bench, second) == original


OF_THE_WHOLE = ("database", "setting", "subscription", "comment on database", "label of a on data")
"""Objects that a database has by its name, and that its files do not hold."""


def test_a_clone_holds_whatever_can_be_changed(bench):
    """All changes at once in one database, which is cloned, and then reset when all is undone."""
    world = World(bench, seed=1)
    for each in world.changes:
        change = world.named(each)
        world.run((*change.given, *change.does))
        if set(change.changed) & {"database itself", "database default"}:
            world.run(change.back)
    original, name = world.snapshot(), bench.new_name()
    world.session.close()
    databases, admin = bench.engine.databases, bench.admin()
    databases.clone(admin, world.database, name)
    assert remaining(original, held(bench, name)) == set()
    gone = bench.new_name()
    databases.create(admin, gone)
    databases.reset(admin, gone, name, original.tables())
    assert remaining(held(bench, gone), held(bench, name)) == set()
    databases.reset(admin, world.database, name, original.tables())
    assert remaining(original, held(bench, name)) == set()


def test_a_clone_has_what_its_database_has_by_its_name(bench):
    """Owner, limits, settings, rights, options: one at a time, cloned, reset, and dropped."""
    databases, admin, without = bench.engine.databases, bench.admin(), []
    world = World(bench, seed=1)
    plain = world.database
    for each in world.changes:
        if not any(key.startswith(OF_THE_WHOLE) for key in (*each.new, *each.changed)):
            continue
        database, name = bench.new_name(), bench.new_name()
        databases.clone(admin, plain, database)
        world.enter(bench.connect(database=database), database)
        change = world.named(each)
        world.run((*change.given, *change.does))
        original = held(bench, database)
        world.session.close()
        databases.clone(admin, database, name)
        if left := remaining(original, held(bench, name)):
            without.append(f"cloned: {each.name}: {left}")
        databases.reset(admin, plain, name, ())
        if left := remaining(held(bench, plain), held(bench, name)):
            without.append(f"taken back: {each.name}: {left}")
        databases.reset(admin, database, name, ())
        if left := remaining(original, held(bench, name)):
            without.append(f"reset: {each.name}: {left}")
        databases.drop(admin, name)
        databases.drop(admin, database)
    assert without == []


def test_a_dropped_database_leaves_no_right_behind(bench):
    """One that is made by the same name later has nobody's rights."""
    databases, admin, name = bench.engine.databases, bench.admin(), bench.new_name()
    world = World(bench, seed=1)
    plain = world.database
    databases.clone(admin, plain, name)
    world.enter(bench.connect(database=name), name)
    for each in world.changes:
        if any(key.startswith("grant on ") for key in each.new):
            change = world.named(each)
            world.run((*change.given, *change.does))
    world.session.close()
    databases.drop(admin, name)
    databases.clone(admin, plain, name)
    assert remaining(held(bench, plain), held(bench, name)) == set()


def test_a_clone_leaves_the_template_and_the_session_alone(bench):
    """The template's snapshot is what it was, and the next statement runs as before."""
    original, admin = held(bench, template(bench)), bench.admin()
    probe = {
        "postgres": "SELECT current_setting('search_path'), current_database()",
        "mysql": "SELECT @@foreign_key_checks, @@sql_mode, @@time_zone, @@character_set_client, "
        "@@collation_connection, DATABASE()",
    }[bench.engine.dialect]
    before = admin.run(probe).rows
    bench.engine.databases.clone(admin, template(bench), bench.new_name())
    assert admin.run(probe).rows == before
    assert held(bench, template(bench)) == original


def test_many_changes_are_reset(bench):
    """Seventeen at once, told by two snapshots, and all is as in the template."""
    original = held(bench, template(bench))
    database = changed(bench, AT_ONCE[bench.engine.dialect])
    tables = touched(bench, original, held(bench, database))
    bench.engine.databases.reset(bench.admin(), template(bench), database, tables)
    assert held(bench, database) == original


def test_each_change_alone_is_reset(bench):
    """One after the other in one database, each told by two snapshots."""
    assert {name: stop.left for name, stop in tour(bench).items() if stop.left} == {}


PROGRAMS = {
    "postgres": ("a trigger disabled", "a view", "a function's body", "a sequence's step"),
    "mysql": ("the body of the first of two triggers", "a view", "a function's body", "an event"),
}


def test_programs_are_mended_though_no_table_is_named(bench):
    """Also the order of a table's triggers, of which only the first one changed."""
    database = changed(bench, PROGRAMS[bench.engine.dialect])
    bench.engine.databases.reset(bench.admin(), template(bench), database, ())
    assert held(bench, database) == held(bench, template(bench))


def test_a_reset_that_knows_nothing_makes_all_anew(bench):
    """None says that it is not known what changed, and () that no table did."""
    original = held(bench, template(bench))
    database = changed(bench, AT_ONCE[bench.engine.dialect])
    bench.engine.databases.reset(bench.admin(), template(bench), database, None)
    assert held(bench, database) == original
    bench.engine.databases.reset(bench.admin(), template(bench), database, ())
    assert held(bench, database) == original


def test_a_reset_makes_a_database_that_is_not_there(bench):
    """As a trial's first one."""
    database = bench.new_name()
    bench.engine.databases.reset(bench.admin(), template(bench), database, ())
    assert held(bench, database) == held(bench, template(bench))


def test_a_reset_mends_next_values(bench):
    """A value that was taken and whose row is gone leaves no trace in a snapshot of rows."""
    original = held(bench, template(bench))
    database = changed(bench, ())
    session = bench.connect(database=database)
    session.run("INSERT INTO people (name, email) VALUES ('new', 'new')")
    session.run("DELETE FROM people WHERE name = 'new'")
    assert held(bench, database) != original
    bench.engine.databases.reset(bench.admin(), template(bench), database, ())
    assert held(bench, database) == original


def test_a_reset_ends_the_sessions_in_it(bench):
    """A transaction that is open there neither holds it up nor outlives it."""
    database = changed(bench, ())
    holder = bench.connect("holder", database)
    bench.engine.holding.hold_row(holder, "teams", "id", 1)
    bench.engine.databases.reset(bench.admin(), template(bench), database, _teams(bench))
    assert held(bench, database) == held(bench, template(bench))
    with pytest.raises(DatabaseError):
        holder.run("SELECT 1")


def test_the_parent_of_a_foreign_key_can_be_reset(bench):
    """Its child is left as it is, and is bound to it again."""
    original = held(bench, template(bench))
    database = changed(bench, ())
    bench.connect(database=database).run("UPDATE teams SET title = 'other'")
    bench.engine.databases.reset(bench.admin(), template(bench), database, _teams(bench))
    assert held(bench, database) == original
    with pytest.raises(DatabaseError):
        bench.connect(database=database).run("DELETE FROM teams WHERE id = 1")


def _teams(bench):
    contents = held(bench, template(bench)).contents
    return {key for key in contents if key.split(".")[-1] == "teams"}

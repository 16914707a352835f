"""Whatever is changed in a database, its snapshot names that and nothing else.

The changes are drawn, with their names, from a seed: ``MDRILL_SEED``. By default a sample is made;
``MDRILL_CHANGES`` says how many, and ``make snapshots`` makes 350, each at least once.
"""

from __future__ import annotations

import os

import pytest
from pglast.enums import ObjectType
from snapshot_changes.catalogues import LISTED, NO_COMMAND, NO_OBJECTS, WRITTEN
from snapshot_changes.grammar import types_of_objects
from snapshot_changes.model import drawn
from snapshot_changes.worlds import KINDS, World

from harness.engines.postgres import writes
from harness.state.difference import difference
from harness.state.readings import Readings

SEED = int(os.environ.get("MDRILL_SEED", "20"))
SAMPLE = int(os.environ.get("MDRILL_CHANGES", "120"))


def test_each_change_is_named_and_nothing_else(bench):
    """One at a time, among all that was made before; and taken back, nothing differs."""
    world = World(bench, SEED)
    wrong = {}
    for number, each in enumerate(drawn(world.changes, SAMPLE, world.rng)):
        if said := world.said_of(world.named(each)):
            wrong[f"{number}. {each.name}"] = said
    assert wrong == {}, f"seed {SEED}"


def test_what_was_not_written_need_not_be_read_again(bench):
    """A snapshot that rests on the server's counts of writes is the one that reads everything."""
    world = World(bench, SEED)
    if bench.engine.snapshot.writes(world.session) is None:
        pytest.skip(f"{bench.engine.title} does not count")
    readings, wrong = Readings(bench.engine), {}
    for number, each in enumerate(drawn(world.changes, SAMPLE, world.rng)):
        change = world.named(each)
        world.run(change.given)
        readings.take(world.database, world.session)
        for statements in (change.does, change.back):
            world.run(statements)
            found, read = readings.take(world.database, world.session), world.snapshot()
            if found != read:
                told = difference(found, read).lines(found, read)
                wrong[f"{number}. {each.name}"] = (statements, told)
    assert wrong == {}, f"seed {SEED}"


def test_every_column_of_a_relation_is_a_definition_or_a_place(bench):
    """A server that tells more of a relation than was known of is seen here."""
    if bench.engine.dialect != "postgres":
        pytest.skip("its counts need no such thing")
    listed = bench.connect().run(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = 'pg_class'::regclass "
        "AND attnum > 0"
    )
    told = set(f"{writes.DEFINES}, {writes.PLACES}".split(", "))
    assert {row[0] for row in listed.rows} <= told


def test_no_kind_of_object_is_forgotten(bench):
    """Each table of the server's own catalogue is written by a change, or it is said why not.

    What is written is asked of the server where it tells that, and else seen in the table.
    """
    world, dialect = World(bench, SEED), bench.engine.dialect
    listed = {row[0] for row in world.session.run(LISTED[dialect]).rows}
    no_objects = NO_OBJECTS[bench.engine.name]
    written = world.written(WRITTEN) if dialect == "postgres" else world.seen_written()
    assert listed - written - no_objects.keys() == set(), "nobody changes what is in these"
    assert written & no_objects.keys() == set(), "these hold objects after all"


def test_each_type_of_object_of_the_grammar_is_changed():
    """PostgreSQL's grammar lists them; a statement of some change names each, or it is said why."""
    known = {one.name for one in ObjectType}
    assert known - types_of_objects(KINDS["postgres"]) == NO_COMMAND.keys()


def test_no_change_is_left_out(bench):
    """A server without an extension or a newer statement says so here, by name."""
    if left_out := World(bench, SEED).left_out:
        told = (f"{name} (needs {what})" for name, what in left_out.items())
        pytest.skip(f"not tried on {bench.engine.title}: {'; '.join(told)}")

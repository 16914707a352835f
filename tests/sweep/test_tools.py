"""Every migration tool that runs here, killed inside its second statement of three.

The expectations were measured by hand with the same tools on the same migration, before any of
this code was written: the tool's process group was killed, or its server session was ended, while
the second statement slept; what was there was read once nothing was at work any more.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from page import there
from places import backend_of
from projects import PROJECTS, Project, environment, killed, program
from swept import arguments, run, write

from harness import loading
from harness.sweep.results import MigrationResult

KILL, END = "client-sigkill", "session-kill"
NONE, ONE, TWO, ALL = "none", "1", "1, 2", "**all**"
THERE = {
    # PostgreSQL: (when the client is killed, when its session is ended)
    ("golang-migrate", "postgres"): (ALL, NONE),
    ("dbmate", "postgres"): (NONE, NONE),
    ("goose", "postgres"): (NONE, NONE),
    ("flyway", "postgres"): (NONE, NONE),
    ("diesel", "postgres"): (NONE, NONE),
    # written from the source, as is that of Prisma
    ("sql-migrate", "postgres"): (NONE, NONE),
    ("alembic", "postgres"): (NONE, NONE),
    ("django", "postgres"): (NONE, NONE),
    ("yoyo", "postgres"): (NONE, NONE),
    ("knex", "postgres"): (NONE, NONE),
    ("drizzle", "postgres"): (NONE, NONE),
    # written from the source, and not from what the real one was seen to do
    ("prisma", "postgres"): (ALL, NONE),
    ("node-pg-migrate", "postgres"): (NONE, NONE),
    ("umzug", "postgres"): (TWO, ONE),
    ("liquibase", "postgres"): (NONE, NONE),
    ("sqitch", "postgres"): (NONE, NONE),
    ("psql", "postgres"): (TWO, ONE),
    ("psql-single-transaction", "postgres"): (NONE, NONE),
    ("whole-file", "postgres"): (ALL, NONE),
    ("whole-file", "mysql"): (ALL, ONE),
    ("golang-migrate", "mysql"): (ALL, ONE),
    ("dbmate", "mysql"): (ALL, ONE),
    ("goose", "mysql"): (TWO, ONE),
    ("flyway", "mysql"): (TWO, ONE),
    ("diesel", "mysql"): (ALL, ONE),
    ("sql-migrate", "mysql"): (TWO, ONE),
    ("alembic", "mysql"): (ONE, ONE),
    ("django", "mysql"): (TWO, ONE),
    ("yoyo", "mysql"): (ONE, ONE),
    ("knex", "mysql"): (TWO, ONE),
    ("drizzle", "mysql"): (TWO, ONE),
    ("prisma", "mysql"): (ALL, ONE),
    ("umzug", "mysql"): (TWO, ONE),
    ("liquibase", "mysql"): (ONE, ONE),
    ("sqitch", "mysql"): (TWO, ONE),
    ("psql", "mysql"): (TWO, ONE),
}
STUCK = {"golang-migrate", "liquibase", "prisma"}
"""Dirty or locked after either death, on every engine."""


def cases() -> list[object]:
    return [
        pytest.param(project, engine, id=f"{project.tool}-{engine}")
        for project in PROJECTS
        for engine in project.engines
        if (project.stands_for or project.tool, engine) in THERE
    ]


@pytest.mark.parametrize(("project", "engine"), cases())
@pytest.mark.matrix(of=3)
def test_what_a_killed_tool_leaves(project: Project, engine: str):
    variables = environment()
    if program(project, variables) is None:
        pytest.skip(f"{project.program} is not here: make tools")
    found = killed(project, engine, backend_of(engine), variables)
    told = {way.value: said for way, said in there(found)}
    assert (told[KILL], told[END]) == THERE[project.stands_for or project.tool, engine]
    if project.tool in STUCK:
        (migration,) = found.result.migrations
        assert {c.stuck for c in migration.cells if c.where == "inside"} == {True}


def test_every_tool_of_the_catalogue_is_killed():
    """A new tool comes with a project, or it was never seen at work."""
    assert {*loading.our_tools()} == {project.tool for project in PROJECTS}


# ----------------------------------------------------------------------------- emulations


WAYS = ("client-sigkill", "session-kill", "query-cancel", "connection-lost", "reply-lost")
"""SIGTERM is left out: what a wrapper of the real one makes of it is not what the tool does."""
OUTSIDE = {
    "1_users.sql": """\
-- migrate:up
CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(50) NOT NULL);
INSERT INTO users (id, name) VALUES (1, 'Ada'), (2, 'Grace'), (3, 'Edsger');
-- migrate:down
DROP TABLE users;
""",
    "2_phone.sql": """\
-- migrate:up transaction:false
ALTER TABLE users ADD COLUMN phone VARCHAR(20);
UPDATE users SET phone = CONCAT('555-', id);
CREATE INDEX users_phone ON users (phone);
-- migrate:down transaction:false
ALTER TABLE users DROP COLUMN phone;
""",
}
"""A project of dbmate whose second migration asks for no transaction."""


def swept(folder: Path, project: Project, engine: str, version: str, out: Path) -> MigrationResult:
    """What is told of the one migration, with that tool, struck at every point in every way."""
    variables = environment()
    where = program(project, variables)
    if where is None:
        pytest.skip(f"{project.program} is not here: make tools")
    more = ["--tool", project.tool, "--only", version, "--rows", "7"]
    more += [word for way in WAYS for word in ("--ways", way)]
    more += ["--program", where] if where else []
    outcome = run(*arguments(folder, engine, out / project.tool, *more), **variables)
    (migration,) = outcome.result.migrations
    assert not migration.broken
    return migration


def messages(migration: MigrationResult) -> list[tuple[object, ...]]:
    """What went over the wire on both ways, as kinds."""
    rows = (*migration.reference.rows, *migration.way_back.rows)
    return [(row.kind, row.verb, row.statements) for row in rows]


def left(migration: MigrationResult) -> dict[str, tuple[object, ...]]:
    """By crash point and way: what is there, what the tool believes, and what it asks for."""
    return {
        cell.point: (cell.left.name, cell.applied, cell.stuck, cell.grade)
        for cell in migration.every_cell
        if not cell.missed
    }


def pairs() -> list[object]:
    known = {project.tool: project for project in PROJECTS}
    return [
        pytest.param(known[emulation.stands_for], emulation, engine, id=f"{name}-{engine}")
        for name, emulation in known.items()
        if emulation.stands_for
        for engine in emulation.engines
    ]


@pytest.mark.parametrize(("real", "emulation", "engine"), pairs())
@pytest.mark.matrix(of=2)
def test_an_emulation_is_like_the_program(
    real: Project, emulation: Project, engine: str, tmp_path: Path
):
    """The same kinds of messages in the same order, and the same states when they are struck."""
    folder = real.path(engine)
    theirs = swept(folder, real, engine, real.version, tmp_path)
    ours = swept(folder, emulation, engine, real.version, tmp_path)
    assert messages(ours) == messages(theirs)
    assert left(ours) == left(theirs)


@pytest.mark.parametrize("engine", ["postgres", "mysql"])
@pytest.mark.matrix(of=2)
def test_dbmate_outside_a_transaction(engine: str, tmp_path: Path):
    """It sends a message again whose connection was lost, on PostgreSQL: the run goes through."""
    known = {project.tool: project for project in PROJECTS}
    folder = write(tmp_path / "migrations", OUTSIDE)
    theirs = swept(folder, known["dbmate"], engine, "2", tmp_path)
    ours = swept(folder, known["dbmate-emulated"], engine, "2", tmp_path)
    assert messages(ours) == messages(theirs)
    assert left(ours) == left(theirs)
    inside = [told for point, told in left(ours).items() if point.endswith(":session-kill")]
    done = "done" in {grade for _, _, _, grade in inside}
    assert done is (engine == "postgres")


@pytest.mark.parametrize("engine", ["postgres", "mysql", "mariadb"])
def test_a_copied_state_has_what_the_tool_believes(engine: str, tmp_path: Path):
    """All that tells a run of Prisma that was cut off is a time that is missing; a copy of a state
    without it would make the next run refuse."""
    (project,) = [project for project in PROJECTS if project.tool == "prisma"]
    ways = ("--ways", "session-kill", "--ways", "client-sigkill", "--rows", "5")
    outcome = run(*arguments(project.path(engine), engine, tmp_path, *ways))
    assert outcome.code == 0, outcome.err
    leads = [str(migration.rollback.leads) for migration in outcome.result.migrations]
    assert leads == ["restores-everything"] * 2

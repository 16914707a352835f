"""Every migration tool that runs here, killed inside its second statement of three.

The expectations were measured by hand with the same tools on the same migration, before any of
this code was written: the tool's process group was killed, or its server session was ended, while
the second statement slept; what was there was read once nothing was at work any more.
"""

from __future__ import annotations

import pytest
from page import rows
from projects import PROJECTS, ROOT, Project, environment, killed, program
from swept import backend_of

KILL, END = "client-sigkill", "session-kill"
NONE, ONE, TWO, ALL = "none", "1", "1, 2", "**all**"
THERE = {
    # PostgreSQL: (when the client is killed, when its session is ended)
    ("golang-migrate", "postgres"): (ALL, NONE),
    ("dbmate", "postgres"): (NONE, NONE),
    ("goose", "postgres"): (NONE, NONE),
    ("flyway", "postgres"): (NONE, NONE),
    ("diesel", "postgres"): (NONE, NONE),
    ("alembic", "postgres"): (NONE, NONE),
    ("django", "postgres"): (NONE, NONE),
    ("yoyo", "postgres"): (NONE, NONE),
    ("knex", "postgres"): (NONE, NONE),
    ("drizzle", "postgres"): (NONE, NONE),
    ("node-pg-migrate", "postgres"): (NONE, NONE),
    ("umzug", "postgres"): (TWO, ONE),
    ("liquibase", "postgres"): (NONE, NONE),
    ("sqitch", "postgres"): (NONE, NONE),
    ("psql", "postgres"): (TWO, ONE),
    ("psql-single-transaction", "postgres"): (NONE, NONE),
    ("golang-migrate", "mysql"): (ALL, ONE),
    ("dbmate", "mysql"): (ALL, ONE),
    ("goose", "mysql"): (TWO, ONE),
    ("flyway", "mysql"): (TWO, ONE),
    ("diesel", "mysql"): (ALL, ONE),
    ("alembic", "mysql"): (ONE, ONE),
    ("django", "mysql"): (TWO, ONE),
    ("yoyo", "mysql"): (ONE, ONE),
    ("knex", "mysql"): (TWO, ONE),
    ("drizzle", "mysql"): (TWO, ONE),
    ("umzug", "mysql"): (TWO, ONE),
    ("liquibase", "mysql"): (ONE, ONE),
    ("sqitch", "mysql"): (TWO, ONE),
    ("psql", "mysql"): (TWO, ONE),
}
STUCK = {"golang-migrate", "liquibase"}
"""Dirty or locked after either death, on every engine."""


def cases() -> list[object]:
    return [
        pytest.param(project, engine, id=f"{project.tool}-{engine}")
        for project in PROJECTS
        for engine in project.engines
        if (project.tool, engine) in THERE
    ]


@pytest.mark.parametrize(("project", "engine"), cases())
def test_what_a_killed_tool_leaves(project: Project, engine: str):
    variables = environment()
    if program(project, variables) is None:
        pytest.skip(f"{project.program} is not here: make tools")
    result = killed(project, engine, backend_of(engine), variables)
    there = {way: told for _, _, way, told in rows([result])}
    assert (there[KILL], there[END]) == THERE[project.tool, engine]
    if project.tool in STUCK:
        (migration,) = result["migrations"]
        struck = {c["stuck"] for c in migration["cells"] if c["where"] == "inside"}
        assert struck == {True}


def test_every_tool_of_the_catalogue_is_killed():
    """A new tool comes with a project, or it was never seen at work."""
    from harness.loading import load_tools

    found = load_tools(ROOT / "harness" / "tools" / "adapters")

    assert {tool.id for tool in found} == {project.tool for project in PROJECTS}

"""Who may import whom. To read the house, read the table in ``floors.py``.

A room (a file or a folder directly under ``harness/``) may import rooms of the floors below it, and
nothing beside or over it.
"""

from __future__ import annotations

import ast

import pytest
from floors import FLOORS, NO_ROOM, shown, table
from house import MODULES, PACKAGE

DRIVERS = {
    "psycopg": "engines",
    "pymysql": "engines",
    "docker": "backends",
    "testcontainers": "backends",
    "jinja2": "reporting",
    "yaml": "loading",
    "click": "cli",
}
DRAWN_ON_A_TERMINAL = {"reporting", "cli"}
"""rich prints the matrix (a report format) and the progress line (a command)."""
READ_THE_ENVIRONMENT = {
    "cli": "NO_COLOR, apt's settings, and what little of it a migration tool keeps",
    "tools.emulation": "what might lead an emulated tool elsewhere, to remove it",
    "backends._processes": "PATH, to ask ps for a process",
    "cache": "where this user keeps what can be made anew",
    "backends._workplace": "PATH and the loader's paths, for a local server",
}
SPEAK_A_DIALECT = {"engines", "sqltext"}
"""sqltext cuts a file into statements, by the rules of the dialect that it is told."""
RECOGNISE_A_PROGRAM = {"backends._binaries"}
"""Asks a program on the disk what it is: Debian's ``mysqld`` is MariaDB."""

FLOOR_OF = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}
ENGINES = {path.parent.name for path in (PACKAGE / "engines").glob("*/__init__.py")}
each_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)


@each_module
def test_every_room_has_a_floor(module):
    """A new room is added to the table above on purpose, at the lowest floor that holds it."""
    assert module.room in FLOOR_OF.keys() | NO_ROOM


def test_every_room_of_the_table_is_there():
    """The table does not outlive its rooms."""
    assert set(FLOOR_OF) == {module.room for module in MODULES} - NO_ROOM


def test_contributing_shows_the_table_that_the_tests_read():
    """``python tests/architecture/floors.py`` writes it anew."""
    assert shown() == table()


@each_module
def test_imports_go_down_only(module):
    """A room knows the floors below it; neighbours and the floors above it are strangers."""
    own = FLOOR_OF.get(module.room, 0)
    up = [
        f"line {line}: {room}"
        for room, line in module.rooms_used()
        if room not in NO_ROOM and FLOOR_OF.get(room, len(FLOORS)) >= own
    ]
    assert up == []


@each_module
def test_kinds_of_one_room_do_not_know_each_other(module):
    """A kind imports helpers of its room (with an underscore), and no other kind of it."""
    kinds = {m.name for m in MODULES if "\nKIND = " in m.text}
    known = {name.removeprefix("harness.") for name, _ in module.imports()}
    if module.name in kinds:
        assert known & kinds == set()


@pytest.mark.parametrize("driver, room", DRIVERS.items(), ids=lambda word: word)
def test_a_driver_is_imported_in_one_room_only(driver, room):
    """So that another one can take its place by changing that room alone."""
    users = {m.room for m in MODULES for name, _ in m.imports() if name.split(".")[0] == driver}
    assert users == {room}


def test_rich_is_used_where_something_is_shown():
    """A renderer and the progress line draw; nothing that computes does."""
    users = {m.room for m in MODULES for name, _ in m.imports() if name.split(".")[0] == "rich"}
    assert users == DRAWN_ON_A_TERMINAL


@each_module
def test_no_engine_is_told_apart_outside_the_engines(module):
    """Code that needs a difference asks the engine for a fact; it never compares names."""

    def names(node):
        return {n.value for n in ast.walk(node) if isinstance(n, ast.Constant)} & ENGINES

    compared = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Compare) and names(node))
        or (isinstance(node, ast.match_case) and names(node.pattern))
    ]
    if module.name not in RECOGNISE_A_PROGRAM and module.room not in SPEAK_A_DIALECT:
        assert compared == []


@each_module
def test_the_environment_is_read_in_few_places(module):
    """What a run does depends on its arguments and files; the exceptions are in the table."""
    read = [
        f"line {node.lineno}"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in ("os.environ", "os.getenv")
    ]
    if module.name not in READ_THE_ENVIRONMENT and module.room not in READ_THE_ENVIRONMENT:
        assert read == []


def test_every_place_that_may_read_the_environment_does():
    """The table of exceptions does not outlive its reasons."""
    readers = [module for module in MODULES if "os.environ" in module.text]
    places = {word for module in readers for word in (module.name, module.room)}
    assert set(READ_THE_ENVIRONMENT) <= places

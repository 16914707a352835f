"""What a plan tells a person to type: every line can be pasted, whatever the folder is called."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from harness import layouts, loading, registry, sqltext
from harness.layouts import Migration, Script
from harness.tools.adapter import Adapter
from harness.tools.by_hand import ByHand, in_shell, sql_line

LAYOUTS = Path(__file__).parents[1] / "fixtures" / "layouts"
TOOLS = loading.our_tools()
BASH = shutil.which("bash")
URL = "postgres://ada:p'w@db.example/shop?a=1&b=$2 x"
ADDRESS = {
    "DATABASE_URL": URL,
    "DATABASE_HOST": "db.example",
    "DATABASE_PORT": "3306",
    "DATABASE_USER": "ada",
    "DATABASE_NAME": "shop; DROP",
}
PLACEHOLDER = re.compile(r"(?<!\$)\{\w+\}")
UP, DOWN = "2_add $phone.sql", "2_add $phone.down.sql"
CLIENT = ("--host", "db.example", "--port", "3306", "--user", "ada", "--password", "shop; DROP")

each_tool_and_engine = pytest.mark.parametrize(
    "tool, engine",
    [pytest.param(t, e, id=f"{t.id}-{e}") for t in TOOLS.values() for e in t.engines],
)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project whose folders and files have names that a shell would take apart."""
    folder = tmp_path / "my project's" / "db {name} & more"
    folder.mkdir(parents=True)
    (folder / "1_users.sql").write_text("CREATE TABLE users (id int);\n")
    (folder / UP).write_text("ALTER TABLE users ADD phone int;\n")
    (folder / DOWN).write_text("ALTER TABLE users DROP phone;\n")
    return folder


def script(folder: Path, name: str) -> Script:
    return Script(str(folder / name), 1, (folder / name).read_text())


def by_hand(tool: Adapter, engine: str, folder: Path) -> ByHand:
    first = Migration("1", "users", script(folder, "1_users.sql"), None, ())
    second = Migration("2", "add $phone", script(folder, UP), script(folder, DOWN), ())
    more = {"project": str(folder.parent), "marker": "run.js", "app": "shop"}
    return ByHand(tool, registry.engine(engine), folder, more, (first, second))


VALUES = {"version": "2", "previous": "1", "name": "add $phone", "sha256": "c0ffee"}


def every_line(tool: Adapter, engine: str, folder: Path) -> list[str]:
    hand = by_hand(tool, engine, folder)
    lines = [*hand.up(VALUES), *hand.mark(VALUES), *hand.unmark(VALUES)]
    if tool.down or tool.shell.down:
        lines += hand.down(VALUES)
    for repair in tool.repairs:
        lines += hand.repair(repair, VALUES)
    return lines


def typed(line: str, folder: Path) -> list[str]:
    """What a program is given by a shell that reads the line: its name and its arguments."""
    if BASH is None:
        pytest.skip("no bash on this machine")
    programs = folder.parent.parent / "bin"
    programs.mkdir(exist_ok=True)
    stub = '#!/bin/sh\nprintf "%s\\0" "${0##*/}" "$@"\n'
    for name in {*shlex.split(line, comments=True), "npx"}:
        if "/" not in name and name not in ("cd", "&&", "<", "psql -f"):
            (programs / name).write_text(stub)
            (programs / name).chmod(0o755)
    done = subprocess.run(
        [BASH, "-c", line],
        env={**ADDRESS, "PATH": f"{programs}:/usr/bin:/bin"},
        cwd=folder.parent,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.split("\0")[:-1]


@each_tool_and_engine
def test_no_line_has_anything_left_to_fill_in(tool: Adapter, engine: str, project: Path) -> None:
    """The folder's own braces are no placeholders, and are not filled in either."""
    shown = shlex.quote(str(project))
    for line in every_line(tool, engine, project):
        assert line
        assert PLACEHOLDER.findall(line.replace(shown, "").replace(project.name, "")) == []


@each_tool_and_engine
def test_every_line_is_sql_or_a_command_of_that_tool(
    tool: Adapter, engine: str, project: Path
) -> None:
    """SQL ends with a semicolon and is one statement for the client; the rest a shell can read."""
    for line in every_line(tool, engine, project):
        if line.endswith(";"):
            (statement,) = sqltext.split(line, registry.engine(engine).dialect)
            assert f"{statement.text};" == line
            continue
        program, *rest = typed(line, project)
        assert program in PROGRAMS[tool.id], line
        assert rest


@each_tool_and_engine
def test_a_tool_that_keeps_a_record_can_be_told_both(tool: Adapter, engine: str, project: Path):
    """That it was applied; and that it was not, where there is a way down."""
    hand = by_hand(tool, engine, project)
    assert bool(hand.mark(VALUES)) is bool(tool.applied)
    goes_back = tool.applied and (tool.down or tool.shell.down)
    assert bool(tool.mark_reverted) is bool(goes_back)
    assert bool(hand.unmark(VALUES)) is bool(goes_back)


PROGRAMS: Mapping[str, Sequence[str]] = {
    "alembic": ["alembic"],
    "dbmate": ["dbmate"],
    "dbmate-emulated": ["dbmate"],
    "diesel": ["diesel"],
    "django": ["python3"],
    "drizzle": ["npx"],
    "drizzle-emulated": ["npx"],
    "flyway": ["flyway", "psql", "mysql", "mariadb"],
    "golang-migrate": ["migrate"],
    "goose": ["goose"],
    "knex": ["npx"],
    "liquibase": ["liquibase"],
    "node-pg-migrate": ["npx"],
    "prisma": ["npx"],
    "psql": ["psql", "mysql", "mariadb"],
    "psql-single-transaction": ["psql"],
    "sql-migrate": ["sql-migrate"],
    "sqitch": ["sqitch"],
    "umzug": ["node"],
    "whole-file": ["psql", "mysql", "mariadb"],
    "yoyo": ["yoyo"],
}

FOLDER, PROJECT, FILE, DOWN_FILE = "<folder>", "<project>", "<file>", "<down file>"
TYPED = {
    # tool, engine: (up, down); as each tool's documentation has it
    ("alembic", "postgres"): (["alembic", "upgrade", "2"], ["alembic", "downgrade", "1"]),
    ("dbmate", "postgres"): (
        ["dbmate", "--url", URL, "--migrations-dir", FOLDER, "--no-dump-schema", "up"],
        ["dbmate", "--url", URL, "--migrations-dir", FOLDER, "--no-dump-schema", "rollback"],
    ),
    ("diesel", "mysql"): (
        ["diesel", "migration", "run", "--database-url", URL, "--migration-dir", FOLDER],
        ["diesel", "migration", "revert", "--database-url", URL, "--migration-dir", FOLDER],
    ),
    ("django", "postgres"): (
        ["python3", "manage.py", "migrate", "shop", "2"],
        ["python3", "manage.py", "migrate", "shop", "1"],
    ),
    ("drizzle", "postgres"): (["npx", "drizzle-kit", "migrate"], None),
    ("flyway", "postgres"): (
        ["flyway", f"-url={URL}", f"-locations=filesystem:{FOLDER}", "migrate"],
        ["psql", URL, "-v", "ON_ERROR_STOP=1", "-f", DOWN_FILE],
    ),
    ("golang-migrate", "mysql"): (
        ["migrate", "-path", FOLDER, "-database", URL, "up"],
        ["migrate", "-path", FOLDER, "-database", URL, "goto", "1"],
    ),
    ("goose", "postgres"): (
        ["goose", "-dir", FOLDER, "postgres", URL, "up-to", "2"],
        ["goose", "-dir", FOLDER, "postgres", URL, "down-to", "1"],
    ),
    ("goose", "mariadb"): (
        ["goose", "-dir", FOLDER, "mysql", URL, "up-to", "2"],
        ["goose", "-dir", FOLDER, "mysql", URL, "down-to", "1"],
    ),
    ("knex", "mysql"): (
        [
            *("npx", "knex", "migrate:up", "2", "--client", "mysql2", "--connection", URL),
            *("--migrations-directory", FOLDER),
        ],
        [
            *("npx", "knex", "migrate:down", "2", "--client", "mysql2", "--connection", URL),
            *("--migrations-directory", FOLDER),
        ],
    ),
    ("liquibase", "postgres"): (
        [
            *("liquibase", f"--search-path={PROJECT}", "update", "--changelog-file=run.js"),
            f"--url={URL}",
        ],
        [
            *("liquibase", f"--search-path={PROJECT}", "rollback-count", "--count=1"),
            *("--changelog-file=run.js", f"--url={URL}"),
        ],
    ),
    ("node-pg-migrate", "postgres"): (
        ["npx", "node-pg-migrate", "up", "2", "--migrations-dir", FOLDER],
        ["npx", "node-pg-migrate", "down", "2", "--migrations-dir", FOLDER],
    ),
    ("prisma", "mysql"): (
        ["npx", "prisma", "migrate", "deploy", "--schema", f"{PROJECT}/run.js"],
        ["npx", "prisma", "db", "execute", "--file", DOWN_FILE],
    ),
    ("psql", "postgres"): (
        ["psql", URL, "-v", "ON_ERROR_STOP=1", "-f", FILE],
        ["psql", URL, "-v", "ON_ERROR_STOP=1", "-f", DOWN_FILE],
    ),
    ("psql", "mysql"): (["mysql", *CLIENT], ["mysql", *CLIENT]),
    ("psql", "mariadb"): (["mariadb", *CLIENT], ["mariadb", *CLIENT]),
    ("psql-single-transaction", "postgres"): (
        ["psql", URL, "-v", "ON_ERROR_STOP=1", "-1", "-f", FILE],
        ["psql", URL, "-v", "ON_ERROR_STOP=1", "-1", "-f", DOWN_FILE],
    ),
    ("sql-migrate", "postgres"): (
        ["sql-migrate", "up", "-limit=1"],
        ["sql-migrate", "down", "-limit=1"],
    ),
    ("whole-file", "mariadb"): (
        ["mariadb", *CLIENT[:-1], "--delimiter=@@@@", CLIENT[-1]],
        ["mariadb", *CLIENT[:-1], "--delimiter=@@@@", CLIENT[-1]],
    ),
    ("sqitch", "postgres"): (
        ["sqitch", "deploy", "--chdir", PROJECT, "--target", URL, "--to-change", "2"],
        ["sqitch", "revert", "-y", "--chdir", PROJECT, "--target", URL, "--to-change", "1"],
    ),
    ("umzug", "mysql"): (
        ["node", "run.js", "up", "--to", "2"],
        ["node", "run.js", "down", "--name", "2"],
    ),
    ("yoyo", "postgres"): (
        ["yoyo", "apply", "--batch", "--no-config-file", "-d", URL, "-r", "2", FOLDER],
        ["yoyo", "rollback", "--batch", "--no-config-file", "-d", URL, "-r", "2", FOLDER],
    ),
}


@pytest.mark.parametrize("tool, engine", TYPED)
def test_a_shell_gives_the_tool_what_its_documentation_asks_for(
    tool: str, engine: str, project: Path
) -> None:
    """Each word whole: the address, the folder, the file, with all that is odd in them."""
    hand = by_hand(TOOLS[tool], engine, project)
    names = {
        FOLDER: str(project),
        PROJECT: str(project.parent),
        FILE: str(project / UP),
        DOWN_FILE: str(project / DOWN),
    }
    wanted = []
    for words in filter(None, TYPED[tool, engine]):
        for word, path in names.items():
            words = [part.replace(word, path) for part in words]
        wanted.append(words)
    lines = [hand.up(VALUES), hand.down(VALUES)][: len(wanted)]
    assert [typed(line[0], project) for line in lines] == wanted


def test_every_tool_is_in_these_tables() -> None:
    """A new adapter comes with its lines, or nobody has looked at them; an emulation of a tool
    that is run as well says the same as that."""
    seen = {tool for tool, _ in TYPED}
    for tool in TOOLS.values():
        assert tool.id in seen or TOOLS[tool.id.removesuffix("-emulated")].shell == tool.shell
    assert {*PROGRAMS} == {*TOOLS}


# ----------------------------------------------------------------------------- the first version


def test_before_the_first_version_there_is_none(project: Path) -> None:
    """Each tool has its own way to say so."""
    first = {**VALUES, "version": "1"}
    migrate = by_hand(TOOLS["golang-migrate"], "postgres", project)
    assert migrate.unmark({**first, "previous": "-1"})[0].endswith(" force -- -1")
    assert migrate.repair(TOOLS["golang-migrate"].repairs[1], {**first, "previous": "-1"})[
        0
    ].endswith(" force -- -1")
    (line,) = migrate.down({**first, "previous": "-1"})
    assert line.endswith(" down 1")
    sqitch = by_hand(TOOLS["sqitch"], "postgres", project)
    (line,) = sqitch.down({**first, "previous": ""})
    assert line.endswith('--target "$DATABASE_URL"')
    (line,) = by_hand(TOOLS["django"], "postgres", project).down({**first, "previous": "zero"})
    assert line.endswith(" migrate shop zero")


# ----------------------------------------------------------------------------- a part of a file


@pytest.mark.parametrize("layout", ["dbmate", "goose", "sql-migrate", "golang-migrate"])
def test_a_part_of_a_file_is_handed_over_alone(layout: str) -> None:
    """A file that holds both ways is never given to a client as a whole."""
    if BASH is None:
        pytest.skip("no bash on this machine")
    for migration in layouts.read(LAYOUTS / layout, layout):
        for part in filter(None, (migration.up, migration.down)):
            cat = subprocess.run(
                [BASH, "-c", f"cat {in_shell(part)}"], capture_output=True, check=True, timeout=60
            )
            assert cat.stdout.decode().rstrip("\n") == part.text.rstrip("\n")


def test_psql_is_given_the_part(tmp_path: Path) -> None:
    """By a shell that hands it over as a file of its own."""
    (tmp_path / "1_a.sql").write_text(
        "-- migrate:up\nCREATE TABLE a (id int);\n\n-- migrate:down\nDROP TABLE a;\n"
    )
    (migration,) = layouts.read(tmp_path, "dbmate")
    hand = ByHand(TOOLS["psql"], registry.engine("postgres"), tmp_path, {}, (migration,))
    values = {**VALUES, "version": "1"}
    file = shlex.quote(str(tmp_path / "1_a.sql"))
    wanted = "psql \"$DATABASE_URL\" -v ON_ERROR_STOP=1 -f <(sed -n '{}p' {})"
    assert hand.up(values) == (wanted.format("1,2", file),)
    assert hand.down(values) == (wanted.format("4,5", file),)


BODY = "CREATE PROCEDURE p() BEGIN UPDATE a SET id = 1; UPDATE a SET id = 2; END"


def test_what_a_client_would_cut_elsewhere_is_given_statement_by_statement(tmp_path: Path) -> None:
    """goose takes a body whole; the mysql client would end it at its first semicolon."""
    block = f"-- +goose StatementBegin\n{BODY};\n-- +goose StatementEnd\n"
    (tmp_path / "1_a.sql").write_text(f"-- +goose Up\nDROP TABLE b;\n{block}")
    (migration,) = layouts.read(tmp_path, "goose")
    hand = ByHand(TOOLS["psql"], registry.engine("mysql"), tmp_path, {}, (migration,))
    table, body = hand.up({**VALUES, "version": "1"})
    assert table == "DROP TABLE b;"
    assert body == f"DELIMITER //\n{BODY}\n//\nDELIMITER ;"
    (statement,) = sqltext.split(body, "mysql")
    assert statement.text == BODY


def test_what_is_one_transaction_stays_one(tmp_path: Path) -> None:
    """BEGIN and COMMIT stand around the statements, where psql would bring them itself."""
    (tmp_path / "meta").mkdir()
    (tmp_path / "meta" / "_journal.json").write_text('{"entries": [{"tag": "0_a", "when": 1}]}')
    (tmp_path / "0_a.sql").write_text("SELECT 1; SELECT 2;\n--> statement-breakpoint\nSELECT 3;\n")
    (migration,) = layouts.read(tmp_path, "drizzle")
    tool = TOOLS["psql-single-transaction"]
    hand = ByHand(tool, registry.engine("postgres"), tmp_path, {}, (migration,))
    wanted = ("BEGIN;", "SELECT 1; SELECT 2;", "SELECT 3;", "COMMIT;")
    assert hand.up({**VALUES, "version": "1"}) == wanted


# ----------------------------------------------------------------------------- SQL


@pytest.mark.parametrize(
    "sql, dialect, line",
    [
        ("SELECT 1", "postgres", "SELECT 1;"),
        ("SELECT 1;", "mysql", "SELECT 1;"),
        ("\nSELECT 1  -- one", "postgres", "SELECT 1;"),
        ("SELECT 1 # one", "mysql", "SELECT 1;"),
        ("SELECT ';' /* ; */ FROM a", "mariadb", "SELECT ';' /* ; */ FROM a;"),
        ("CREATE FUNCTION f() AS $$ a; b $$", "postgres", "CREATE FUNCTION f() AS $$ a; b $$;"),
        (BODY, "mysql", f"DELIMITER //\n{BODY}\n//\nDELIMITER ;"),
        (BODY + " -- //", "mariadb", f"DELIMITER $$\n{BODY} -- //\n$$\nDELIMITER ;"),
    ],
)
def test_a_statement_is_pasted_as_one(sql: str, dialect: sqltext.Dialect, line: str) -> None:
    """No comment hides its semicolon, and no client cuts its body."""
    assert sql_line(sql, dialect) == line
    assert len(sqltext.split(line, dialect)) == 1


def test_a_quote_in_a_name_stays_in_its_string(project: Path) -> None:
    """A folder's name is a version for some tools, and may be anything."""
    prisma = by_hand(TOOLS["prisma"], "postgres", project)
    (line,) = prisma.unmark({**VALUES, "version": "2_o'hara"})
    assert line == "DELETE FROM _prisma_migrations WHERE migration_name = '2_o''hara';"


# ----------------------------------------------------------------------------- tools of others


def test_without_a_line_for_a_person_it_is_the_command_as_it_was_run(tmp_path: Path) -> None:
    """Its placeholders are filled with the shell's own words, inside an option as well."""
    (tmp_path / "ours.yaml").write_text(
        "title: ours\nhow: run\nlayouts: [numbered]\nengines: [postgres]\nprogram: de ploy\n"
        'url: "{host}"\napply: ["{program}", up, "--from={folder}", "--url={url}/{database}"]\n'
    )
    tool = loading.load_tool(tmp_path / "ours.yaml")
    hand = ByHand(tool, registry.engine("postgres"), Path("-my files"), {}, ())
    (line,) = hand.up(VALUES)
    assert line == ("'de ploy' up --from='./-my files' --url=\"$DATABASE_URL\"/\"$DATABASE_NAME\"")


def test_an_emulated_tool_without_any_line_says_so_in_a_comment(tmp_path: Path) -> None:
    """An empty step would be no step at all, and a made-up command would be a lie."""
    (tmp_path / "ours.yaml").write_text(
        "title: ours\nhow: emulated\nlayouts: [numbered]\nengines: [postgres]\n"
        "emulation:\n  postgres:\n    wire: whole-file\n"
    )
    tool = loading.load_tool(tmp_path / "ours.yaml")
    hand = ByHand(tool, registry.engine("postgres"), tmp_path, {}, ())
    assert hand.up(VALUES) == ("# run ours",)
    assert hand.down(VALUES) == ("# take add $phone back by ours",)
    assert hand.mark(VALUES) == hand.unmark(VALUES) == ()


def test_what_no_command_takes_back_is_taken_back_by_hand(project: Path) -> None:
    """The script first, then the tool is told; where it has to look again, that comes last."""
    flyway = by_hand(TOOLS["flyway"], "postgres", project)
    script_, told = flyway.down(VALUES)
    assert script_.startswith("psql ")
    assert told == "DELETE FROM flyway_schema_history WHERE version = '2';"
    *sql, repair = flyway.mark(VALUES)
    assert [line[:11] for line in sql] == ["DELETE FROM", "INSERT INTO"]
    assert repair.endswith(" repair")

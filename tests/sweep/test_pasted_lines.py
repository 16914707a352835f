"""What a plan prints is pasted as it stands, and does what the plan says.

SQL goes into a session, a command into a shell, in a copy of the tool's own project whose
configuration names our server, as a project's own would.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import pytest
from places import backend_of
from projects import FIXTURES, PROJECTS, Project, environment, program
from swept import arguments, run_here, write

from harness import layouts, loading, registry, sqltext
from harness.backends.docker import DockerBackend
from harness.backends.local import LocalBackend
from harness.layouts import Migration
from harness.sweep.recoveries import Recoveries, Recovery
from harness.sweep.subject import Crash
from harness.sweep.sweep_server import SweepServer, TrialDatabase
from harness.tools.adapter import Adapter, filled, for_dialect, sha256_of
from harness.tools.belief import believes
from harness.tools.by_hand import ByHand
from harness.tools.program import app_of, project_of

RUN = ("alembic", "dbmate", "django", "drizzle", "knex", "liquibase", "node-pg-migrate")
RUN += ("sqitch", "umzug", "yoyo")
EMULATED = ("goose", "flyway", "diesel", "dbmate-emulated", "drizzle-emulated")
"""Tools whose record is mended by SQL; the others have a command for it."""
DEADLINE_S = 300


def each_of(tools: Sequence[str], engines: Sequence[str]) -> list[object]:
    return [
        pytest.param(project, engine, id=f"{project.tool}-{engine}")
        for project in PROJECTS
        for engine in project.engines
        if project.tool in tools and engine in engines
    ]


# ----------------------------------------------------------------------------- SQL into a session


def paste_sql(recoveries: Recoveries, lines: Sequence[str], trial: TrialDatabase) -> str:
    """Every line as it is printed; what a server's client would send for it."""
    server = recoveries._server
    session = server.session(trial.database)
    for line in lines:
        for statement in sqltext.split(line, server.engine.dialect):
            session.run(statement.text)
    return ""


def pasted_instead(of) -> object:
    """Recoveries of SQL alone are done by pasting what is printed for them."""

    def each(self: Recoveries, crash: Crash) -> Iterator[Recovery]:
        for recovery in of(self, crash):
            lines = [line for line in recovery.commands if line.endswith(";")]
            if recovery.kind in ("completion", "mark") and lines:
                yield replace(recovery, act=partial(paste_sql, self, lines))
            else:
                yield recovery

    return each


def judged(folder: Path, engine: str, out: Path, *more: str) -> list[tuple[str, str, bool]]:
    """(state, kind, healed) of every recovery by hand that a sweep tried."""
    ways = ("--ways", "client-sigkill", "--ways", "session-kill", "--rows", "7")
    outcome = run_here(arguments(folder, engine, out, *ways, *more))
    (migration,) = outcome.result.migrations
    assert not migration.broken
    return [
        (healing.left.name, attempt.kind, attempt.healed)
        for healing in (*migration.healings, *migration.down_healings)
        for attempt in healing.attempts
        if attempt.kind in ("completion", "mark")
    ]


@pytest.mark.parametrize(("project", "engine"), each_of(EMULATED, ("postgres", "mysql")))
@pytest.mark.matrix(of=3)
def test_pasted_sql_ends_where_an_unbroken_run_ends(
    project: Project, engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Judged by the sweep itself: the whole database, and what the tool believes."""
    monkeypatch.setattr(Recoveries, "of", pasted_instead(Recoveries.of))
    more = ("--tool", project.tool, "--only", project.version)
    found = judged(project.path(engine), engine, tmp_path, *more)
    assert "completion" in {kind for _, kind, _ in found}
    if engine == "mysql":
        # the statements stand one by one, and the tool's own row comes after them
        assert {kind for _, kind, _ in found} == {"completion", "mark"}
        assert any(" of " in state for state, kind, _ in found if kind == "completion")
    assert [one for one in found if not one[2]] == []


@pytest.mark.parametrize("kind", ["completion", "mark"])
def test_a_line_too_few_is_no_cure(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that the test above can fail: the last line tells the tool, unless it knows already."""
    of = Recoveries.of

    def shorter(self: Recoveries, crash: Crash) -> Iterator[Recovery]:
        for recovery in of(self, crash):
            fewer = recovery.commands[:-1] if recovery.kind == kind else recovery.commands
            yield replace(recovery, commands=fewer or ("SELECT 1;",))

    monkeypatch.setattr(Recoveries, "of", pasted_instead(shorter))
    more = ("--tool", "goose", "--only", "2")
    found = judged(FIXTURES / "goose", "mysql", tmp_path, *more)
    assert False in {healed for _, one, healed in found if one == kind}
    assert {healed for _, one, healed in found if one != kind} == {True}


BODY = """\
-- +goose Up
ALTER TABLE users ADD COLUMN phone VARCHAR(20);
-- +goose StatementBegin
CREATE PROCEDURE forget() BEGIN UPDATE users SET phone = NULL; DELETE FROM users; END;
-- +goose StatementEnd
CREATE INDEX users_phone ON users (phone); -- the last one
"""


def test_a_body_is_pasted_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """MySQL's client needs another delimiter for it, which the line brings along."""
    first = "-- +goose Up\nCREATE TABLE users (id INTEGER PRIMARY KEY);\n"
    folder = write(tmp_path / "migrations", {"1_users.sql": first, "2_body.sql": BODY})
    monkeypatch.setattr(Recoveries, "of", pasted_instead(Recoveries.of))
    found = judged(folder, "mysql", tmp_path / "out", "--tool", "goose", "--only", "2")
    assert any(" of " in state for state, kind, _ in found if kind == "completion")
    assert [one for one in found if not one[2]] == []


# ----------------------------------------------------------------------------- lines into a shell


@dataclass
class Desk:
    """A person with a shell and a session, at a copy of the tool's project."""

    tool: Adapter
    server: SweepServer
    folder: Path
    migrations: Sequence[Migration]
    program: str
    variables: dict[str, str]

    def __post_init__(self) -> None:
        address = self.server.address
        engine = self.server.engine
        self.server.create("shop")
        values = {
            **{"host": address.host, "port": address.port, "user": address.user},
            **{"password": address.password, "database": "shop"},
        }
        url = for_dialect(self.tool.url, engine.name, engine.dialect)
        self.url = filled(url, values)
        if self.url.startswith("jdbc:"):
            self.url += f"&user={address.user}&password={address.password}"
        self.project, marker = project_of(self.tool, self.folder)
        more = {
            "project": str(self.project),
            "marker": marker,
            "app": app_of(self.migrations),
        }
        self.hand = ByHand(self.tool, engine, self.folder, more, self.migrations)
        self.more = more

    def values(self, at: int) -> dict[str, str]:
        migration = self.migrations[at]
        return {
            "version": migration.version,
            "previous": self.migrations[at - 1].version if at else self.tool.none,
            "name": migration.name,
            "sha256": sha256_of(migration.up.text) if migration.up else "",
        }

    def paste(self, lines: Sequence[str]) -> None:
        """Every line where it belongs."""
        assert lines
        for line in lines:
            if line.endswith(";"):
                for statement in sqltext.split(line, self.server.engine.dialect):
                    self.server.session("shop").run(statement.text)
                continue
            self.server.leave("shop")
            done = subprocess.run(
                ["bash", "-c", line],
                env={**self.variables, "DATABASE_URL": self.url},
                cwd=self.folder.parent,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
                timeout=DEADLINE_S,
            )
            assert done.returncode == 0, f"{line}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"

    def state(self) -> tuple[bool, bool]:
        """Whether the tool takes the second migration for applied, and whether its column is
        there."""
        engine, server = self.server.engine, self.server
        tool = replace(self.tool, applied=_with(self.tool.applied, self.more))
        # Sqitch's own registry, unless it is told another: a database where schemas are databases
        own = "sqitch" if (tool.id, engine.dialect) == ("sqitch", "mysql") else "shop"
        belief = believes(tool, engine, server.session(own), own)
        assert not belief.stuck
        objects = engine.snapshot.objects(server.session("shop"))
        there = any(key.endswith("users.phone") for key in objects)
        return self.migrations[1].version in belief.applied, there


def _with(sql: object, more: dict[str, str]) -> object:
    if isinstance(sql, str):
        return filled(sql, more)
    return {engine: filled(text, more) for engine, text in sql.items()}


def configure(project: Project, copy: Path, server: SweepServer, packages: Path) -> None:
    """What a project has of its own: its packages, and a configuration that names the server."""
    address, mysql = server.address, server.engine.dialect == "mysql"
    at = f"{address.user}:{address.password}@{address.host}:{address.port}/shop"
    (copy / "node_modules").symlink_to(packages)
    if project.tool == "alembic":
        ini = (copy / "alembic.ini").read_text()
        driver = "mysql+pymysql" if mysql else "postgresql"
        ini = ini.replace("driver://user:pass@localhost/dbname", f"{driver}://{at}")
        (copy / "alembic.ini").write_text(ini)
    elif project.tool == "django":
        settings = copy / "site_of_shop" / "settings.py"
        engine = "mysql" if mysql else "postgresql"
        default = {
            "ENGINE": f"django.db.backends.{engine}",
            **{"HOST": address.host, "PORT": address.port, "USER": address.user},
            **{"PASSWORD": address.password, "NAME": "shop"},
        }
        text = settings.read_text() + f'DATABASES = {{"default": {default!r}}}\n'
        settings.write_text(text)
    elif project.tool == "drizzle":
        dialect = "mysql" if mysql else "postgresql"
        credentials = "{ url: process.env.DATABASE_URL" + ("" if mysql else ", ssl: false") + " }"
        place = f'"./{server.engine.name}"'
        (copy / "drizzle.config.js").write_text(
            f'module.exports = {{ dialect: "{dialect}", out: {place}, '
            f"dbCredentials: {credentials} }};\n"
        )
        (copy / "package.json").write_text("{}")


@pytest.mark.parametrize(("project", "engine"), each_of(RUN, ("postgres", "mysql")))
@pytest.mark.matrix(of=2)
def test_pasted_commands_do_what_they_are_for(
    project: Project, engine: str, tmp_path: Path
) -> None:
    """Up, down, marked as applied, marked as not; and every repair is a command that ends well."""
    variables = environment()
    found = program(project, variables)
    if not found:
        pytest.skip(f"{project.program} is not here: make tools")
    tool = loading.our_tools()[project.tool]
    copy = tmp_path / "the shop's & more"
    shutil.copytree(FIXTURES / project.tool, copy)
    folder = copy / project.path(engine).relative_to(FIXTURES / project.tool)
    layout = project.layout or layouts.detect(folder, engine).name
    migrations = layouts.read(folder, layout)
    backend = {"docker": DockerBackend, "local": LocalBackend}[backend_of(engine)]("tests")
    variables |= {name: value for name, value in tool.environment.items() if "{" not in value}
    variables |= {"HOME": str(tmp_path), "NO_UPDATE_NOTIFIER": "1"}
    if tool.id == "sqitch":
        (tmp_path / ".my.cnf").write_text(tool.files[".my.cnf"])
    with SweepServer(backend, registry.engine(engine)) as server:
        configure(project, copy, server, Path(variables["NODE_PATH"]))
        desk = Desk(tool, server, folder, migrations, found, variables)
        desk.paste(desk.hand.up(desk.values(0)))
        desk.paste(desk.hand.up(desk.values(1)))
        assert desk.state() == (True, True)
        for repair in tool.repairs:
            desk.paste(desk.hand.repair(repair, desk.values(1)))
        if not tool.down:
            return
        desk.paste(desk.hand.down(desk.values(1)))
        assert desk.state() == (False, False)
        desk.paste(desk.hand.mark(desk.values(1)))
        assert desk.state() == (True, False)
        desk.paste(desk.hand.unmark(desk.values(1)))
        assert desk.state() == (False, False)
        desk.paste(desk.hand.up(desk.values(1)))
        desk.paste(desk.hand.down(desk.values(1)))
        desk.paste(desk.hand.down(desk.values(0)))
        objects = server.engine.snapshot.objects(server.session("shop"))
        assert not any(key.split()[-1].endswith("users") for key in objects if "table" in key)


@pytest.mark.parametrize("engine", ["postgres", "mysql"])
def test_a_file_is_pasted_into_the_servers_own_client(engine: str, tmp_path: Path) -> None:
    """psql by its address, mysql by the parts of it; also a part of a file that holds both ways."""
    client = {"postgres": "psql", "mysql": "mysql"}[engine]
    if shutil.which(client) is None:
        pytest.skip(f"no {client} on this machine")
    both = "-- migrate:up\n{}\n\n-- migrate:down\n{}\n"
    files = {
        "1_users.sql": both.format("CREATE TABLE users (id int);", "DROP TABLE users;"),
        "2_phone.sql": both.format(
            "ALTER TABLE users ADD COLUMN phone int;\nCREATE INDEX users_phone ON users (phone);",
            "ALTER TABLE users DROP COLUMN phone;",
        ),
    }
    folder = write(tmp_path / "it's; here", files)
    tool = loading.our_tools()["psql"]
    backend = {"docker": DockerBackend, "local": LocalBackend}[backend_of(engine)]("tests")
    with SweepServer(backend, registry.engine(engine)) as server:
        address = server.address
        server.create("shop")
        hand = ByHand(tool, server.engine, folder, {}, layouts.read(folder, "dbmate"))
        variables = {
            **os.environ,
            "DATABASE_URL": f"postgresql://{address.user}:{address.password}@{address.host}"
            f":{address.port}/shop?sslmode=disable",
            **{"DATABASE_HOST": address.host, "DATABASE_PORT": str(address.port)},
            **{"DATABASE_USER": address.user, "DATABASE_NAME": "shop"},
        }

        def there() -> list[str]:
            objects = engine_.snapshot.objects(server.session("shop"))
            return sorted(key for key in objects if "column" in key and "order" not in key)

        def paste(lines: Sequence[str]) -> None:
            (line,) = lines
            # a person is asked for the password
            given = f" --password={shlex.quote(address.password)} "
            line = line.replace(" --password ", given)
            server.leave("shop")
            subprocess.run(["bash", "-c", line], env=variables, check=True, timeout=DEADLINE_S)

        engine_ = server.engine
        empty = there()
        values = [{"version": v, "previous": "", "name": "", "sha256": ""} for v in ("1", "2")]
        paste(hand.up(values[0]))
        one = there()
        paste(hand.up(values[1]))
        assert len(there()) == len(one) + 1
        paste(hand.down(values[1]))
        assert there() == one
        paste(hand.down(values[0]))
        assert there() == empty

"""The small project of every migration tool, and the sweep that kills it inside its second
statement: shared by ``make kills``, which writes the page, and by the tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.record.run_folder import RunFolder
from harness.sweep import results
from harness.sweep.points import Way
from harness.sweep.results import SweepResult

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "tools"
TOOLS = ROOT / ".tools"
"""Where ``make tools`` puts the real ones."""
MDRILL = [sys.executable, "-c", "from harness.cli import main; main()"]
WAYS = (Way.CLIENT_SIGKILL, Way.SESSION_KILL)


@dataclass(frozen=True)
class Project:
    """A tool's project: the folder with its migrations and the version that is killed."""

    tool: str
    folder: str
    version: str
    program: str = ""
    """The real tool's; "" for one that is emulated."""
    engines: tuple[str, ...] = ("postgres", "mysql")
    layout: str = ""
    stands_for: str = ""
    """The tool of which this is the emulation, where that is run as well."""

    def path(self, engine: str) -> Path:
        """The folder to sweep."""
        return FIXTURES / self.folder.format(dialect=engine)


@dataclass(frozen=True)
class Killed:
    """A project's tool, killed inside its second statement in each of two ways."""

    project: Project
    result: SweepResult


PROJECTS = (
    Project("golang-migrate", "golang-migrate", "2"),
    Project("dbmate", "dbmate/db/migrations", "20240102000000", "dbmate"),
    Project("dbmate-emulated", "dbmate/db/migrations", "20240102000000", stands_for="dbmate"),
    Project("goose", "goose", "2"),
    Project("flyway", "flyway", "2"),
    Project("diesel", "diesel", "20240102000000"),
    Project("sql-migrate", "sql-migrate", "2_phone.sql"),
    Project("alembic", "alembic/alembic/versions", "2b3c4d5e6f7a", "python3"),
    Project("django", "django/shop/migrations", "0002_phone", "python3"),
    Project("yoyo", "yoyo/migrations", "0002.phone", "yoyo"),
    Project("knex", "knex/migrations", "20240102000000_phone.js", "knex"),
    Project("drizzle", "drizzle/{dialect}", "1704153600000", "drizzle-kit"),
    Project("drizzle-emulated", "drizzle/{dialect}", "1704153600000", stands_for="drizzle"),
    Project("prisma", "prisma/migrations", "20240102000000_phone"),
    Project(
        "node-pg-migrate",
        "node-pg-migrate/migrations",
        "1704153600000_phone",
        "node-pg-migrate",
        ("postgres",),
    ),
    Project("umzug", "umzug/migrations", "20240102000000_phone.js", "node", layout="knex"),
    Project("liquibase", "liquibase", "shop:2-phone", "liquibase"),
    Project("sqitch", "sqitch", "phone", "sqitch"),
    Project("psql", "psql", "2"),
    Project("psql-single-transaction", "psql", "2", engines=("postgres",)),
    Project("whole-file", "psql", "2"),
)


def environment(tools: Path = TOOLS) -> dict[str, str]:
    """Ours, with the tools of ``make tools`` first on PATH."""
    found = dict(os.environ)
    places = [tools / "venv" / "bin", tools / "node_modules" / ".bin"]
    found["PATH"] = ":".join([*(str(p) for p in places if p.exists()), found["PATH"]])
    found["NODE_PATH"] = str(tools / "node_modules")
    return found


def program(project: Project, variables: Mapping[str, str]) -> str | None:
    """Where the real tool is; "" for one that is emulated, None if it is not here."""
    if not project.program:
        return ""
    packages = Path(variables["NODE_PATH"])
    if project.program == "python3":
        # the packages are those of the tools' own environment
        own = packages.parent / "venv" / "bin" / "python3"
        return str(own) if own.exists() else None
    if project.program == "node" and not (packages / project.tool).exists():
        return None
    return shutil.which(project.program, path=variables["PATH"])


def killed(project: Project, engine: str, backend: str, variables: Mapping[str, str]) -> Killed:
    """Its sweep; RuntimeError with the last words if there is no result."""
    where = program(project, variables)
    with tempfile.TemporaryDirectory() as out:
        argv = [
            *(*MDRILL, "sweep", str(project.path(engine)), "--tool", project.tool),
            *("--engine", engine, "--backend", backend, "--only", project.version),
            *("--out", out, "--rows", "0"),
            *(word for way in WAYS for word in ("--ways", way)),
            *(("--program", where) if where else ()),
            *(("--layout", project.layout) if project.layout else ()),
        ]
        done = subprocess.run(
            argv, capture_output=True, text=True, env=dict(variables), check=False
        )
        latest = Path(out) / "latest"
        if not (latest / "sweep.json").exists():
            raise RuntimeError(f"{project.tool} on {engine}: {done.stderr[-2000:]}")
        return Killed(project, results.of_folder(RunFolder.open(latest)))

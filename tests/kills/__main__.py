"""``make kills``: sweeps a small project of every migration tool that runs here, and writes
``docs/kills.md``, "What each migration tool leaves behind when killed".

The projects are those of ``tests/fixtures/tools``: migration 2 adds a column, fills it, and makes
an index. The kill strikes inside the second of these three statements.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import page

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "tools"
MDRILL = Path(sys.executable).with_name("mdrill")
WAYS = ("client-sigkill", "session-kill")


@dataclass(frozen=True)
class Project:
    """A tool's project: the folder with its migrations and the version that is killed."""

    tool: str
    folder: str
    version: str
    program: str = ""
    engines: tuple[str, ...] = ("postgres", "mysql")
    layout: str = ""


PROJECTS = (
    Project("golang-migrate", "golang-migrate", "2"),
    Project("dbmate", "dbmate/db/migrations", "20240102000000", "dbmate"),
    Project("goose", "goose", "2"),
    Project("flyway", "flyway", "2"),
    Project("diesel", "diesel", "20240102000000"),
    Project("alembic", "alembic/alembic/versions", "2b3c4d5e6f7a", "python3"),
    Project("django", "django/shop/migrations", "0002_phone", "python3"),
    Project("yoyo", "yoyo/migrations", "0002.phone", "yoyo"),
    Project("knex", "knex/migrations", "20240102000000_phone.js", "knex"),
    Project("drizzle", "drizzle/{dialect}", "1704153600000", "drizzle-kit"),
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
)


def main() -> int:
    """Sweep what can be run and write the page; 0 unless a sweep broke."""
    parser = argparse.ArgumentParser(prog="make kills", description=__doc__)
    parser.add_argument("--tools", type=Path, help="where tests/fixtures/tools/install.sh put them")
    parser.add_argument("--only", action="append", help="only this tool (repeatable)")
    parser.add_argument("--backend", default="auto")
    asked = parser.parse_args()
    environment = _environment(asked.tools)
    results, absent = [], []
    for project in PROJECTS:
        if asked.only and project.tool not in asked.only:
            continue
        if project.program and not shutil.which(project.program, path=environment["PATH"]):
            absent.append(project.tool)
            continue
        for engine in project.engines:
            results += _swept(project, engine, asked.backend, environment)
    if not asked.only:
        (ROOT / "docs" / "kills.md").write_text(page.text(results, absent), "utf-8")
    print(page.text(results, absent))
    return 0


def _environment(tools: Path | None) -> dict[str, str]:
    found = dict(os.environ)
    if tools:
        places = [tools / "node_modules" / ".bin", tools / "venv" / "bin"]
        found["PATH"] = ":".join([*map(str, places), found["PATH"]])
        found["NODE_PATH"] = str(tools / "node_modules")
    return found


def _swept(
    project: Project, engine: str, backend: str, environment: dict[str, str]
) -> Iterator[dict[str, Any]]:
    """The sweep's result, once for each way; says so and gives none if it did not run."""
    folder = FIXTURES / project.folder.format(dialect=engine)
    program = shutil.which(project.program, path=environment["PATH"]) if project.program else ""
    with tempfile.TemporaryDirectory() as out:
        argv = [
            *(str(MDRILL), "sweep", str(folder), "--tool", project.tool),
            *("--engine", engine, "--backend", backend, "--only", project.version),
            *("--out", out, "--rows", "0", "--json", "--fail-on", "inconclusive"),
            *(word for way in WAYS for word in ("--ways", way)),
            *(("--program", program) if program else ()),
            *(("--layout", project.layout) if project.layout else ()),
        ]
        done = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False)
        try:
            yield {**json.loads(done.stdout), "project": project.tool}
        except ValueError:
            print(f"{project.tool} on {engine}: {done.stderr[-2000:]}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())

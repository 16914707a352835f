"""``make bench``, folders: a sweep that follows rules against one that strikes every crash point.

The real command, with everything that it does: its server's start, the reports, and its end.
"""

from __future__ import annotations

import contextlib
import io
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import table

from harness import layouts, loading
from harness.cli import mdrill
from harness.ports import Backend, Engine
from harness.sweep.reference import ReferenceRunner
from harness.sweep.sweep_server import SweepServer
from harness.tools.client import EmulatedClient, RunRequest

TOOL = "golang-migrate"
STATEMENTS = 40
EXHAUSTIVE, SERVER_AND_RUN = "mdrill --exhaustive", "server and plain run"
GOOD = (0, 1)
"""Exit codes of a sweep that was able to look."""


def small(place: Path, count: int) -> Path:
    """So many migrations of one statement: tables, columns, indexes and values."""
    place.mkdir()
    for n in range(1, count + 1):
        of = f"t{(n - 1) // 4 * 4 + 1}"
        text = (
            f"CREATE TABLE {of} (id integer PRIMARY KEY, name varchar(60), at_time integer)",
            f"ALTER TABLE {of} ADD COLUMN note varchar(80)",
            f"CREATE INDEX {of}_name ON {of} (name)",
            f"UPDATE {of} SET note = 'none' WHERE note IS NULL",
        )[(n - 1) % 4]
        (place / f"{n:04}_step.up.sql").write_text(f"{text};\n", "utf-8")
    return place


def long(place: Path) -> Path:
    """A table, and many changes of its rows in one transaction."""
    place.mkdir()
    table = "CREATE TABLE t (id integer PRIMARY KEY, name varchar(60));\n"
    (place / "0001_table.sql").write_text(table, "utf-8")
    rows = "".join(f"INSERT INTO t VALUES ({100_000 + n}, 'row {n}');\n" for n in range(STATEMENTS))
    (place / "0002_rows.sql").write_text(f"BEGIN;\n{rows}COMMIT;\n", "utf-8")
    return place


@dataclass
class FolderBench:
    """One folder on one engine, and what each way of sweeping it took."""

    engine: Engine
    backend: Backend
    name: str
    path: Path
    tool: str = TOOL
    only: str = ""
    times: dict[str, list[float]] = field(default_factory=dict)

    def ways(self) -> Iterator[tuple[str, Callable[[], Any]]]:
        """Each way by its name; ours comes last."""
        if self.only:
            yield SERVER_AND_RUN, self._server_and_run
        else:
            yield EXHAUSTIVE, partial(self._sweep, "--exhaustive")
        yield table.OURS, self._sweep

    def round(self) -> None:
        """Every way once."""
        for way, run in self.ways():
            begun = time.monotonic()
            run()
            self.times.setdefault(way, []).append(time.monotonic() - begun)

    def row(self) -> dict[str, Any]:
        """What the table shows."""
        return {"engine": self.engine.title, "cell": self.name, **table.compared(self.times)}

    def _sweep(self, *more: str) -> None:
        with tempfile.TemporaryDirectory() as out:
            words = ["sweep", str(self.path), "--engine", self.engine.name, "--tool", self.tool]
            words += ["--backend", self.backend.name, "--out", out, *more]
            words += ["--only", self.only] if self.only else []
            said = io.StringIO()
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                code = mdrill.main(words, standalone_mode=False)
        if code not in GOOD:
            raise SystemExit(f"bench: {' '.join(words)} ended with {code}:\n{said.getvalue()}")

    def _server_and_run(self) -> None:
        """The least that anybody would do: a server, and the folder applied to it."""
        adapters = Path(loading.__file__).parents[1] / "tools" / "adapters"
        tool = loading.load_tool(adapters / f"{self.tool}.yaml")
        migrations = layouts.read(self.path, self.tool)
        with closing(SweepServer(self.backend, self.engine)) as server:
            client = EmulatedClient(tool, migrations, server.guard)
            server.create("plain")
            for migration in migrations:
                ReferenceRunner(server, client, ()).plainly(RunRequest(migration), "plain")


def benches(engine: Engine, backend: Backend, place: Path, count: int) -> tuple[FolderBench, ...]:
    """The folders, on one engine."""
    many, one = small(place / "small", count), long(place / "long")
    return (
        FolderBench(engine, backend, f"{count} small", many),
        FolderBench(engine, backend, "one of them", many, only=f"{count:04}"),
        FolderBench(engine, backend, f"{STATEMENTS} in one", one, tool="psql"),
    )

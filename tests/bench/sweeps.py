"""``make bench``, the sweep: a cell of ours against a fresh container for each cell.

The migration is the one of the partial-failure scenario, so that one cell of ours and one naive
trial do the same: bring the state, run, kill, look, repair, look again.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import table

from harness import layouts, loading
from harness.layouts import Migration
from harness.model import Scenario, in_dialect
from harness.ports import Backend, Engine
from harness.record.timeline import Timeline, told
from harness.sweep.events import FILE_NAME, CellStruck
from harness.sweep.points import Way
from harness.sweep.resumption import Known
from harness.sweep.sweep import Sweep, SweepScope
from harness.sweep.sweep_server import SweepServer
from harness.tools.adapter import Adapter
from harness.tools.by_hand import ByHand
from harness.tools.client import EmulatedClient

ROWS = 2000
LIGHT = ("ALTER TABLE users ADD COLUMN light INTEGER", "CREATE TABLE lights (id INTEGER)")
"""Work that does not grow with the rows, so that only ours can."""


class Clocked(Sweep):
    """A sweep that knows where its time went."""

    def __init__(self, *args: Any, healed: bool = True) -> None:
        super().__init__(*args)
        self.took: Counter[str] = Counter()
        self._time(self, "_one", "migration")
        self._time(self._server, "snapshot", "snapshot")
        self._time(self._striker, "_together", "together")
        self._time(self._striker, "_side_by_side", "one by one")
        if not healed:
            self._striker._is_first = lambda *_: False

    def _time(self, owner: Any, method: str, name: str) -> None:
        """Time the method; looks at a database are counted once more, for what they are part of."""
        plain = getattr(owner, method)

        def timed(*args: Any) -> Any:
            begun, looked = time.monotonic(), self.took["snapshot"]
            try:
                return plain(*args)
            finally:
                self.took[name] += time.monotonic() - begun
                self.took[f"looking, {name}"] += self.took["snapshot"] - looked

        setattr(owner, method, timed)


@dataclass
class Folder:
    """Migrations in a folder, their tool, and where the last one leaves off."""

    path: Path
    migrations: tuple[Migration, ...]
    tool: Adapter


def written(
    scenario: Scenario,
    engine: Engine,
    path: Path,
    *,
    tables_before: int = 0,
    statements: Sequence[Any] = (),
) -> Folder:
    """The scenario's schema and migration as plain files; ``tables_before`` is for history, and
    ``statements`` stand in place of its own.
    """
    texts = [in_dialect(s, engine.name, engine.dialect) for s in scenario.given.schema]
    files = [";\n".join(texts)]
    files += [
        f"ALTER TABLE users ADD COLUMN old_{n} INTEGER; ALTER TABLE users DROP COLUMN old_{n}"
        for n in range(tables_before)
    ]
    last = statements or scenario.migration.statements
    files.append(";\n".join(in_dialect(s, engine.name, engine.dialect) for s in last))
    path.mkdir()
    for number, text in enumerate(files, 1):
        (path / f"{number:04}_step.sql").write_text(f"{text};\n", "utf-8")
    tools = Path(loading.__file__).parents[1] / "tools" / "adapters"
    return Folder(path, layouts.read(path, "numbered"), loading.load_tool(tools / "psql.yaml"))


@dataclass
class Swept:
    """One sweep of the last migration: seconds by phase, and cells by way."""

    took: Counter[str]
    cells: Counter[str]

    def per_cell(self) -> float:
        """Everything but the server's start and the migrations before: seconds a cell."""
        return self.took["migration"] / self.cells.total()

    def per_session_kill(self) -> float:
        return self.took["one by one"] / (self.cells.total() - self.cells[Way.SERVER_SIGKILL])

    def per_server_kill(self) -> float:
        return self.took["together"] / self.cells[Way.SERVER_SIGKILL]

    def striking(self) -> float:
        """Seconds for a cell that is not a server's death, without looking at what it left."""
        count = self.cells.total() - self.cells[Way.SERVER_SIGKILL]
        return (self.took["one by one"] - self.took["looking, one by one"]) / count


def sweep(
    engine: Engine,
    backend: Backend,
    folder: Folder,
    *,
    rows: int = ROWS,
    ways: frozenset[Way] = frozenset(Way),
    healed: bool = True,
    jobs: int = 2,
) -> Swept:
    """Sweep the last migration on a server of its own. SystemExit unless every cell was struck."""
    with tempfile.TemporaryDirectory() as record, closing(SweepServer(backend, engine)) as server:
        last = folder.migrations[-1].version
        scope = SweepScope(rows, jobs, ways, (last,))
        client = EmulatedClient(folder.tool, folder.migrations, server.guard)
        by_hand = ByHand(folder.tool, engine, folder.path, {})
        with closing(Timeline(Path(record) / FILE_NAME)) as timeline:
            run = Clocked(
                server, folder.tool, client, by_hand, folder.migrations, timeline, scope, Known(),
                healed=healed,
            )  # fmt: skip
            run.run()
        cells = [event.what for event in told(timeline.events(), CellStruck)]
    bad = [cell for cell in cells if cell.missed or not cell.left.explained]
    if bad or not cells:
        raise SystemExit(f"bench: {engine.title}: {len(bad)} of {len(cells)} cells: {bad[:1]}")
    return Swept(run.took, Counter(Way(cell.way) for cell in cells))


@dataclass
class SweepBench:
    """Rounds of one engine: our sweeps, and the naive trials of both kinds."""

    engine: Engine
    backend: Backend
    folder: Folder
    naive: dict[str, Callable[[bool], float]]
    """By the name of the way: seconds for one cell, the server killed or a session ended."""
    rounds: list[dict[str, Any]] = field(default_factory=list)

    def round(self) -> None:
        """Every way once."""
        whole = sweep(self.engine, self.backend, self.folder)
        bare = sweep(self.engine, self.backend, self.folder, healed=False, jobs=1)
        theirs = {
            way: {"session": run(False), "server": run(True)} for way, run in self.naive.items()
        }
        self.rounds.append({"whole": whole, "bare": bare, "theirs": theirs})

    def rows(self) -> list[dict[str, Any]]:
        """What the table shows: the whole matrix, and each kind of death alone."""
        return [
            self._row("sweep, all in", lambda r: r["whole"].per_cell(), self._mixed),
            self._row(
                "session kill", lambda r: r["bare"].per_session_kill(), lambda r, t: t["session"]
            ),
            self._row(
                "server kill", lambda r: r["bare"].per_server_kill(), lambda r, t: t["server"]
            ),
        ]

    def _mixed(self, round_: dict[str, Any], theirs: dict[str, float]) -> float:
        """The naive cost of a cell of the same matrix: as many deaths of each kind."""
        cells = round_["whole"].cells
        share = cells[Way.SERVER_SIGKILL] / cells.total()
        return share * theirs["server"] + (1 - share) * theirs["session"]

    def _row(self, cell: str, ours: Callable, theirs: Callable) -> dict[str, Any]:
        times = {way: [theirs(r, r["theirs"][way]) for r in self.rounds] for way in self.naive}
        times[table.OURS] = [ours(r) for r in self.rounds]
        cells = self.rounds[0]["whole"].cells
        return {
            "engine": self.engine.title,
            "cell": cell,
            "cells": dict(cells),
            **table.compared(times),
        }


def flat(engine: Engine, backend: Backend, scenario: Scenario, place: Path) -> dict[str, float]:
    """How a cell's cost grows with rows (10^6 / 10^4) and with migrations before it (100 / 1)."""
    light = written(scenario, engine, place / "light", statements=LIGHT)
    few = written(scenario, engine, place / "few")
    many = written(scenario, engine, place / "many", tables_before=99)
    ways = frozenset({Way.SESSION_KILL, Way.CLIENT_SIGKILL})

    def cost(folder: Folder, rows: int) -> Swept:
        return sweep(engine, backend, folder, rows=rows, ways=ways, healed=False, jobs=1)

    short, tall = cost(light, 10_000), cost(light, 1_000_000)
    young, old = cost(few, ROWS), cost(many, ROWS)
    return {
        "rows, striking": tall.striking() / short.striking(),
        "rows, all": tall.per_session_kill() / short.per_session_kill(),
        "migrations before": old.per_session_kill() / young.per_session_kill(),
        "ms a cell at 10^4 rows": 1000 * short.per_session_kill(),
        "ms a cell at 10^6 rows": 1000 * tall.per_session_kill(),
    }

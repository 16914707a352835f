"""How long a sweep may take: what is struck for it, the most harmful first, and what is left out.

Whatever is left out is told as not known. The state before a migration is reached through all that
come before it, so what is struck is struck in the order of the folder; each time one's turn comes,
those that are left are chosen anew, by how fast the ones before it went.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from harness import sqltext
from harness.errors import DrillError, ScenarioError
from harness.layouts import Migration, Script
from harness.ports import Engine
from harness.sqltext import Statement
from harness.sweep.steps import steps
from harness.tools.adapter import Adapter, for_dialect

FIRST_GUESS_S = 0.25
"""Of a cell, before any was struck."""
OWN, EACH, DOWN = 20, 11, 10
"""Cells of a tool's own messages, of each statement, and of a way down, about."""
ROWS = ("INSERT", "UPDATE", "DELETE", "REPLACE", "MERGE", "WITH", "LOAD", "TRUNCATE")
DDL = ("CREATE", "ALTER", "DROP", "RENAME", "TRUNCATE")


class BudgetUsed(DrillError):
    """There is no time for another crash point."""


@dataclass(frozen=True, order=True)
class Harm:
    """What of a migration matters most, as its text tells; the greatest is struck first."""

    half_way: bool = False
    """It is not one transaction, or has statements that end one."""
    mixed: bool = False
    """It changes both rows and objects."""
    statements: bool = False
    """It has several."""


@dataclass(frozen=True)
class Task:
    """One migration, and how many cells it has, about."""

    version: str
    cells: int
    harm: Harm


def task(migration: Migration, engine: Engine, tool: Adapter) -> Task:
    """From its text alone; what is no SQL counts as one statement."""
    up, down = (_cut(script, engine) for script in (migration.up, migration.down))
    many, back = (len(steps(cut, engine.dialect)) for cut in (up, down))
    cells = OWN + EACH * max(1, many) + (DOWN + EACH * back) // 2 * bool(back)
    return Task(migration.version, cells, _harm(migration.up, up, engine, tool))


def _cut(script: Script | None, engine: Engine) -> Sequence[Statement]:
    try:
        return script.cut(engine.dialect) if script else ()
    except ScenarioError:
        return ()


def _harm(script: Script | None, cut: Sequence[Statement], engine: Engine, tool: Adapter) -> Harm:
    found = steps(cut, engine.dialect)
    verbs = [one.text.lstrip("( \n\t").upper() for one in found]
    objects = any(verb.startswith(DDL) for verb in verbs)
    alone = any(sqltext.must_be_alone(one, engine.dialect) for one in found)
    several = len(found) > 1
    open_ended = "implicit-commit-ddl" in engine.traits and several and objects
    outside = script is not None and not script.transaction
    ends_one = any(sqltext.is_transaction_control(one) for one in cut)
    one_by_one = several and _commits_each(tool, engine)
    half_way = open_ended or outside or alone or ends_one or one_by_one
    rows = any(verb.startswith(ROWS) for verb in verbs)
    return Harm(half_way, rows and objects, several)


def _commits_each(tool: Adapter, engine: Engine) -> bool:
    """Whether it is known to send statement by statement with no transaction around them."""
    sends = for_dialect(tool.emulation, engine.name, engine.dialect, None)
    if sends is None or sends.wire != "per-statement":
        return False
    return not any(sql.lstrip().upper().startswith(("BEGIN", "START")) for sql in sends.before)


class Budget:
    """So many seconds from now on; for several threads."""

    def __init__(
        self, seconds: float, tasks: Sequence[Task], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._end = clock() + seconds
        self._tasks = tuple(tasks)
        self._took_s, self._cells = 0.0, 0

    def left_s(self) -> float:
        """Seconds; negative if it was exceeded."""
        return self._end - self._clock()

    def check(self) -> None:
        """BudgetUsed if there is no time left."""
        if self.left_s() <= 0:
            raise BudgetUsed("the time that the sweep may take is used up")

    def keeps(self, version: str) -> bool:
        """Whether the migration, whose turn it is, is one of those for which there is time."""
        versions = [one.version for one in self._tasks]
        return version in self._chosen(self._tasks[versions.index(version) :])

    def _chosen(self, tasks: Sequence[Task]) -> Collection[str]:
        """Those for which there is time, the most harmful and then the newest first."""
        places = range(len(tasks))
        order = sorted(places, key=lambda at: (tasks[at].harm, at), reverse=True)
        left, chosen = self.left_s(), list[str]()
        for at in order:
            costs = tasks[at].cells * self._a_cell_s()
            if left > 0 and (not chosen or costs <= left):
                chosen.append(tasks[at].version)
                left -= costs
        return chosen

    def _a_cell_s(self) -> float:
        return self._took_s / self._cells if self._cells else FIRST_GUESS_S

    @contextmanager
    def spent_on(self, version: str) -> Iterator[None]:
        """What it takes tells how long the others will take."""
        begun = self._clock()
        yield
        self._took_s += self._clock() - begun
        self._cells += next(one.cells for one in self._tasks if one.version == version)

"""All the way down from the head: each way down after those of the later migrations.

After each the database is compared with the state that was there before that migration on the way
up. What differed one level higher already, or differs as well directly after its up, is told there.
Nobody comes down past a migration without a way down, so below it another descent begins.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from harness import row_generation
from harness.layouts import Migration
from harness.ports import Belief
from harness.rollback.events import Came, DownInOrder
from harness.rollback.stand import Stand
from harness.state.difference import difference
from harness.state.row_comparison import compare
from harness.state.rows import column_sums
from harness.state.snapshot import Snapshot
from harness.state.volatile import Parts
from harness.sweep.rollback import Rollback

DOWN, REBUILT = "all_the_way_down", "rebuilt"
TOLD = 6
"""Lines of a difference."""


@dataclass(frozen=True)
class Level:
    """The state before one migration, on the way up."""

    migration: Migration
    before: Snapshot
    belief: Belief
    line: int
    """Levels of one line have the same rows, taken along from migration to migration."""
    direct: Rollback | None
    """Where its way down leads directly after its up; None if that was not asked for."""
    volatile: Parts = field(default_factory=dict)
    """Columns, by table, and parts of definitions that its up makes different from run to run."""
    sums: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Of each table the checksum of each column."""


@dataclass
class InOrder:
    """Levels that were passed on the way up, and the way down through them."""

    stand: Stand
    rows: int
    """Generated for each table that is empty, as on the way up."""
    _levels: list[Level] = field(default_factory=list)
    _starts: dict[int, str] = field(default_factory=dict)
    """By line, the database that it began with."""
    passed_levels: list[Level] = field(default_factory=list)
    """Of all lines, those below what nobody comes down past as well."""

    def passed(self, level: Level, base: str) -> None:
        """``base`` holds the state of that level, and is about to be migrated."""
        level = replace(level, sums=self._sums(level, base))
        if level.line not in self._starts:
            self._starts[level.line] = f"start_{level.line}"
            self.stand.server.clone(base, self._starts[level.line])
        self._levels.append(level)
        self.passed_levels.append(level)

    def _sums(self, level: Level, base: str) -> Mapping[str, Mapping[str, str]]:
        """Asked again only of tables whose rows are others than one level below."""
        last, found = self.passed_levels[-1] if self.passed_levels else None, {}
        for table, rows in level.before.contents.items():
            if last and last.before.contents.get(table) == rows and table in last.sums:
                found[table] = last.sums[table]
            else:
                found[table] = self.sums(base, table)
        return found

    def sums(self, database: str, table: str) -> Mapping[str, str]:
        """The checksum of each column."""
        server = self.stand.server
        return column_sums(server.engine, server.session(database), table)

    def forget(self) -> None:
        """What was passed cannot be come back to."""
        self._levels.clear()

    def descend(self, head: str, line: int) -> Iterator[DownInOrder]:
        """All the way down from what ``head`` holds, in that line of rows; the levels are done
        with then. One alone was looked at directly.
        """
        levels, self._levels = self._levels, []
        if len(levels) < 2:
            return
        self.replace(DOWN, head)
        descent = _Descent(self, levels[-1].migration.version, line)
        for level in reversed(levels):
            told = descent.step(level)
            if level.direct is not None:
                yield told
        for name in (DOWN, REBUILT):
            self.stand.server.drop(name)

    @property
    def aside(self) -> set[tuple[str, str]]:
        """Columns, by table, that differ from run to run by themselves."""
        return {(table, c) for table, columns in self.volatile.items() for c in columns}

    @property
    def volatile(self) -> Parts:
        """The same with parts of definitions, of all levels."""
        found: dict[str, tuple[str, ...]] = {}
        for level in self.passed_levels:
            for name, parts in level.volatile.items():
                found[name] = (*found.get(name, ()), *parts)
        return found

    def rebuild(self, level: Level) -> bool:
        """The state of that level with its rows, made again in a database of its own."""
        line = [one for one in self.passed_levels if one.line == level.line]
        self.replace(REBUILT, self._starts[level.line])
        server = self.stand.server
        for one in line[: line.index(level)]:
            if self.stand.run(one.migration, REBUILT):
                return False
            session = server.session(REBUILT)
            row_generation.fill(server.engine, session, self.rows, without=self.stand.tables)
        return True

    def replace(self, name: str, source: str) -> None:
        """Make the first a copy of the second."""
        self.stand.server.drop(name)
        self.stand.server.clone(source, name)


class _Descent:
    """One descent: what differs so far, and is told of a higher level."""

    def __init__(self, house: InOrder, head: str, line: int) -> None:
        self._house = house
        self._stand = house.stand
        self._head = head
        self._line = line
        self._known: frozenset[str] = frozenset()
        """Objects and tables that are not as they were one level higher."""
        self._strays: frozenset[str] = frozenset()
        """Versions that the tool's record has or lacks wrongly since one level higher."""
        self._lost = ""
        """Why nothing below can be reached."""

    def step(self, level: Level) -> DownInOrder:
        """One way down, from the state after those above."""
        migration, version = level.migration, level.migration.version
        if self._lost:
            return DownInOrder(version, self._head, Came.NOT_RUN, self._lost)
        error = self._stand.run(migration, DOWN, down=True)
        if error:
            told = DownInOrder(version, self._head, Came.FAILS, error)
            self._begin_below(level)
            return told
        return self._compared(level)

    def _begin_below(self, level: Level) -> None:
        """Nobody comes down past it: the state below is made again."""
        if self._house.rebuild(level):
            self._house.replace(DOWN, REBUILT)
            self._head = self._below(level)
            self._known, self._strays, self._line = frozenset(), frozenset(), level.line
        else:
            self._lost = f"the state before {level.migration.name} could not be made again"

    def _below(self, level: Level) -> str:
        versions = [one.migration.version for one in self._house.passed_levels]
        return versions[max(0, versions.index(level.migration.version) - 1)]

    def _compared(self, level: Level) -> DownInOrder:
        version, now = level.migration.version, self._stand.snapshot(DOWN)
        before, after = (one.steadied(self._house.volatile) for one in (level.before, now))
        schema = self._stand.lines(before, after)
        with_rows = level.line == self._line
        columns = dict(self._columns(level, now)) if with_rows else {}
        keys = {_key(line) for line in schema} | {c for its in columns.values() for c in its}
        tables = [t for t, its in columns.items() if any(self._is_new(level, c, t) for c in its)]
        data = list(self._rows(level, now, tables))
        new = [line for line in schema if self._is_new(level, _key(line))]
        self._known = frozenset(keys)
        unlike = self._record(level)
        says = f"the tool's own record {unlike}" if unlike else ""
        came = Came.DIFFERS if new or unlike else Came.LOSES_DATA if data else Came.SAME
        differs = (*new, *data)[:TOLD]
        return DownInOrder(version, self._head, came, says, differs, with_rows)

    def _record(self, level: Level) -> str:
        """What the tool's own record says otherwise than before, and not one level higher."""
        found = self._stand.belief(DOWN)
        strays = frozenset(found.applied) ^ frozenset(level.belief.applied)
        is_new = bool(strays - self._strays or found.stuck)
        self._strays = strays
        return self._stand.unlike(level.belief, found) if is_new else ""

    def _columns(self, level: Level, now: Snapshot) -> Iterator[tuple[str, list[str]]]:
        """Columns whose values differ, by table, and a word for how many rows there are."""
        aside = self._house.aside
        for table in difference(level.before, now).contents:
            had, has = level.sums[table], self._house.sums(DOWN, table)
            found = [
                f"{table}.{c}" for c in had if had[c] != has.get(c) and (table, c) not in aside
            ]
            many, were = now.contents[table][0], level.before.contents[table][0]
            yield table, [*found, *([f"{table} has {many} rows"] if many != were else [])]

    def _is_new(self, level: Level, key: str, table: str = "") -> bool:
        """Not told of a higher level, nor of its way down directly after its up."""
        direct = level.direct
        told = {_key(line) for line in direct.schema} if direct else set()
        told |= {line.partition(": ")[0] for line in direct.data} if direct else set()
        return key not in self._known and key not in told and table not in told

    def _rows(self, level: Level, now: Snapshot, tables: Collection[str]) -> Iterator[str]:
        """How the rows of those tables differ, by key, from the state made again; without columns
        that differ from run to run. Where it cannot be made again, how many rows there are.
        """
        if not tables:
            return
        if not self._house.rebuild(level):
            for name in tables:
                yield f"{name}: {now.contents[name][0]} rows, not those that were there before"
            return
        server = self._stand.server
        before, after = server.session(REBUILT), server.session(DOWN)
        there = server.engine.snapshot.tables(before)
        for name in tables:
            columns = [c for c in there[name].columns if (name, c) not in self._house.aside]
            found = compare(server.engine, before, after, name, columns=columns)
            if found:
                yield str(found)


def _key(line: str) -> str:
    """The object that a line of a difference is about."""
    return line.partition(": ")[2].partition(": ")[0]

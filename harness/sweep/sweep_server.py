"""The server of a sweep, and the databases on it that are used again and again.

``bare`` has every migration so far and no rows but theirs; ``base`` has generated rows as well and
is the state before the migration at hand, kept and never replayed; trial databases are copies of
it, and one that ends as it began is used again as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness import sqltext
from harness.errors import DatabaseError, ScenarioError
from harness.ports import Backend, Belief, Engine
from harness.servers.throwaway import ThrowawayServer
from harness.state.difference import difference
from harness.state.readings import Readings
from harness.state.rows import checksums
from harness.state.snapshot import Snapshot
from harness.tools.adapter import Adapter
from harness.tools.belief import believes
from harness.wire import can_change

SMALL = 1000
"""Rows of a tool's own table that are put back one by one."""


@dataclass
class TrialDatabase:
    """A database that is struck; ``holds`` is what it was last seen to hold, None if unknown."""

    database: str
    holds: Snapshot | None = None
    own_rows: Mapping[str, bytes] = field(default_factory=dict)
    """The rows of the tool's own tables when it was last made anew, as the engine keeps them."""


class SweepServer(ThrowawayServer):
    """A throwaway server with databases for trials, and the engine's way to cut SQL."""

    def __init__(
        self,
        backend: Backend,
        engine: Engine,
        image: str | None = None,
        fill: Callable[[Path], bool] | None = None,
    ) -> None:
        super().__init__(backend, engine, image, fill)
        self._trials: list[TrialDatabase] = []
        self._readings = Readings(engine)
        self.bookkeeping: tuple[str, ...] = ()
        """The tool's own tables, whose rows may be put back without a copy of the database."""

    # ------------------------------------------------------------------ SQL

    def split(self, text: str) -> list[str]:
        """The statements of one message."""
        return [statement.text for statement in self.cut(text)] or [text]

    def cut(self, text: str) -> Sequence[sqltext.Statement]:
        """The statements of one message; none if it cannot be told where one ends."""
        try:
            return sqltext.split(text, self.engine.dialect, as_server=True)
        except ScenarioError:
            return ()

    def verb(self, text: str) -> str:
        """What the first statement of a message is: ``ALTER TABLE``."""
        return next((statement.kind for statement in self.cut(text)), "")

    def first_change(self, text: str) -> tuple[str, str]:
        """What the first statement of a message is that changes anything, and its text."""
        dialect = self.engine.dialect
        for statement in self.cut(text):
            if can_change(statement.text, dialect) and not sqltext.is_transaction_control(
                statement
            ):
                return statement.kind, statement.text
        return self.verb(text), text

    # ------------------------------------------------------------------ databases

    def clone(self, template: str, name: str) -> None:
        """A copy of a whole database; every session in the template is ended."""
        self._readings.forget(name)
        super().clone(template, name)

    def drop(self, name: str) -> None:
        """Remove a database with every session in it; no error if it is not there."""
        self._readings.forget(name)
        super().drop(name)

    def at_rest(self, look: Callable[[Path], object]) -> bool:
        """See :meth:`ThrowawayServer.at_rest`; what was read before is read anew afterwards."""
        self._readings = Readings(self.engine)
        return super().at_rest(look)

    def snapshot(
        self,
        database: str,
        volatile: Mapping[str, Collection[str]] | None = None,
        unread: Collection[str] = (),
    ) -> Snapshot:
        """What the database holds; see :func:`harness.state.snapshot.take`."""
        return self._readings.take(database, self.session(database), volatile, unread)

    def believes(self, tool: Adapter, database: str) -> Belief:
        """What the tool's own table says there."""
        return believes(tool, self.engine, self.session(database), database)

    def trials(self, count: int) -> list[TrialDatabase]:
        """So many databases for trials; none is prepared yet."""
        while len(self._trials) < count:
            self._trials.append(TrialDatabase(f"trial_{len(self._trials) + 1}"))
        return self._trials[:count]

    def prepare(self, trial: TrialDatabase, base: str, snapshot: Snapshot) -> None:
        """Make the trial hold what ``base`` holds, at the least cost; a trial like it stays."""
        if trial.holds == snapshot:
            return
        if trial.holds is not None and self._refilled(trial, trial.holds, base, snapshot):
            trial.holds = snapshot
            return
        changed = None if trial.holds is None else self._tables(trial.holds, snapshot)
        trial.holds = None
        self._readings.forget(trial.database)
        self.reset(base, trial.database, changed)
        self._readings.copied(base, trial.database, snapshot, self.observer())
        session = self.session(trial.database)
        trial.own_rows = self.engine.databases.keep_rows(session, self._refillable(snapshot))
        trial.holds = snapshot

    def _refillable(self, holds: Snapshot) -> set[str]:
        """Small tables of the tool's own without a trigger."""
        own = holds.contents.keys() - holds.without(self.bookkeeping).contents.keys()
        triggers = [key for key in holds.objects if key.startswith("trigger ")]
        small = {name for name in own if holds.contents[name][0] <= SMALL}
        return small - self.engine.snapshot.tables_of(triggers)

    def _refilled(self, trial: TrialDatabase, holds: Snapshot, base: str, wanted: Snapshot) -> bool:
        """Put back the rows of the tool's own tables, if nothing else is different."""
        if (holds.objects, holds.counters) != (wanted.objects, wanted.counters):
            return False
        had, engine = holds.contents, self.engine
        differ = {name for name, rows in wanted.contents.items() if had.get(name) != rows}
        if not differ <= self._refillable(wanted):
            return False
        session = self.session(trial.database)
        tables = self._readings.tables(trial.database, session)
        try:
            for name in differ:
                engine.databases.refill(session, base, tables[name], trial.own_rows.get(name, b""))
        except DatabaseError as error:
            if error.lost:
                raise
            return False
        rows = checksums(engine, session, {}, [tables[name] for name in differ])
        return all(rows[name] == wanted.contents[name] for name in differ)

    def forget_trials(self) -> None:
        """Drop every trial."""
        for trial in self._trials:
            self.drop(trial.database)
        self._trials.clear()

    def _tables(self, one: Snapshot, other: Snapshot) -> frozenset[str]:
        changed = difference(one, other)
        own = self.engine.snapshot.tables_of(changed.objects())
        return frozenset((*own, *changed.order)) | {
            table
            for table in one.contents.keys() | other.contents.keys()
            if one.contents.get(table) != other.contents.get(table)
        }

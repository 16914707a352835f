"""What rows a migration met: those on which it fails, tables without any, statements without work.

A migration that was swept on rows it never touched was not looked at, and that is told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from harness import row_generation
from harness.errors import DatabaseError, DeadlineExceeded, EnvironmentProblem
from harness.layouts import Migration
from harness.ports import Session
from harness.row_generation import FailingRows, Failure, Filled
from harness.sqltext import is_named
from harness.state.difference import Difference, difference
from harness.state.snapshot import Snapshot
from harness.sweep.points import Row
from harness.sweep.reference import Reference, ReferenceFailed, ReferenceRunner
from harness.sweep.sweep_server import SweepServer
from harness.tools.client import RunRequest


@dataclass(frozen=True)
class Failed:
    """How a migration failed on rows; ``found`` is None if looking for them failed, as ``says``."""

    why: str = ""
    says: str = ""
    found: FailingRows | None = None


class RowsMet:
    """Asks the databases of a sweep."""

    def __init__(
        self, server: SweepServer, runner: ReferenceRunner, tables: Collection[str]
    ) -> None:
        self._server = server
        self._runner = runner
        self._tables = tuple(tables)

    # ------------------------------------------------------------------ rows on which it fails

    def failing(self, migration: Migration, base: str, why: str) -> Failed:
        """Try it on fewer and fewer rows of ``base``, on which it failed as ``why`` says."""
        script = migration.up
        try:
            found = row_generation.smallest(
                self._server.engine,
                lambda: self._server.session(base),
                self._attempt(RunRequest(migration), base),
                Failure("", why),
                about=script.text if script else "",
                without=self._tables,
            )
        except (DatabaseError, DeadlineExceeded, EnvironmentProblem) as problem:
            return Failed(why, f"fails; on which rows is not known: {problem}")
        return Failed(why, found.where(), found)

    def _attempt(self, request: RunRequest, base: str) -> row_generation.Attempt:
        trial, snapshot = self._server.trials(1)[0], self._server.snapshot(base)

        def attempt(prepare: Callable[[Session], None]) -> Failure | None:
            self._server.prepare(trial, base, snapshot)
            trial.holds = None
            prepare(self._server.session(trial.database))
            try:
                self._runner.plainly(request, trial.database)
            except ReferenceFailed as failed:
                return Failure("", str(failed))
            return None

        return attempt

    def keep_passing(self, failed: Failed, base: str) -> int:
        """Leave in ``base`` only rows with which it goes through; how many of the table, or 0."""
        if failed.found is None or not failed.found.passing:
            return 0
        try:
            row_generation.keep_passing(
                self._server.engine, self._server.session(base), failed.found, self._tables
            )
        except DatabaseError:
            return 0
        return len(failed.found.passing)

    # ------------------------------------------------------------------ rows that it never met

    def unfilled(self, filled: Sequence[Filled], reference: Reference) -> tuple[str, ...]:
        """Tables that it works on, and that no row was found for."""
        changed = self._changed(reference.before, reference.after)
        text = "\n".join(reference.texts)
        return tuple(
            table.table
            for table in filled
            if not table.rows
            and (_bare(table.table) in changed or is_named(text, _bare(table.table)))
        )

    def _changed(self, before: Snapshot, after: Snapshot) -> set[str]:
        gap = difference(before, after)
        own = self._server.engine.snapshot.tables_of(gap.objects())
        return {_bare(table) for table in (*own, *gap.contents)}

    def behind(self, reference: Reference) -> tuple[str, ...]:
        """Next values that it leaves behind what is there, as the error that an INSERT gets."""
        before, after = reference.before, reference.after
        gap = difference(before, after)
        behind = [name for name in gap.counters if after.counters[name].is_behind]
        lines = Difference(counters=tuple(behind)).lines(
            before, after, self._server.engine.snapshot.DUPLICATE
        )
        return tuple(line.removeprefix("next value: ") for line in lines)

    def idle(
        self, reference: Reference, before: str, after: str
    ) -> tuple[Reference, tuple[str, ...]]:
        """Statements that were to change rows, and changed none; and the reference without a middle
        of them: nothing holds one that meets no row, and nothing of it is there half.
        """
        parts = list(self._statements(reference))
        found = row_generation.without_effect(
            self._server.engine,
            self._server.session(before),
            self._server.session(after),
            [text for _, text in parts],
        )
        none = set() if self._works_elsewhere(reference) else {parts[i.place][0] for i in found}
        rows = tuple(_without_middle(row) if row.n in none else row for row in reference.rows)
        return replace(reference, rows=rows), tuple(map(str, found))

    def _works_elsewhere(self, reference: Reference) -> bool:
        """Whether rows changed of a table that it does not name: a trigger's work may be half."""
        text = "\n".join(reference.texts)
        changed = difference(reference.before, reference.after).contents
        return any(not is_named(text, _bare(table)) for table in changed)

    def _statements(self, reference: Reference) -> Iterator[tuple[int, str]]:
        """Each statement of the migration itself, with the number of its message."""
        for row, text in zip(reference.rows, reference.texts, strict=True):
            if row.kind == "statement":
                yield from ((row.n, part) for part in self._server.split(text))


def _without_middle(row: Row) -> Row:
    """A statement alone in its message; several have other work between them."""
    return replace(row, has_middle=False) if row.statements == 1 else row


def _bare(table: str) -> str:
    return table.rpartition(".")[2]

"""The states that a message commits on its way, where it has COMMITs of its own.

An unbroken run is looked at between its messages, so these are made by hand: its statements are
sent piece by piece, up to each COMMIT, on a copy of what the run began from.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from harness.errors import DatabaseError
from harness.sqltext import Statement
from harness.state.difference import difference
from harness.state.snapshot import Snapshot
from harness.sweep.points import Row
from harness.sweep.reference import Reference, State
from harness.sweep.steps import steps
from harness.sweep.sweep_server import SweepServer, TrialDatabase

ENDS = frozenset({"COMMIT", "END"})


class OwnCommits:
    """Finds what messages commit by themselves; ``tables`` are the tool's own."""

    def __init__(self, server: SweepServer, tables: Collection[str]) -> None:
        self._server = server
        self._tables = tables

    def found(
        self, reference: Reference, trial: TrialDatabase, template: str, base: Snapshot
    ) -> Reference:
        """The reference with those states as well; ``template`` holds ``base``, its beginning.

        Where the statements alone do not go through, as the tool does more than to send them,
        nothing more is found.
        """
        messages = [
            (row, list(_pieces(self._server.cut(text))))
            for row, text in zip(reference.rows, reference.texts, strict=True)
            if row.kind == "statement"
        ]
        if all(len(pieces) <= 1 for _, pieces in messages):
            return reference
        self._server.prepare(trial, template, base)
        trial.holds = None
        states = list(reference.states)
        session = self._server.guard.connect(trial.database, "reference")
        try:
            for row, pieces in messages:
                for at, piece in enumerate(pieces):
                    session.run(";\n".join(statement.text for statement in piece))
                    if at < len(pieces) - 1:
                        done = self._done(row, pieces[: at + 1])
                        self._look(states, done, trial, reference)
        except DatabaseError as error:
            if error.lost:
                raise
        finally:
            session.close()
        return replace(reference, states=tuple(states))

    def _done(self, row: Row, pieces: Sequence[Sequence[Statement]]) -> int:
        dialect = self._server.engine.dialect
        return row.done_before + sum(len(steps(piece, dialect)) for piece in pieces)

    def _look(
        self, states: list[State], done: int, trial: TrialDatabase, reference: Reference
    ) -> None:
        """Put the state where it belongs, unless it is one that is known."""
        seen = self._server.snapshot(trial.database, reference.volatile, self._tables)
        seen = seen.without(self._tables)
        if all(difference(state.snapshot, seen) for state in states):
            at = next(n for n, state in enumerate(states) if state.done >= done)
            states.insert(max(at, 1), State(done, seen))


def _pieces(statements: Sequence[Statement]) -> Iterator[list[Statement]]:
    """The message cut behind each COMMIT; nothing is left over behind the last."""
    piece: list[Statement] = []
    for statement in statements:
        piece.append(statement)
        if statement.kind in ENDS:
            yield piece
            piece = []
    if piece:
        yield piece

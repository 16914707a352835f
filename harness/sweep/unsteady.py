"""What two unbroken runs leave differently, and what is therefore no part of the state they end in.

A clock, a random number: the whole column. Numbers that the server gave: a run that was cut off has
used some up, and the next one gets others; so the second run begins as if one had been.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import DatabaseError
from harness.ports import Engine, Session
from harness.ports.contents import Counter
from harness.state import given_numbers, rows
from harness.state.difference import difference
from harness.state.snapshot import Snapshot
from harness.state.volatile import parts


@dataclass(frozen=True)
class Used:
    """The numbers that a run was given of one counter."""

    before: Counter
    onward: int
    """What a run gets after one that was given these and was undone."""


def numbers_used(before: Snapshot, after: Snapshot, tables: Collection[str]) -> dict[str, Used]:
    """By the counter's name; not of those that came with the run, or of the tool's own tables."""
    had, has = before.without(tables).counters, after.without(tables).counters
    return {
        name: Used(counter, has[name].next)
        for name, counter in had.items()
        if name in has and (has[name].next - counter.next) * counter.step > 0
    }


def between(
    engine: Engine,
    sessions: tuple[Session, Session],
    one: Snapshot,
    other: Snapshot,
    used: Mapping[str, Used],
) -> dict[str, tuple[str, ...]]:
    """Columns, by table, whose values differ, and by object the parts in which its definition does.

    The tool's own tables must not be in the snapshots: their times are not compared, but whether
    there is one may be all that tells a crash's state from another, and a copy must have it.
    """
    gap = difference(one, other)
    found = {key: parts(one.objects[key], other.objects[key]) for key in gap.changed}
    for table in gap.contents:
        ours, theirs = (rows.column_sums(engine, session, table) for session in sessions)
        columns = [column for column in ours if ours[column] != theirs.get(column)]
        if columns:
            found[table] = tuple(_told(engine, sessions, table, columns, used))
    return found


def _told(
    engine: Engine,
    sessions: Sequence[Session],
    table: str,
    columns: Sequence[str],
    used: Mapping[str, Used],
) -> Iterator[str]:
    """Each column, or only the numbers in it that were given, where nothing else differs: from the
    counter that leaves out the fewest, for another table's smaller number would hide old values.
    """
    counters = sorted((numbers.before for numbers in used.values()), key=_leaves_out)
    for column in columns:
        thresholds = dict.fromkeys(str(given_numbers.of(column, one)) for one in counters)
        alike = (told for told in thresholds if _are_alike(engine, sessions, table, column, told))
        yield next(alike, column)


def _leaves_out(counter: Counter) -> int:
    """How much of a column, in an order: the farther a counter had gone, the less."""
    return -counter.next if counter.step > 0 else counter.next


def _are_alike(
    engine: Engine, sessions: Sequence[Session], table: str, column: str, told: str
) -> bool:
    """Whether the column holds the same in both databases but for such numbers."""
    try:
        sums = [rows.column_sums(engine, s, table, (told,)).get(column) for s in sessions]
    except DatabaseError as error:
        if error.lost:
            raise
        return False  # its values are no numbers
    return sums[0] == sums[1]

"""What a crash leaves, in words, from the lines by which a sweep tells how two states differ."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from harness.reporting.sweep.prose import Code, Part, Prose, Quoted, joined, listed
from harness.sweep.events import StateSeen
from harness.sweep.results import MigrationResult
from harness.sweep.verdicts import LeftState

NAMED = 3
"""Objects that are named of each kind of difference."""
PARTS = ("column", "constraint", "index", "sequence", "trigger", "table", "policy", "rule")
"""Kinds that come and go with their table, whose name theirs begins with."""


@dataclass(frozen=True)
class Lines:
    """The lines of a difference by what they say: objects by kind and name, tables by name."""

    new: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    rows: tuple[tuple[str, str], ...] = ()
    """Tables whose rows differ, each with how many there are."""
    others: tuple[str, ...] = ()


def read(lines: Collection[str]) -> Lines:
    """Take the lines apart that ``Difference.lines`` has made."""
    found: dict[str, list[str]] = {"new": [], "gone": [], "changed": []}
    rows, others = [], []
    for line in lines:
        word, _, rest = line.partition(": ")
        name, _, told = rest.partition(": ")
        if word in ("new", "gone"):
            found[word].append(rest)
        elif word == "changed":
            found[word].append(name)
        elif word == "data":
            rows.append((name, told))
        else:
            others.append(line)
    new, gone, changed = (tuple(found[word]) for word in ("new", "gone", "changed"))
    return Lines(new, gone, changed, tuple(rows), tuple(others))


def left_by(migration: MigrationResult, left: LeftState) -> Prose:
    """What is seen of the way up in that state, as sentences without an end; empty if nothing."""
    states, found = migration.reference.states, Lines()
    at = next((n for n, state in enumerate(states) if state.done == left.done), None)
    if at:
        found = _passed(states[1 : at + 1])
    told = [*_said(found, states[at].empty if at else ())]
    if left.differs:
        told += _said(read(left.differs), (), _unlike(states, at, left))
    return joined(told, ", ")


def of_lines(lines: Collection[str]) -> Prose:
    """The lines of a difference alone."""
    return joined(list(_said(read(lines), ())), ", ")


def _passed(states: Sequence[StateSeen]) -> Lines:
    """How the last of the states differs from the one before the first.

    That a table's rows differ says nothing where its columns do: then only a step that changed
    rows and left the columns counts.
    """
    found = read(states[-1].differs)
    steps = [read(state.since) for state in states]
    changed = dict[str, str]()
    for step in steps:
        changed |= {table: told for table, told in step.rows if table not in _reshaped(step)}
    whole = [*(row for row in found.rows if row[0] not in _reshaped(found)), *changed.items()]
    return Lines(found.new, found.gone, found.changed, tuple(dict(whole).items()), found.others)


def _reshaped(lines: Lines) -> set[str]:
    """Tables of which a column came, went or changed."""
    every = (*lines.new, *lines.gone, *lines.changed)
    return {
        name.rpartition(".")[0]
        for kind, _, name in (key.partition(" ") for key in every)
        if kind == "column"
    }


def _unlike(states: Sequence[StateSeen], at: int | None, left: LeftState) -> bool:
    """Whether all the objects of the next state are there, and yet the state is not it."""
    if at is None or at + 1 >= len(states):
        return False
    wanted = set(read(states[at + 1].differs).new) - set(read(states[at].differs).new)
    return bool(wanted) and wanted <= set(read(left.differs).new)


def _said(lines: Lines, empty: Collection[str], unlike: bool = False) -> Iterator[Prose]:
    new = _folded(lines.new)
    for nothing in (True, False):
        some = [key for key in new if (key in empty) is nothing]
        if some:
            how = " there and empty" if nothing else " there"
            yield (*_named(some), _be(some), how, ", but unfinished" if unlike else "")
    if gone := _folded(lines.gone):
        yield (*_named(gone), _be(gone), " gone")
    if changed := _folded(lines.changed):
        yield (*_named(changed), _be(changed), " changed")
    for table, told in lines.rows:
        if told.endswith("other values"):
            yield ("values in ", _code(table), " are changed")
        else:
            yield (_code(table), " has ", Quoted(told.replace(" rows, now ", " rows before, now ")))
    for line in lines.others:
        yield (Quoted(line),)


def _folded(keys: Collection[str]) -> list[str]:
    """Without what belongs to a table that came or went with it, nor constraints of an index."""
    tables = {key.removeprefix("table ") for key in keys if key.startswith("table ")}
    indexes = {key.rpartition(".")[2] for key in keys if key.startswith("index ")}
    kept = []
    for key in keys:
        kind, _, name = key.partition(" ")
        part = kind in PARTS and any(name.startswith((f"{t}.", f"{t}_")) for t in tables)
        twin = kind == "constraint" and key.rpartition(".")[2] in indexes
        if (not part or name in tables) and not twin:
            kept.append(key)
    return kept


def _named(keys: Sequence[str]) -> Prose:
    items = [_object(key) for key in keys[:NAMED]]
    if len(keys) > NAMED:
        items.append((f"{len(keys) - NAMED} more",))
    return listed(items)


def _object(key: str) -> Prose:
    """A column by its name alone, anything else with its kind."""
    kind, _, name = key.partition(" ")
    return (_code(name),) if kind == "column" else (Quoted(kind, 40), " ", _code(name))


def _code(name: str) -> Part:
    return Code(bare(name), 80)


def bare(name: str) -> str:
    """Without the schema that nobody names."""
    return name.removeprefix("public.")


def _be(keys: Sequence[str]) -> str:
    return " are" if len(keys) > 1 else " is"

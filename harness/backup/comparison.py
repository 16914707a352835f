"""What a restored database lacks of what an earlier dump, or the same one, held."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from harness.backup.content import Content
from harness.backup.findings import Finding, Grade, listed, plural
from harness.backup.manifest import Manifest, sequences_of
from harness.state.belonging import hidden_with

MINOR = frozenset({"column", "comment", "grant", "statistics", "histogram", "database"})
"""Kinds whose loss is told and no more: migrations drop columns."""


@dataclass(frozen=True)
class Expected:
    """What a person said beforehand. ``empty`` and ``gone`` are patterns, of tables and of objects
    by kind and name; ``shrink`` is the share of a table's rows that may be fewer.
    """

    shrink: float = 0.1
    empty: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()

    def may_be_empty(self, table: str) -> bool:
        bare = table.rpartition(".")[2]
        return any(fnmatchcase(table, p) or fnmatchcase(bare, p) for p in self.empty)

    def may_be_gone(self, key: str) -> bool:
        return any(fnmatchcase(key, pattern) for pattern in self.gone)


@dataclass(frozen=True)
class Reference:
    """What is compared with. ``is_same``: it was made of this very dump.

    ``proven`` are tables known to be empty by right.
    """

    name: str
    manifest: Manifest
    is_same: bool = False
    proven: frozenset[str] = frozenset()


def compare(found: Content, reference: Reference, expected: Expected) -> Iterator[Finding]:
    """What is missing, or less, or other than it was."""
    told = reference.manifest
    missing = [t for t in told.tables if t not in found.tables]
    missing = [t for t in missing if not expected.may_be_gone(f"table {t}")]
    if missing:
        rows = sum(told.tables[t][0] for t in missing)
        yield Finding(
            Grade.BROKEN, "table-missing", f"it lacks {plural(len(missing), 'table')}: "
            f"{listed(missing)}", f"all of {reference.name}, where they had "
            f"{plural(rows, 'row')}",
            "dump with an account that sees every table, and without -t, -T or --ignore-table; "
            "--gone 'table NAME' if it was dropped on purpose", tuple(missing),
        )  # fmt: skip
    yield from _fewer(found, reference, expected)
    yield from _objects(found, reference, expected)
    yield from _set_back(found, reference)
    if reference.is_same:
        yield from _otherwise(found, reference)


def _fewer(found: Content, reference: Reference, expected: Expected) -> Iterator[Finding]:
    emptied, shrunk = [], []
    for table, (had, _) in reference.manifest.tables.items():
        has = found.tables.get(table, (had, ""))[0]
        if had and not has and not expected.may_be_empty(table):
            emptied.append(f"{table} ({had} before)")
        elif has and has < had * (1 - expected.shrink):
            shrunk.append(f"{table} ({has}, {had} before)")
    if emptied:
        yield Finding(
            Grade.BROKEN, "table-emptied", f"{listed(emptied)}: without a row",
            f"rows, as in {reference.name}",
            "see whether it was dumped while a statement that rewrites the table was open; "
            "--empty TABLE if that is right", tuple(emptied),
        )  # fmt: skip
    if shrunk:
        yield Finding(
            Grade.BROKEN, "fewer-rows", f"fewer rows: {listed(shrunk)}",
            f"at most {expected.shrink:.0%} fewer than in {reference.name}",
            "see where the rows went; --shrink 50% if that is right", tuple(shrunk),
        )  # fmt: skip


def _objects(found: Content, reference: Reference, expected: Expected) -> Iterator[Finding]:
    told = reference.manifest
    tables = told.tables.keys() - found.tables.keys()
    gone = [key for key in told.objects if key not in found.objects]
    hidden = hidden_with(tables, dict.fromkeys(gone, ""), {}, told.tables.keys())
    by_kind: dict[str, list[str]] = defaultdict(list)
    for key in gone:
        kind = key.partition(" ")[0]
        counted = kind == "table" or key.startswith("column order ") or expected.may_be_gone(key)
        if key not in hidden and not counted:
            by_kind[kind].append(key)
    for grade, kinds in (
        (Grade.BROKEN, by_kind.keys() - MINOR),
        (Grade.NOTE, by_kind.keys() & MINOR),
    ):
        lost = [key for kind in sorted(kinds) for key in sorted(by_kind[kind])]
        if reference.is_same:
            grade = Grade.BROKEN
        if lost:
            yield Finding(
                grade, "object-missing", f"it lacks {plural(len(lost), 'object')}: {listed(lost)}",
                f"all of {reference.name}", _why_gone(kinds), tuple(lost),
            )  # fmt: skip


def _why_gone(kinds: Collection[str]) -> str:
    move = "--gone 'KIND NAME' for what was dropped on purpose"
    if {"procedure", "function", "event"} & set(kinds):
        return f"dump with --routines --events, by an account that sees them; {move}"
    if "trigger" in kinds:
        return f"dump with an account that has the TRIGGER right; {move}"
    return f"dump it whole, pre-data and post-data too; {move}"


def _set_back(found: Content, reference: Reference) -> Iterator[Finding]:
    now, had = sequences_of(found), reference.manifest.sequences
    back = [
        f"{name} ({now[name]}, {had[name]} before)"
        for name in had
        if name in now and (had[name] - now[name]) * found.counters[name].step > 0
    ]
    if back:
        grade = Grade.BROKEN if reference.is_same else Grade.NOTE
        yield Finding(
            grade, "sequence-set-back", f"they go back: {listed(back)}",
            f"what {reference.name} gave next, or more",
            "values that were given before will be given again: set them on", tuple(back),
        )  # fmt: skip


def _otherwise(found: Content, reference: Reference) -> Iterator[Finding]:
    other = [
        table
        for table, held in reference.manifest.tables.items()
        if table in found.tables and found.tables[table] != held
    ]
    if other:
        yield Finding(
            Grade.BROKEN, "rows-differ", f"{listed(other)}: other rows than {reference.name} says",
            "the rows that were read when this dump was proven",
            "restore it on the version that its manifest names, then compare again", tuple(other),
        )  # fmt: skip

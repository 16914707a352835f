"""What the file, the restore and the rows say against a backup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from harness.backup.comparison import Expected, Reference
from harness.backup.content import Content
from harness.backup.findings import Finding, Grade, listed, plural
from harness.errors import NotTaken, StepFailed
from harness.ports import DumpWords, Engine


@dataclass(frozen=True)
class Objectives:
    """How old a backup may be, and how long its restore may take (s); None: as it comes."""

    max_age_s: float | None = None
    max_restore_s: float | None = None


def of_file(words: DumpWords) -> Iterator[Finding]:
    """Before anything is restored: whether its end is there."""
    if words.has_end is False:
        yield Finding(
            Grade.BROKEN, "cut-off", "its end is not there: it was cut off, or never finished",
            words.end,
            "see the exit code of the tool that made it, and the space on its disk; then dump "
            "again",
        )  # fmt: skip
    if words.has_end is None and not words.marks_end:
        yield Finding(
            Grade.UNPROVEN, "no-end-mark", "nothing in it marks its end, so that it is whole is "
            "not known", "a dump with the comments of its tool",
            "dump without --skip-comments and --compact",
        )  # fmt: skip


def of_refusal(place: str, told: str, error: StepFailed, newer: str) -> Finding:
    """What the restore said; ``newer`` is the version of a dump that is newer than the server."""
    if isinstance(error, NotTaken):
        return Finding(Grade.UNPROVEN, "not-taken", f"{place}: {told}")
    if newer:
        return Finding(
            Grade.UNPROVEN, "newer-version", f"{place}: {told}",
            f"a server of version {newer} or newer, from which it was dumped",
            f"--engine or --image with version {newer}",
        )  # fmt: skip
    return Finding(
        Grade.BROKEN, "not-restored", f"{place}: it cannot be restored: {told}",
        "a restore without an error; part of it is not told as good",
        "see the exit code of the tool that made it; then dump again",
    )  # fmt: skip


def of_content(
    engine: Engine, found: Content, reference: Reference | None, expected: Expected
) -> Iterator[Finding]:
    """What the restored rows and objects say."""
    yield from _emptiness(found, reference, expected)
    for orphans in found.orphans:
        yield Finding(
            Grade.BROKEN, "orphans", f"rows that point nowhere: {orphans}",
            "a row there for each",
            "dump parents and children in one transaction (--single-transaction)", (orphans.table,),
        )  # fmt: skip
    for view, why_not in found.views.items():
        yield Finding(
            Grade.BROKEN, "view-not-read", f"{view} cannot be read: {why_not}",
            "a view that answers, as an application wants it",
            "dump with an account that sees what the view reads", (view,),
        )  # fmt: skip
    for name, counter in sorted(found.counters.items()):
        if counter.is_behind:
            yield Finding(
                Grade.BROKEN if counter.unique else Grade.NOTE, "sequence-behind",
                f"{name} gives {counter.next} next, and {counter.column} is at {counter.farthest}",
                "a value that is free: an INSERT fails with "
                f"{engine.snapshot.DUPLICATE} (duplicate key)" if counter.unique else "",
                "set it on after a restore, and in production if it is behind there", (name,),
            )  # fmt: skip
    if found.invalid:
        yield Finding(
            Grade.BROKEN, "invalid-index", f"they serve no query: {listed(found.invalid)}",
            "indexes that are valid", "REINDEX", found.invalid,
        )  # fmt: skip
    yield from _notes(found)


def _emptiness(
    found: Content, reference: Reference | None, expected: Expected
) -> Iterator[Finding]:
    if not found.rows:
        yield Finding(
            Grade.UNPROVEN, "no-rows", f"{plural(len(found.tables), 'table')} and not one row in "
            "them, so nothing was proved", "rows",
            "see whether it is the dump of the right database",
        )  # fmt: skip
        return
    proven = reference.proven if reference else frozenset()
    known = reference.manifest.tables if reference else {}
    open_ = [
        name
        for name in found.empty
        if name not in proven
        and not expected.may_be_empty(name)
        and not (name in known and known[name][0])
    ]
    if open_:
        used = [f"{name}: {told}" for name in open_ if (told := found.was_used(name))]
        had = f" (they had rows once: {listed(used)})" if used else ""
        yield Finding(
            Grade.UNPROVEN, "empty-table", f"nobody proved that these are empty by right: "
            f"{listed(open_, 20)}{had}",
            "rows, or a manifest that has none either: a dump made while a statement rewrites a "
            "table has the table without a row, and exit code 0",
            "--empty TABLE for each that is empty in production; then --manifest keeps that",
            tuple(open_),
        )  # fmt: skip


def _notes(found: Content) -> Iterator[Finding]:
    if found.unvalidated:
        yield Finding(
            Grade.NOTE, "not-validated", f"never validated: {listed(found.unvalidated)}",
            of=found.unvalidated,
        )  # fmt: skip
    for table, why_not in found.refused.items():
        yield Finding(
            Grade.NOTE, "not-written", f"that {table} can be written is not proved: {why_not}",
            of=(table,),
        )  # fmt: skip
    if found.without_key:
        yield Finding(
            Grade.NOTE, "no-primary-key", f"without a primary key: {listed(found.without_key)}",
            of=found.without_key,
        )  # fmt: skip


def of_objectives(
    age_s: float | None, restore_s: float | None, objectives: Objectives
) -> Iterator[Finding]:
    """Whether it is young enough, and comes back fast enough."""
    most = objectives.max_age_s
    if most is not None and (age_s is None or age_s > most):
        told = "its age is not known" if age_s is None else f"it is {hours(age_s)} old"
        yield Finding(
            Grade.BROKEN, "too-old", told, f"at most {hours(most)}: what was written since is lost",
            "see why no later one is here",
        )  # fmt: skip
    most = objectives.max_restore_s
    if most is not None and restore_s is not None and restore_s > most:
        yield Finding(
            Grade.BROKEN, "too-slow", f"its restore took {restore_s:.1f} s here",
            f"at most {most:.1f} s", "restore in parallel, or from a copy of the files",
        )  # fmt: skip


def hours(seconds: float) -> str:
    """As people say it: ``26 h``, ``12 min``."""
    if seconds < 3600:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 72 * 3600 else f"{seconds / 86400:.1f} days"

"""Whether a sweep is good enough for CI: by a grade, or by what an earlier sweep had; pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import OF_A_SIGNAL, ExitCode, UsageError
from harness.sweep.events import AllPendingRun, Outcome
from harness.sweep.results import Finding, MigrationResult, SweepResult
from harness.sweep.rollback import Leads
from harness.sweep.verdicts import HARM, Grade

ON_ROWS, WAY_BACK, TO_ITS_END = "on rows", "way back", "to its end"
IN_ONE_RUN = "all pending in one run"
AS_ITS_OWN_TOOL = "as its own tool"
"""What a finding is about, where it is no crash point."""
OF_THE_WAY_BACK: Mapping[Leads, Grade] = {
    Leads.LOSES_WRITES: Grade.LOSES_DATA,
    Leads.LOSES_DATA: Grade.LOSES_DATA,
    Leads.OTHER_SCHEMA: Grade.LOSES_DATA,
    Leads.REMOVES_MORE: Grade.LOSES_DATA,
    Leads.PRETENDS: Grade.LOSES_DATA,
    Leads.FAILS: Grade.UNHEALED,
}
"""What a way down that does not lead back is as bad as; one that is not there is no lie."""


@dataclass(frozen=True)
class Baseline:
    """What an earlier sweep had: the grade of each cell and finding, by version and point."""

    grades: Mapping[tuple[str, str], Grade]


def baseline(path: Path) -> Baseline:
    """What stands in an earlier sweep.json. UsageError if it is none."""
    try:
        found = json.loads(path.read_text("utf-8"))
        grades = {
            (migration["version"], cell["point"]): Grade(cell["grade"])
            for migration in found["migrations"]
            for cell in (*migration["cells"], *migration.get("down_cells", ()))
        }
        for finding in found.get("findings", ()):
            grades[finding["migration"], finding["point"]] = Grade(finding["grade"])
        return Baseline(grades)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{path} is no sweep.json of an earlier sweep: {error}") from error


def judged(result: SweepResult, limit: Grade, before: Baseline | None) -> SweepResult:
    """The result with what counts against it, and the exit code.

    Without a baseline something counts if its grade is ``limit`` or worse; with one, if it is that
    bad and worse than it was, or new and that bad. What is not known is never green: the exit code
    tells it, unless the baseline has it so, too; that a sweep did not come to its end, never.
    """
    findings = tuple(_findings(result))
    cells = [
        Finding(migration.version, cell.point, cell.grade, cell.missed)
        for migration in result.migrations
        for cell in migration.every_cell
    ]
    had = before.grades if before else {}
    against, unknown = [], []
    for finding in (*cells, *findings):
        was = had.get((finding.migration, finding.point))
        if finding.grade is Grade.INCONCLUSIVE:
            if was is not finding.grade or finding.point == TO_ITS_END:
                unknown.append(finding)
        elif _harm(finding.grade) >= _harm(limit) and (
            was is None or _harm(finding.grade) > _harm(was)
        ):
            against.append(finding)
    whole = replace(
        result,
        findings=findings,
        fail_on=limit,
        baseline=before is not None,
        against=tuple(against),
        unknown=tuple(unknown),
    )
    return replace(whole, exit_code=_exit_code(whole))


def _findings(result: SweepResult) -> Iterator[Finding]:
    """What was found out, or was not, besides the cells."""
    if result.as_plain_sql and not result.asked_for_its_tool:
        yield Finding("", AS_ITS_OWN_TOOL, Grade.INCONCLUSIVE, result.as_plain_sql)
    for migration in result.migrations:
        yield from _of_migration(migration)
    if result.all_pending:
        yield from _in_one_run(result.all_pending)
    for version in result.unfinished:
        yield Finding(version, TO_ITS_END, Grade.INCONCLUSIVE, _not_to_its_end(result, version))


def _in_one_run(found: AllPendingRun) -> Iterator[Finding]:
    """What a deployment does that the runs one by one do not."""
    all_ = f"in one run of the tool, as a deployment applies all {found.count} that are pending,"
    if found.outcome is Outcome.FAILS:
        file = f" ({found.file})" if found.file else ""
        says = f"{all_} it fails{file}, and passes by itself: {found.says}"
    elif found.outcome is Outcome.DIFFERS:
        says = f"{all_} they leave another state than one by one: {'; '.join(found.differs)}"
    else:
        return
    yield Finding(found.migration, IN_ONE_RUN, Grade.FAILS_IN_ONE_RUN, says)


def _of_migration(migration: MigrationResult) -> Iterator[Finding]:
    version, reference, rollback = migration.version, migration.reference, migration.rollback
    if reference.fails_with_rows:
        fails = reference.failing_rows or "fails"
        says = (
            f"on tables with rows it {fails}, {reference.struck_without}: "
            f"{reference.fails_with_rows}"
        )
        yield Finding(version, ON_ROWS, Grade.FAILS_ON_ROWS, says)
    for says in reference.behind:
        name = says.partition(":")[0]
        yield Finding(version, f"next value of {name}", Grade.FAILS_ON_ROWS, f"after it, {says}")
    if rollback.lies:
        grade = OF_THE_WAY_BACK[rollback.leads]
        yield Finding(version, WAY_BACK, grade, rollback.in_words())
    elif migration.finished and rollback.leads is Leads.UNKNOWN:
        yield Finding(version, WAY_BACK, Grade.INCONCLUSIVE, rollback.in_words())
    for table in reference.without_rows:
        why = next((t.why_not for t in reference.filled if t.table == table), "")
        says = f"it works on {table}, which got no rows{f': {why}' if why else ''}"
        yield Finding(version, f"rows of {table}", Grade.INCONCLUSIVE, says)
    for statement in reference.idle:
        says = f"a statement met no row that it changes; bring some by --seed-sql: {statement}"
        yield Finding(version, f"work of {statement}", Grade.INCONCLUSIVE, says)


def _not_to_its_end(result: SweepResult, version: str) -> str:
    if version not in result.left_out:
        return "planned, and not swept to its end"
    begun = any(m.version == version and m.cells for m in result.migrations)
    told = "not swept to its end" if begun else "left out"
    return f"{told}, for the sweep may take {result.sweep.get('budget')}"


def _exit_code(result: SweepResult) -> int:
    """What ended the sweep goes before what it found out: that is not the whole."""
    if result.interrupted:
        return OF_A_SIGNAL + result.interrupted
    if result.crashed:
        return result.crashed_with or ExitCode.BUG
    if result.against or result.broken:
        return ExitCode.RED
    if not result.every_cell:
        return ExitCode.NOTHING
    return ExitCode.UNKNOWN if result.unknown else ExitCode.GREEN


def _harm(grade: Grade) -> int:
    """From 0, harmless; what is not known has none."""
    return HARM.index(grade) if grade in HARM else -1

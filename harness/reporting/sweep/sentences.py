"""What each migration asks of a person, in one plain sentence a need, worst first."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.reporting.sweep import objects, rivals, view
from harness.reporting.sweep.grades import GRADES, HARMFUL, Told
from harness.reporting.sweep.prose import Code, Prose, Quoted, joined, listed
from harness.reporting.sweep.view import StateTold
from harness.reporting.words import one_line, plural
from harness.sweep.points import OF_RIVALS, Row, Where
from harness.sweep.results import Finding, MigrationResult, SweepResult
from harness.sweep.threshold import ON_ROWS, TO_ITS_END, WAY_BACK
from harness.sweep.verdicts import LOUDNESS, Attempt, Grade

LINES = 3
"""Lines of a cure that are told in a sentence."""
SHOWN = 60
"""Characters that are shown of a line or a statement."""
CAN: Mapping[Grade, str] = {
    Grade.TOOL_REPAIR: " can stop half way",
    Grade.HAND_WORK: " can stop half way",
    Grade.STUCK: " can shut its own tool out",
    Grade.LOSES_DATA: " can lose data",
    Grade.UNHEALED: " can end broken",
}
EMULATED = " (emulated)"


@dataclass(frozen=True)
class Need:
    """One thing that a migration asks of a person."""

    migration: MigrationResult
    told: Told
    prose: Prose
    loud: int
    """The most harmful has the highest."""


def needs(result: SweepResult) -> list[Need]:
    """Of every migration that asks something; those of one stand together."""
    found = [(m, sorted(_of(result, m), key=lambda need: -need.loud)) for m in result.migrations]
    asking = [(m, its) for m, its in found if its]
    asking.sort(key=lambda one: -one[1][0].loud)
    return [need for _, its in asking for need in its]


def quiet(result: SweepResult) -> list[Prose]:
    """How many migrations need nothing, or only what their tool always needs; a line for each."""
    asking = {need.migration.version for need in needs(result)}
    others = [m for m in result.migrations if m.version not in asking and m.finished]
    usual = [m for m in others if any(map(_is_usual, states_of(m)))]
    told: list[Prose] = []
    if usual:
        begin = f"{plural(len(usual), 'migration')}: nothing to do but what "
        repairs = listed([(Code(name),) for name in repairs_of(usual)], " or ")
        told.append((begin, _tool(result), " always needs: ", *repairs, ", then run it again"))
    if count := len(others) - len(usual):
        told.append((f"{plural(count, 'migration')}: nothing to do but run it again",))
    return told


def repairs_of(migrations: Sequence[MigrationResult]) -> list[str]:
    """What the tool needs after a crash of any of them; names and numbers are a migration's own."""
    names = Counter(
        _without(migration, _repair(state.heals))
        for migration in migrations
        for state in states_of(migration)
        if _is_usual(state) and state.heals
    )
    return [name for name, _ in names.most_common(LINES)]


def _without(migration: MigrationResult, command: str) -> str:
    """The command with … for what names the migration, or the one before it."""
    for own in sorted({migration.version, migration.name}, key=len, reverse=True):
        command = command.replace(own, "…")
    return re.sub(r"-?\d+", "…", command)


def _tool(result: SweepResult) -> Quoted:
    return Quoted(result.tool.removesuffix(EMULATED), 60)


def states_of(migration: MigrationResult) -> list[StateTold]:
    """Of both ways."""
    return [state for way in view.directions(migration) for state in way.states]


def _is_usual(state: StateTold) -> bool:
    """Whether it is of the tool's own making: nothing is half done, and the tool repairs it."""
    healing = state.healing
    return healing.grade is Grade.TOOL_REPAIR and healing.left.name in ("before", "after")


# ---------------------------------------------------------------------- the needs of a migration


def _of(result: SweepResult, migration: MigrationResult) -> Iterator[Need]:
    name = Code(migration.name, 120)
    if migration.broken:
        prose = (name, " fails with nothing in its way: ", Quoted(migration.broken, 240))
        yield Need(migration, Told("fails", "", "✗", "bad"), prose, len(LOUDNESS))
    for finding in result.findings:
        if finding.migration == migration.version and finding.point != TO_ITS_END:
            yield _need(migration, finding.grade, _found(migration, finding))
    grades: dict[tuple[bool, Grade], list[StateTold]] = {}
    for state in states_of(migration):
        if meeting(state):
            cell = max(state.cells, key=lambda cell: LOUDNESS.index(cell.grade))
            if cell.grade in HARMFUL:
                yield _need(migration, cell.grade, (name, ": ", Quoted(rivals.told(cell), 400)))
        elif state.cells and state.healing.grade in CAN and not _is_usual(state):
            grades.setdefault((state.healing.down, state.healing.grade), []).append(state)
    for (down, grade), states in grades.items():
        subject: Prose = ("the way down of ", name) if down else (name,)
        yield _need(migration, grade, (*subject, CAN[grade], ": ", *_clauses(migration, states)))
    if unknown := [cell for cell in migration.every_cell if cell.grade is Grade.INCONCLUSIVE]:
        missed = next((cell.missed for cell in unknown if cell.missed), "")
        why = ("not struck (", Quoted(missed, 200), ")") if missed else ("never healed",)
        many = f": {plural(len(unknown), 'crash point')} of it "
        be = "were " if len(unknown) > 1 else "was "
        yield _need(migration, Grade.INCONCLUSIVE, ("not known of ", name, many, be, *why))


def _need(migration: MigrationResult, grade: Grade, prose: Prose) -> Need:
    return Need(migration, GRADES[grade], prose, LOUDNESS.index(grade))


def _found(migration: MigrationResult, finding: Finding) -> Prose:
    name, says = Code(migration.name, 120), Quoted(finding.says, 400)
    if finding.point == ON_ROWS:
        on = migration.reference.failing_rows.removeprefix("fails ") or "on tables with rows"
        why = Quoted(migration.reference.fails_with_rows, 160)
        struck = f"; {migration.reference.struck_without}"
        return (name, " fails ", Quoted(on, 200), ": ", why, struck)
    if finding.point == WAY_BACK and finding.grade is not Grade.INCONCLUSIVE:
        leads = Quoted(finding.says.removeprefix("the way down "), 260)
        return ("the way down of ", name, " ", leads)
    if finding.grade is Grade.INCONCLUSIVE:
        return ("not known of ", name, ": ", says)
    if finding.grade is Grade.FAILS_IN_ONE_RUN:
        return (name, ": ", says)
    return (name, " leaves a next value that is taken: ", says)


# ---------------------------------------------------------------------- the states it can leave


def _clauses(migration: MigrationResult, states: Sequence[StateTold]) -> Prose:
    """If it dies there, this is seen; run that."""
    states = sorted(states, key=lambda state: state.healing.left.done)
    first, *others = states
    what = seen(migration, first)
    there: Prose = (", ", *what) if what else ()
    told: Prose = ("if it dies ", *where(migration, first), *there, "; ", *cure(first))
    if not others:
        return told
    return (*told, f"; {plural(len(others), 'more such state')}, in plan.md")


def meeting(state: StateTold) -> bool:
    """Whether no crash leaves that state, but two runs that meet."""
    return bool(state.cells) and all(cell.way in OF_RIVALS for cell in state.cells)


def where(migration: MigrationResult, state: StateTold) -> Prose:
    """At what place of the run a crash leaves that state."""
    if meeting(state):
        return ("two runs at once",)
    left, down = state.healing.left, state.healing.down
    rows = migration.way_back.rows if down else migration.reference.rows
    total = migration.way_back.statements if down else migration.reference.statements
    if left.name == "before":
        return ("before anything of it is done",)
    if left.name == "after":
        return ("when all of it is done",)
    inside = any(cell.where == Where.INSIDE for cell in state.cells)
    if "debris" in left.name and inside and left.done < total:
        which = f"statement {left.done + 1} of {total}" if total > 1 else "its statement"
        return (f"while {which} runs", *_label(rows, left.done + 1))
    if not left.done:
        return (f"before statement 1 of {total} is through", *_label(rows, 1))
    return (f"after statement {left.done} of {total}", *_label(rows, left.done))


def _label(rows: Sequence[Row], n: int) -> Prose:
    """The statement, if it is a message of its own."""
    for row in rows:
        if row.kind == "statement" and row.statements == 1 and row.done_before == n - 1:
            return (" (", Code(row.label, SHOWN), ")")
    return ()


def seen(migration: MigrationResult, state: StateTold) -> Prose:
    """What is there then, as it was measured; nothing for a way down, whose states are unnamed."""
    healing = state.healing
    told: list[Prose] = [
        (f"{count} rows of ", Code(objects.bare(table), 80), " are gone")
        for table, count in healing.gone.items()
    ]
    if healing.left.name not in ("before", "after") and not healing.down:
        there = objects.left_by(migration, healing.left)
        told += [there] if there else []
    return listed(told)


def cure(state: StateTold) -> Prose:
    """What healed it, or that nothing did; and what loses rows, if the tool alone does."""
    return (*warning(state), *_heals(state))


def warning(state: StateTold) -> Prose:
    """That the tool alone loses rows there; empty if it does not."""
    rerun = next((a for a in state.healing.attempts if a.kind == "re-run"), None)
    if not rerun or not rerun.lost:
        return ()
    lost = [(f"{n} rows of ", Code(objects.bare(t), 80)) for t, n in rerun.lost.items()]
    return ("do not just run it again, which loses ", *listed(lost), ": ")


def _heals(state: StateTold) -> Prose:
    heals = state.heals
    if heals is None:
        tried = "that was tried heals it: restore, or ask somebody who knows the data"
        return (f"nothing {tried if state.healing.attempts else 'was tried on it'}",)
    if heals.kind == "re-run":
        return ("run it again",)
    if heals.kind == "repair":
        return ("run ", Code(_repair(heals)), ", then run it again")
    lines = [line for line in heals.commands if line.strip()]
    if not lines:
        return (Quoted(heals.name),)
    begin = {"down-up": "take it down, then up: ", "mark": "only tell the tool: "}
    if len(lines) > LINES:
        more = f" and {len(lines) - LINES + 1} more lines of plan.md"
        return ("by hand run ", *_then(lines[: LINES - 1]), more)
    return (begin.get(heals.kind, "by hand run "), *_then(lines))


def _then(lines: Sequence[str]) -> Prose:
    return joined([(Code(_short(line), SHOWN),) for line in lines], ", then ")


def _short(line: str) -> str:
    """A command keeps its begin and its end, where its words are; of SQL the begin tells most."""
    line = one_line(line, len(line))
    if line.endswith(";") or len(line) <= SHOWN:
        return line
    half = SHOWN // 2 - 1
    return f"{line[:half]}…{line[-half:]}"


def _repair(heals: Attempt | None) -> str:
    """The command alone."""
    return heals.name.removesuffix(", then run again") if heals else ""

"""plan.md: the "Oh Shit" plan of each migration: if it dies here, you will see this, run that.

Every line of it was executed; what stands behind it is in plan-evidence.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.reporting import Format
from harness.reporting.sweep import evidence, grades, objects, overview, prose, sentences, view
from harness.reporting.sweep.prose import Code, Prose, Quoted, joined, listed
from harness.reporting.sweep.view import StateTold
from harness.reporting.templating import environment
from harness.reporting.words import one_line, plural
from harness.sweep.points import Row
from harness.sweep.results import MigrationResult, SweepResult
from harness.sweep.rollback import IN_WORDS, Leads
from harness.sweep.verdicts import Grade

FILE_NAME = "plan.md"
STATEMENTS = 8
"""Statements that are listed of a migration."""
ROWS = 8
"""Rows of its table."""
FENCED = 14
"""Lines that stand in its fences; a longer cure stands in plan-evidence.md alone."""
IN_A_ROW = 240
"""Characters of a cure that stands in its row."""
SAFE = (Grade.DONE, Grade.SELF_HEALS, Grade.TOOL_REPAIR)
KILLED_BY_HAND = "To kill it while it hangs loses nothing, and leaves work for hands"
PLACES = 3
"""Places that are told of one row."""


@dataclass(frozen=True)
class PlanRow:
    """States of one way that need the same."""

    where: Prose
    seen: Prose
    run: Prose
    commands: tuple[str, ...] = ()
    plainly: bool = False
    """The tool is only run again, on a state of its own making."""


@dataclass(frozen=True)
class Block:
    """A cure that no row can hold, to be pasted part by part."""

    letter: str
    commands: tuple[str, ...]
    parts: Sequence[tuple[str, str]]
    """The language of each, and its lines."""


@dataclass(frozen=True)
class Plan:
    """What is told of one migration."""

    migration: MigrationResult
    short: bool
    """There is nothing particular about it."""
    statements: Sequence[Row]
    more: int
    rows: Sequence[PlanRow]
    up: int
    """How many of them are about the way up, which stand first."""
    blocks: Sequence[Block]
    kill: Prose
    rollback: Prose
    notes: Sequence[Prose]


def render(result: SweepResult) -> str:
    """One plan a migration, in the order of the run."""
    swept = [m for m in result.migrations if m.cells]
    again = _again_of_all(swept)
    return (
        environment()
        .get_template("plan.md.j2")
        .render(
            result=result,
            view=view,
            grades=grades,
            prose=prose,
            headline=overview.headline(result),
            caveats=overview.caveats(result),
            always=_always(result, again),
            plans=[_plan(result, m, again) for m in swept],
            broken=result.broken,
            behind=evidence.FILE_NAME,
            made_from=overview.made_from(result),
            verified=f"{result.engine} {result.server_version}, {result.started[:10]}",
        )
    )


def _plan(result: SweepResult, migration: MigrationResult, again: Sequence[str]) -> Plan:
    steps, notes = view.steps(migration), list(_notes(result, migration))
    up = _rows(migration, again, down=False)
    told, blocks = _lettered([*up, *_rows(migration, again, down=True)])
    states = sentences.states_of(migration)
    short = not (notes or blocks or migration.rollback.lies) and all(
        state.healing.left.name in ("before", "after") and state.heals for state in states
    )
    return Plan(
        migration,
        short,
        steps[:STATEMENTS],
        max(0, len(steps) - STATEMENTS),
        told,
        len(up),
        blocks,
        _kill(migration),
        _rollback(migration),
        notes,
    )


# ---------------------------------------------------------------------- what holds of all


def _again_of_all(swept: Sequence[MigrationResult]) -> tuple[str, ...]:
    """The line by which the tool is run again, if it is the same for every migration."""
    lines = {
        state.heals.commands
        for migration in swept
        for state in sentences.states_of(migration)
        if state.heals and state.heals.kind == "re-run" and not state.healing.down
    }
    (one,) = lines if len(lines) == 1 else ((),)
    return one if _fits(one) else ()


def _always(result: SweepResult, again: Sequence[str]) -> list[Prose]:
    """What every migration needs, told once."""
    told: list[Prose] = []
    tool = Quoted(result.tool.removesuffix(sentences.EMULATED), 60)
    if again:
        told.append(("Where nothing else is said, run it again: ", *_code(again), "."))
    if repairs := sentences.repairs_of(result.migrations):
        names = listed([(Code(name),) for name in repairs], " or ")
        told.append((
            tool, " always needs this after a crash, whatever the migration is: ", *names,
            ", then run it again. The exact lines stand under each migration.",
        ))  # fmt: skip
    return told


# ---------------------------------------------------------------------- the rows


def _rows(migration: MigrationResult, again: Sequence[str], *, down: bool) -> list[PlanRow]:
    """A row a cure, in the order in which the run comes to its first state."""
    states = [s for s in sentences.states_of(migration) if s.healing.down is down and s.cells]
    states.sort(key=lambda state: state.healing.left.done)
    cures: dict[object, list[StateTold]] = {}
    for state in states:
        if not _needs_no_row(state, again):
            key = (prose.as_text(sentences.cure(state)), state.heals and state.heals.commands)
            cures.setdefault(key, []).append(state)
    rows = [_row(migration, some) for some in cures.values()]
    return [row for row in rows if not _is_a_tail(row, rows)]


def _is_a_tail(row: PlanRow, rows: Sequence[PlanRow]) -> bool:
    """Whether it is the plain re-run, with which another cure ends: told once is enough."""
    own = row.commands
    longer = [other.commands for other in rows if len(other.commands) > len(own)]
    return row.plainly and any(_is_end(own, other) for other in longer)


def _needs_no_row(state: StateTold, again: Sequence[str]) -> bool:
    """What is healed as is told for all, and is through or of the tool's own making."""
    heals, left = state.heals, state.healing.left
    if heals is None or heals.kind != "re-run" or state.healing.grade is Grade.LOSES_DATA:
        return False
    done = state.healing.grade is Grade.DONE
    return done or (heals.commands == again and left.name in ("before", "after"))


def _row(migration: MigrationResult, states: Sequence[StateTold]) -> PlanRow:
    places = _distinct([sentences.where(migration, state) for state in states])
    seen = _distinct([_seen(migration, state) for state in states])
    more: list[Prose] = []
    if len(states) > PLACES:
        more = [(f"at {plural(len(states) - PLACES, 'more place')}, see {evidence.FILE_NAME}",)]
    on_the_way: Prose = ("on the way down, ",) if states[0].healing.down else ()
    where = (*on_the_way, *listed([*places[:PLACES], *more], " or "))
    what = joined(seen[:PLACES], "; or ")
    heals = states[0].heals
    commands = tuple(heals.commands) if heals else ()
    if not heals:
        return PlanRow(where, what, ("**", *sentences.cure(states[0]), "**"))
    warning = sentences.warning(states[0])
    if not all(line.strip() for line in commands):
        nothing = ": the tool's adapter has no command to paste for this"
        return PlanRow(where, what, (*warning, Quoted(heals.name), nothing))
    own = all(state.healing.left.name in ("before", "after") for state in states)
    return PlanRow(where, what, warning, commands, heals.kind == "re-run" and own and not warning)


def _seen(migration: MigrationResult, state: StateTold) -> Prose:
    """What is there, and what the tool says of it."""
    left, down = state.healing.left, state.healing.down
    told = [sentences.seen(migration, state)]
    if left.name in ("before", "after"):
        all_there = (left.name == "after") is not down
        told.insert(0, ("all of it is there" if all_there else "nothing of it is there",))
    elif down:
        told.append(objects.of_lines(left.differs) if left.differs else ())
    if state.tool_says:
        told.append((f"the tool says: {state.tool_says}",))
    return joined([one for one in told if one], "; ")


def _distinct(items: Sequence[Prose]) -> list[Prose]:
    return list(dict.fromkeys(item for item in items if item))


def _lettered(rows: Sequence[PlanRow]) -> tuple[list[PlanRow], list[Block]]:
    """The rows with their cures, or with the letter under which the cure stands below."""
    told: list[PlanRow] = []
    blocks: list[Block] = []
    elsewhere: list[tuple[str, ...]] = []
    left = FENCED
    for row in rows[:ROWS]:
        lines = sum(command.count("\n") + 1 for command in row.commands)
        if not row.commands or _fits(row.commands):
            told.append(replace(row, run=(*row.run, *_code(row.commands))))
        elif whole := next((b for b in blocks if _is_end(row.commands, b.commands)), None):
            begin = Code(row.commands[0], 60)
            told.append(replace(row, run=(*row.run, f"**{whole.letter}** from ", begin, " on")))
        elif lines <= left and not any(_is_end(row.commands, other) for other in elsewhere):
            left -= lines
            letter = chr(ord("A") + len(blocks))
            told.append(replace(row, run=(*row.run, f"**{letter}**, below")))
            blocks.append(Block(letter, row.commands, _parts(row.commands)))
        else:
            elsewhere.append(row.commands)
            many = f"the {lines} lines that stand in {evidence.FILE_NAME}"
            told.append(replace(row, run=(*row.run, many)))
    if len(rows) > ROWS:
        more = f"{plural(len(rows) - ROWS, 'more row')}"
        told.append(PlanRow((more,), (), (f"see {evidence.FILE_NAME}",)))
    return told, blocks


def _is_end(commands: tuple[str, ...], of: tuple[str, ...]) -> bool:
    """Whether they are the last of those others, or all."""
    return of[-len(commands) :] == commands


def _fits(commands: Sequence[str]) -> bool:
    """Whether they stand in a table's cell as they are pasted."""
    whole = all(one_line(line, len(line) + 1) == line and "|" not in line for line in commands)
    return whole and sum(map(len, commands)) <= IN_A_ROW


def _code(commands: Sequence[str]) -> Prose:
    return joined([(Code(line, len(line)),) for line in commands], ", then ")


def _parts(commands: Sequence[str]) -> list[tuple[str, str]]:
    """What goes into the server's client, and what into a shell, in their order."""
    parts: list[tuple[str, str]] = []
    for line in commands:
        language = "sql" if line.endswith(";") else "sh"
        if parts and parts[-1][0] == language:
            line = f"{parts.pop()[1]}\n{line}"
        parts.append((language, line))
    return parts


# ---------------------------------------------------------------------- the rest of a plan


def _kill(migration: MigrationResult) -> Prose:
    """Whether it can be stopped while a statement hangs."""
    struck = [cell for cell in view.stopped(migration) if not cell.missed]
    if harmful := [cell for cell in struck if view.is_harmful(cell)]:
        labels = {row.n: row.label for row in migration.reference.rows}
        cell, statement = harmful[0], Code(labels[harmful[0].n], 60)
        then = Quoted("data can get lost" if cell.heals else view.heals(cell))
        left: Prose = (" leaves it ", Quoted(cell.left.name, 60), ", where ", then)
        return ("Do not kill it while it hangs: ", cell.way, " in ", statement, *left)
    missed = len(view.stopped(migration)) - len(struck)
    if not struck:
        return ("Whether it can be killed while it hangs is not known: nothing was struck inside",)
    many = f"stopped {plural(len(struck), 'time')} at work, and healed"
    if missed:
        told = "Whether it can be killed while it hangs is known in part"
        return (f"{told}: {many}; {missed} more were not struck",)
    safe = all(cell.grade in SAFE for cell in struck)
    return (f"{'To kill it while it hangs is safe' if safe else KILLED_BY_HAND}: {many}",)


def _rollback(migration: MigrationResult) -> Prose:
    found = migration.rollback
    if found.leads is Leads.NOWHERE:
        return ("There is no way down. Fix forward",)
    if found.leads is Leads.IRREVERSIBLE:
        return ("Declared irreversible: ", Quoted(found.says), ". Fix forward")
    if found.leads is Leads.UNKNOWN:
        return ("The way down was not executed from the migrated state. Do not rely on it",)
    told: Prose = (view.sentence(IN_WORDS[found.leads]),)
    if found.differences:
        told = (*told, ": ", Quoted("; ".join(found.differences), 260))
    if found.meanwhile:
        lost = Quoted("; ".join(found.meanwhile), 200)
        told = (*told, "; of what was written between up and down is lost: ", lost)
    elif found.written:
        told = (*told, f"; all of the {found.written} rows written meanwhile are there afterwards")
    return (*told, ". Fix forward instead") if found.lies else told


def _notes(result: SweepResult, migration: MigrationResult) -> Iterator[Prose]:
    """What must be known before it is run at all."""
    reference = migration.reference
    if reference.fails_with_rows:
        rows = f" ({reference.failing_rows})" if reference.failing_rows else ""
        struck = f"**On tables with rows it fails**, {reference.struck_without}: "
        yield (struck, Quoted(f"{reference.fails_with_rows}{rows}", 400))
    for told, says in view.findings(result, migration, without_the_way_back=True):
        if told.tone == "unsure":
            yield ("**Not known**: ", Quoted(says))
    if reference.removes:
        lost = [(f"{n} rows of ", Code(objects.bare(t), 80)) for t, n in reference.removes.items()]
        yield ("**It takes rows away even when nothing goes wrong**: ", *listed(lost))


KIND = Format(FILE_NAME, render)

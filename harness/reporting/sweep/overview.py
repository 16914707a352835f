"""What several formats tell of a whole sweep: in a word, in a sentence, and what it lacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.reporting.sweep.grades import GRADES, HARMFUL, Told
from harness.reporting.words import plural
from harness.sweep.events import Outcome
from harness.sweep.results import SweepResult
from harness.sweep.rollback import Leads
from harness.sweep.threshold import OF_THE_WAY_BACK
from harness.sweep.verdicts import Grade, worst

NAMED = 5
"""Migrations that are named in a sentence."""


def overall(result: SweepResult) -> Told:
    """The whole sweep in a word; never a good one where it did not come to its end."""
    cells = {cell.grade for cell in result.every_cell}
    gravest = worst([*cells, *(finding.grade for finding in result.findings)])
    told = GRADES[gravest]
    if result.crashed or result.interrupted:
        tone = "bad" if told.tone == "bad" or result.broken else "unsure"
        return Told("stopped before its end", "", "■", tone)
    if result.broken:
        return Told("fails by itself", "", "✗", "bad")
    if told.tone == "bad":
        beside = gravest not in cells and gravest in OF_THE_WAY_BACK.values()
        return Told("the way down does not lead back", "", "✗", "bad") if beside else told
    if result.unfinished:
        return Told("not swept to its end", "", "■", "unsure")
    return told


def headline(result: SweepResult) -> str:
    """The whole sweep in one sentence."""
    grades, cells = result.grades, len(result.every_cell)
    told = f"{plural(cells, 'crash point')} of {plural(len(result.migrations), 'migration')}"
    parts = [*_not_whole(result), *_beside_the_cells(result), *_cells(result, grades, cells)]
    return f"{told}: {'; '.join(parts)}"


def _not_whole(result: SweepResult) -> Iterator[str]:
    """What must be known before anything else is believed."""
    if result.crashed:
        yield "ended by an error before its end"
    elif result.interrupted:
        yield "interrupted before its end"
    elif missing := _missing(result):
        yield f"{plural(len(missing), 'planned migration')} not swept to the end"
    if result.left_out:
        many = plural(len(result.left_out), "planned migration")
        yield f"{many} left out by the budget of {result.sweep.get('budget')}"
    if result.as_plain_sql and not result.asked_for_its_tool:
        yield result.as_plain_sql
    if result.broken:
        yield f"{plural(len(result.broken), 'migration')} failing with nothing in the way"


def _beside_the_cells(result: SweepResult) -> Iterator[str]:
    on_rows = [m for m in result.migrations if m.reference.fails_on_rows]
    if on_rows:
        yield f"{plural(len(on_rows), 'migration')} failing on tables with rows"
    if result.all_pending and result.all_pending.outcome in (Outcome.FAILS, Outcome.DIFFERS):
        yield "all pending in one run do not go through"
    lies = [m for m in result.migrations if m.rollback.lies]
    if lies:
        verb = "do" if len(lies) > 1 else "does"
        yield f"{plural(len(lies), 'way')} down that {verb} not lead back"
    empty = sum(len(m.reference.without_rows) for m in result.migrations)
    if empty:
        yield f"{plural(empty, 'table')} worked on without a row in it"
    idle = sum(len(m.reference.idle) for m in result.migrations)
    if idle:
        yield f"{plural(idle, 'statement')} that met no row to change"


def _cells(result: SweepResult, grades: Mapping[Grade, int], cells: int) -> Iterator[str]:
    bad = sum(grades.get(grade, 0) for grade in HARMFUL)
    work, unknown = grades.get(Grade.HAND_WORK, 0), grades.get(Grade.INCONCLUSIVE, 0)
    if bad:
        yield f"{bad} that no tried recovery heals or that lose data"
    elif work:
        yield f"{work} need a person's own statements"
    elif unknown == cells:
        yield "nothing was struck and healed, so nothing was learned"
    else:
        who = "every other one" if unknown else "every one"
        yield f"{who} is healed by the tool itself or its documented commands"
    if 0 < unknown < cells:
        yield f"{unknown} unknown"
    unexplained = sum(not c.left.explained for c in result.every_cell if not c.missed)
    if unexplained:
        yield f"{unexplained} left what the migration does not explain"


def by_rule(result: SweepResult) -> str:
    """How many cells were struck, and why the others are known; empty if all were struck."""
    if not result.by_rule:
        return ""
    many = sum(result.by_rule.values())
    rules = ", ".join(f"{count} by {rule}" for rule, count in result.by_rule.items())
    told = f"{len(result.every_cell) - many} struck, {many} leave what one of those left ({rules})"
    held = "all of them did" if not result.revoked else f"not so: {', '.join(result.revoked)}"
    healed = result.healed_by_rule
    states = f", {healed} states were told healed as one before them" if healed else ""
    return f"{told}{states}; {result.audited} of such were tried all the same, and {held}"


def made_from(result: SweepResult) -> str:
    """What a plan stands on: what was struck, and what is known to leave the same."""
    struck = sum(not (cell.missed or cell.rule) for cell in result.every_cell)
    told = f"{plural(struck, 'crash point')} that were really struck"
    many = sum(bool(cell.rule and not cell.missed) for cell in result.every_cell)
    return f"{told}, and {many} that by rule leave the same" if many else told


def in_one_run(result: SweepResult) -> str:
    """Whether all in one run leave what the runs one by one do; empty where nobody looked, or
    where it is a finding.
    """
    found = result.all_pending
    if found is None:
        return ""
    if found.outcome is Outcome.NOT_RUN:
        return f"All {found.count} in one run of the tool were not tried: {found.says}."
    if found.outcome is Outcome.SAME:
        rows = f"{found.rows} rows" if found.rows else "empty tables"
        told = f"All {found.count} in one run of the tool, as a deployment applies them"
        return f"{told}, left what the runs one by one did (from {rows})."
    return ""


def gap(result: SweepResult) -> str:
    """What a sweep that was cut off leaves open, in one sentence; empty if it came to its end."""
    missing = _missing(result)
    if not missing:
        return ""
    return f"Not swept to the end: {plural(len(missing), 'planned migration')} ({_some(missing)})."


def too_late(result: SweepResult) -> str:
    """What there was no time for, in one sentence; empty if there was for all."""
    if not result.left_out:
        return ""
    names = _some(list(result.left_out.values()))
    many = plural(len(result.left_out), "planned migration")
    return (
        f"Left out by the budget of {result.sweep.get('budget')}: {many}; what crashes of them "
        f"leave is not known, and --resume goes on with them ({names})."
    )


def _missing(result: SweepResult) -> list[str]:
    """What was not swept to its end, although there was time."""
    return [version for version in result.unfinished if version not in result.left_out]


def _some(names: list[str]) -> str:
    return f"{', '.join(names[:NAMED])}{' …' if len(names) > NAMED else ''}"


def caveats(result: SweepResult) -> list[str]:
    """What is less than was asked for: what was not swept, and as what; rows that were refused."""
    told = [gap(result), too_late(result)]
    if result.crashed:
        told.append(f"The sweep was ended by an error: {result.crashed}")
    if result.interrupted:
        told.append(f"The sweep was interrupted by signal {result.interrupted}.")
    if result.as_plain_sql and result.asked_for_its_tool:
        told.append(f"As was asked for, {result.as_plain_sql}.")
    rows = [f"{at}: no state took this statement: {why}" for at, why in result.seed_refused.items()]
    return [*filter(None, [*told, begin(result)]), *rows]


def begin(result: SweepResult) -> str:
    """Of a sweep whose first state was kept from an earlier one; else empty."""
    kept = result.from_cache
    if kept is None:
        return ""
    return (
        f"The state before {kept.migration} came from the cache: sweep {kept.run} made it on "
        f"{kept.made}, and its {kept.count} earlier migrations were not run again (--no-cache runs "
        "them)."
    )


def ways_down(result: SweepResult) -> list[tuple[str, str]]:
    """Where the ways down lead, from harmless to harmful, each with the migrations' names."""
    found: dict[Leads, list[str]] = {}
    for migration in result.migrations:
        if migration.cells:
            leads, says = migration.rollback.leads, migration.rollback.says
            named = f"{migration.name} ({says})" if leads is Leads.IRREVERSIBLE else migration.name
            found.setdefault(leads, []).append(named)
    lossy = [
        f"{migration.name} ({'; '.join(migration.rollback.meanwhile)})"
        for migration in result.migrations
        if migration.rollback.meanwhile
    ]
    told = [(leads.replace("-", " "), _names(found[leads])) for leads in Leads if leads in found]
    return [*told, *([("loses what is written meanwhile", _names(lossy))] if lossy else [])]


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:NAMED]) + (f" and {len(names) - NAMED} more" if names[NAMED:] else "")

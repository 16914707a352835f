"""What several formats tell alike: grades in words, cells by row and way, the line to run again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.errors import ExitCode
from harness.reporting.words import plural
from harness.sweep.events import StateHealed
from harness.sweep.points import Row, Way, Where
from harness.sweep.results import CellResult, MigrationResult, SweepResult, healed_by
from harness.sweep.threshold import OF_THE_WAY_BACK
from harness.sweep.verdicts import LOUDNESS, Attempt, Grade


@dataclass(frozen=True)
class Told:
    """How a grade is told: its word, what it means, its sign, its colour's name."""

    word: str
    means: str
    sign: str
    tone: str


GRADES: Mapping[Grade, Told] = {
    Grade.DONE: Told("through", "The migration is through and the tool knows it.", "✓", "good"),
    Grade.SELF_HEALS: Told(
        "self-heals", "Run the tool again: it ends where an unbroken run ends.", "↻", "good"
    ),
    Grade.TOOL_REPAIR: Told(
        "tool repair", "A documented command of the tool, then the tool again.", "⚙", "mild"
    ),
    Grade.HAND_WORK: Told("hand work", "Statements that a person has to run.", "✎", "work"),
    Grade.STUCK: Told(
        "stuck",
        "The tool waits for a lock that it left itself, and none of its commands frees it.",
        "⊘",
        "bad",
    ),
    Grade.LOSES_DATA: Told(
        "loses data",
        "Rows go that an unbroken run keeps: by the crash for good, or by the plain re-run.",
        "✗",
        "bad",
    ),
    Grade.UNHEALED: Told("unhealed", "Nothing that was tried heals it.", "✗", "bad"),
    Grade.FAILS_ON_ROWS: Told(
        "fails on rows", "It fails on tables with rows, with nothing in its way.", "✗", "bad"
    ),
    Grade.INCONCLUSIVE: Told(
        "unknown",
        "The fault did not strike, or nothing was tried on what it left: nothing was learned.",
        "?",
        "unsure",
    ),
}
"""From harmless to harmful."""
HARMFUL = (Grade.STUCK, Grade.LOSES_DATA, Grade.UNHEALED)
"""Grades of cells that nobody wants to meet."""
WHERE: Mapping[str, str] = {
    Where.BEFORE: "before",
    Where.INSIDE: "inside",
    Where.ANSWERED: "answer lost",
}
ORDER = tuple(WHERE)


@dataclass(frozen=True)
class Line:
    """One row of a matrix: a point in the run, and the cell of each way of dying."""

    n: int
    where: str
    row: Row
    cells: Sequence[CellResult | None]

    @property
    def place(self) -> str:
        """File and line, without the folder."""
        return self.row.place.rpartition("/")[2]


@dataclass(frozen=True)
class StateTold:
    """A state that was left: what was tried on it, and which cells left it."""

    healing: StateHealed
    cells: Sequence[CellResult]
    tool_says: str
    heals: Attempt | None
    """The first recovery that healed it."""


@dataclass(frozen=True)
class Direction:
    """One way of a migration, up or down: its messages, and the cells that struck them."""

    title: str
    rows: Sequence[Row]
    cells: Sequence[CellResult]
    states: Sequence[StateTold]

    @property
    def ways(self) -> list[str]:
        """The ways of dying that were tried, in the same order for every migration."""
        tried = {cell.way for cell in self.cells}
        return [way.value for way in Way if way in tried]

    @property
    def lines(self) -> list[Line]:
        """The matrix, in the order of the run."""
        columns, found = self.ways, dict[tuple[int, int], dict[str, CellResult]]()
        for cell in self.cells:
            found.setdefault((cell.n, ORDER.index(cell.where)), {})[cell.way] = cell
        rows = {row.n: row for row in self.rows}
        return [
            Line(n, ORDER[at], rows.get(n, Row(n)), [cells.get(way) for way in columns])
            for (n, at), cells in sorted(found.items())
        ]


def directions(migration: MigrationResult) -> list[Direction]:
    """Up and, where its way down was struck, down."""
    up, back = migration.reference, migration.way_back
    found = [Direction("", up.rows, migration.cells, states(migration))]
    if migration.down_cells:
        told = _states(migration, migration.down_healings, migration.down_cells)
        found.append(Direction("The way down", back.rows, migration.down_cells, told))
    return found


def again(result: SweepResult, migration: MigrationResult, way: str = "") -> str:
    """The command that sweeps this migration again, for one way of dying."""
    wishes = result.sweep
    words = ["mdrill", "sweep", str(wishes.get("path", result.folder))]
    words += ["--engine", str(wishes.get("engine", ""))]
    for wish in ("tool", "layout", "program", "seed_sql", "seed_dump"):
        if wishes.get(wish):
            words += [f"--{wish.replace('_', '-')}", str(wishes[wish])]
    for image in wishes.get("image", ()):
        words += ["--image", image]
    if wishes.get("backend", "auto") != "auto":
        words += ["--backend", wishes["backend"]]
    if "rows" in wishes:
        words += ["--rows", str(wishes["rows"])]
    words += ["--only", migration.version]
    return shlex.join([*words, *(("--ways", way) if way else ())])


def loudness(migration: MigrationResult) -> int:
    """How early a reader must see the migration; the most harmful has the highest."""
    return LOUDNESS.index(loudest(migration))


def loudest(migration: MigrationResult) -> Grade:
    """Its worst cell, whether it goes through on rows, and where its way down leads."""
    back = OF_THE_WAY_BACK.get(migration.rollback.leads)
    grades = [migration.worst, *([back] if back else [])]
    return max(grades, key=LOUDNESS.index)


def overall(result: SweepResult) -> Told:
    """How the whole sweep is told."""
    if result.crashed or result.interrupted:
        return Told("stopped before its end", "", "■", "unsure")
    if result.broken:
        return Told("fails by itself", "", "✗", "bad")
    worst = max(map(loudest, result.migrations), key=LOUDNESS.index, default=Grade.INCONCLUSIVE)
    if worst in HARMFUL and not any(c.grade is worst for c in result.every_cell):
        return Told("the way down does not lead back", "", "✗", "bad")
    return GRADES[worst]


def stops(migration: MigrationResult) -> str:
    """Whether a crash can leave a part of the migration; ``unknown`` where none was struck."""
    if migration.broken:
        return "fails by itself"
    if all(cell.missed for cell in migration.cells):
        return "unknown"
    return "atomic" if migration.atomic else "can stop half way"


def states(migration: MigrationResult) -> list[StateTold]:
    """The states that the way up left, those that something was tried on before the others."""
    return _states(migration, migration.healings, migration.cells)


def _states(
    migration: MigrationResult, healings: Sequence[StateHealed], cells: Sequence[CellResult]
) -> list[StateTold]:
    tried = {healing.state: healing for healing in healings}
    own: dict[str, list[CellResult]] = {healing.state: [] for healing in healings}
    for cell in cells:
        if not cell.missed:
            own.setdefault(cell.state, []).append(cell)
    told = []
    for name, left_by in own.items():
        healing = tried.get(name) or StateHealed(state=name, left=left_by[0].left)
        says = belief(left_by[0], migration.version, healing) if left_by else ""
        told.append(StateTold(healing, left_by, says, healed_by(healing)))
    return told


def headline(result: SweepResult) -> str:
    """The whole sweep in one sentence."""
    grades, cells = result.grades, len(result.every_cell)
    told = f"{plural(cells, 'crash point')} of {plural(len(result.migrations), 'migration')}"
    return f"{told}: {'; '.join(_parts(result, grades, cells))}"


def _parts(result: SweepResult, grades: Mapping[Grade, int], cells: int) -> Iterator[str]:
    if result.plain_for:
        yield f"swept as plain SQL: what {result.plain_for} itself would leave is not known"
    if result.broken:
        yield f"{plural(len(result.broken), 'migration')} failing with nothing in the way"
    yield from _beside_the_cells(result)
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


def _beside_the_cells(result: SweepResult) -> Iterator[str]:
    on_rows = [m for m in result.migrations if m.reference.fails_with_rows]
    if on_rows:
        yield f"{plural(len(on_rows), 'migration')} failing on tables with rows"
    lies = [m for m in result.migrations if m.rollback.lies]
    if lies:
        verb = "do" if len(lies) > 1 else "does"
        yield f"{plural(len(lies), 'way')} down that {verb} not lead back"


def gap(result: SweepResult) -> str:
    """What a sweep that was cut off leaves open, in one sentence; empty if it came to its end."""
    missing = result.unfinished
    if not missing:
        return ""
    names = f"{', '.join(missing[:5])}{' …' if len(missing) > 5 else ''}"
    return f"Not swept to the end: {plural(len(missing), 'planned migration')} ({names})."


def caveats(result: SweepResult) -> list[str]:
    """What is less than was asked for: what was not swept, rows of the user's that were refused."""
    told = [gap(result)]
    if result.crashed:
        told.append(f"The sweep was ended by an error: {result.crashed}")
    if result.interrupted:
        told.append(f"The sweep was interrupted by signal {result.interrupted}.")
    rows = [f"{at}: no state took this statement: {why}" for at, why in result.seed_refused.items()]
    return [*filter(None, told), *rows]


def findings(result: SweepResult, migration: MigrationResult) -> list[tuple[Told, str]]:
    """What was found out about it besides the cells, or was not; each with how it is told."""
    return [
        (GRADES[finding.grade], _sentence(finding.point, finding.says))
        for finding in result.findings
        if finding.migration == migration.version
    ]


def _sentence(point: str, says: str) -> str:
    lead = {
        "on rows": "It fails on tables with rows",
        "way back": "",
        "to its end": "Not swept to its end",
    }.get(point, f"Not known, the {point}")
    return f"{lead}: {says}" if lead else f"{says[:1].upper()}{says[1:]}"


def verdict_on(result: SweepResult) -> str:
    """The last line: whether it is good enough, and for what reasons not."""
    told = EXITS.get(result.exit_code, f"ended with exit code {result.exit_code}")
    count = len(result.against)
    last = f"{told}: {plural(count, 'finding')} against it (--fail-on {result.fail_on})"
    if result.unknown:
        last += f"; {len(result.unknown)} unknown"
    return last


EXITS: Mapping[int, str] = {
    ExitCode.GREEN: "good enough",
    ExitCode.RED: "not good enough",
    ExitCode.UNKNOWN: "not everything is known",
    ExitCode.MACHINE: "ended by the machine",
    ExitCode.NOTHING: "nothing was swept",
    ExitCode.BUG: "ended by an error of ours",
    130: "interrupted",
    143: "interrupted",
    129: "interrupted",
}


def told(cell: CellResult) -> str:
    """What became of one cell."""
    if cell.missed:
        return f"not struck: {cell.missed}"
    return f"left it {cell.left.name}; {heals(cell)}"


def heals(cell: CellResult) -> str:
    """What heals a cell that was struck, or that nothing does, or that nothing was tried."""
    if cell.grade is Grade.INCONCLUSIVE:
        return "nothing was tried on it"
    return f"heals: {cell.heals}" if cell.heals else "nothing that was tried heals it"


def rollback(migration: MigrationResult) -> str:
    """Where the way down leads, in one sentence."""
    words = migration.rollback.in_words()
    return f"{words[:1].upper()}{words[1:]}."


def belief(cell: CellResult, version: str, healing: StateHealed) -> str:
    """What the tool's own table says after the crash."""
    applied = version in cell.applied
    if healing.settled and not applied and not cell.down:
        return "nothing, for it keeps no record"
    told = "applied" if applied else "not applied"
    return f"{told}, dirty or locked" if cell.stuck else told

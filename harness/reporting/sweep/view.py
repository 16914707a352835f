"""What several formats tell of a migration: grades, cells by row and way, the line to run again."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.errors import ExitCode
from harness.reporting.sweep.grades import GRADES, HARMFUL, Told
from harness.reporting.words import plural
from harness.sweep.events import StateHealed
from harness.sweep.points import Row, Way, Where
from harness.sweep.results import CellResult, Finding, MigrationResult, SweepResult, healed_by
from harness.sweep.rollback import Leads
from harness.sweep.threshold import WAY_BACK
from harness.sweep.verdicts import LOUDNESS, Attempt, Grade, worst

WHERE: Mapping[str, str] = {
    Where.BEFORE: "before",
    Where.INSIDE: "inside",
    Where.ANSWERED: "answer lost",
}
ORDER = tuple(WHERE)
ITS_LOCK = "the tool takes its lock"
"""The one message without a row of its own."""
NAMED = 5
"""Migrations that are named on one line."""
STOPS = (Way.SESSION_KILL, Way.QUERY_CANCEL, Way.CLIENT_SIGKILL)
"""How people stop a migration that hangs."""


def where_of(where: str, wait: int) -> str:
    """In words: before, inside, inside (2), answer lost."""
    return f"{WHERE[where]} ({wait})" if wait > 1 else WHERE[where]


@dataclass(frozen=True)
class Line:
    """One row of a matrix: a point in the run, and the cell of each way of dying."""

    n: int
    where: str
    row: Row
    cells: Sequence[CellResult | None]
    wait: int = 1

    @property
    def at(self) -> str:
        """On which side of the message, or in which of its holds."""
        return where_of(self.where, self.wait)

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
        columns, found = self.ways, dict[tuple[int, int, int], dict[str, CellResult]]()
        for cell in self.cells:
            found.setdefault((cell.n, ORDER.index(cell.where), cell.wait), {})[cell.way] = cell
        rows = {row.n: row for row in self.rows}
        return [
            Line(
                n,
                ORDER[at],
                rows.get(n, Row(n, ITS_LOCK)),
                [cells.get(way) for way in columns],
                wait,
            )
            for (n, at, wait), cells in sorted(found.items())
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


def loudness(result: SweepResult, migration: MigrationResult) -> int:
    """How early a reader must see the migration; the most harmful has the highest."""
    return LOUDNESS.index(loudest(result, migration))


def worth_telling(result: SweepResult) -> list[MigrationResult]:
    """The migrations that ask something of a person, the loudest first."""
    quiet = LOUDNESS.index(Grade.SELF_HEALS)
    found = [
        migration
        for migration in result.migrations
        if _own(result, migration) or (migration.cells and loudness(result, migration) > quiet)
    ]
    return sorted(found, key=lambda migration: loudness(result, migration), reverse=True)


def loudest(result: SweepResult, migration: MigrationResult) -> Grade:
    """Its worst cell or finding: whether it goes through on rows, where its way down leads."""
    own = [f.grade for f in result.findings if f.migration == migration.version]
    return worst([migration.worst, *own])


def stops(migration: MigrationResult) -> str:
    """Whether a crash can leave a part of the migration; ``unknown`` where none was struck."""
    if migration.broken:
        return "fails by itself"
    if all(cell.missed for cell in migration.cells):
        return "unknown"
    return "atomic" if migration.atomic else "can stop half way"


def steps(migration: MigrationResult) -> list[Row]:
    """Its own messages."""
    return [row for row in migration.reference.rows if row.kind == "statement"]


def together(migration: MigrationResult) -> str:
    """Whether they go through one by one."""
    if stops(migration) == "unknown":
        return "not known: no crash was struck"
    if migration.atomic:
        return "all or nothing: no crash left anything between before and after"
    if len(steps(migration)) == 1:
        return "one message, and yet a crash can leave a part of it"
    return "one by one: a crash can leave the first of them done and the rest not"


def stopped(migration: MigrationResult) -> list[CellResult]:
    """Where it was stopped as people stop what hangs, while a statement was at work."""
    return [c for c in migration.cells if c.where == Where.INSIDE and c.way in STOPS]


def is_harmful(cell: CellResult) -> bool:
    """Whether nobody wants to have stopped it there: nothing heals it, or rows are lost."""
    return not cell.missed and (not cell.heals or cell.grade in HARMFUL)


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


def findings(
    result: SweepResult, migration: MigrationResult, *, without_the_way_back: bool = False
) -> list[tuple[Told, str]]:
    """What was found out about it besides the cells, or was not; each with how it is told."""
    return [
        (GRADES[finding.grade], sentence(finding.says))
        for finding in _own(result, migration)
        if not (without_the_way_back and finding.point == WAY_BACK)
    ]


def _own(result: SweepResult, migration: MigrationResult) -> list[Finding]:
    return [finding for finding in result.findings if finding.migration == migration.version]


def sentence(says: str) -> str:
    """With a capital letter."""
    return f"{says[:1].upper()}{says[1:]}"


def verdict_on(result: SweepResult) -> str:
    """The last line: whether it is good enough, and for what reasons not."""
    code = result.exit_code
    told = EXITS.get(code, f"ended with exit code {code}")
    told = "interrupted" if result.interrupted else told
    count = len(result.against)
    last = f"{told}: {plural(count, 'finding')} against it (--fail-on {result.fail_on})"
    if result.unknown:
        last += f"; {len(result.unknown)} unknown"
    return f"{last}; compared with a baseline" if result.baseline else last


EXITS: Mapping[int, str] = {
    ExitCode.GREEN: "good enough",
    ExitCode.RED: "not good enough",
    ExitCode.UNKNOWN: "not everything is known",
    ExitCode.MACHINE: "ended by the machine",
    ExitCode.NOTHING: "nothing was swept",
    ExitCode.BUG: "ended by an error of ours",
}


def told(cell: CellResult) -> str:
    """What became of one cell."""
    if cell.missed:
        return f"not struck: {cell.missed}"
    where = " on the way down" if cell.down else ""
    return f"left it {cell.left.name}{where}; {heals(cell)}"


def heals(cell: CellResult) -> str:
    """What heals a cell that was struck, or that nothing does, or that nothing was tried."""
    if cell.grade is Grade.INCONCLUSIVE:
        return "nothing was tried on it"
    return f"heals: {cell.heals}" if cell.heals else "nothing that was tried heals it"


def rollback(migration: MigrationResult) -> str:
    """Where the way down leads, in one sentence."""
    return f"{sentence(migration.rollback.in_words())}."


def way_down(migration: MigrationResult) -> str:
    """The same in a few words, with the reason of a declaration and what gets lost meanwhile."""
    found = migration.rollback
    told = found.leads.replace("-", " ")
    if found.leads is Leads.IRREVERSIBLE:
        told += f": {found.says}"
    lost = "; ".join(found.meanwhile)
    return f"{told}; lost of what is written meanwhile: {lost}" if lost else told


def back_is_told(migration: MigrationResult) -> bool:
    """Whether where the way down leads is a finding, which is told with the others."""
    return migration.rollback.lies or migration.rollback.leads is Leads.UNKNOWN


def belief(cell: CellResult, version: str, healing: StateHealed) -> str:
    """What the tool's own table says after the crash."""
    applied = version in cell.applied
    if healing.settled and not applied and not cell.down:
        return "nothing, for it keeps no record"
    told = "applied" if applied else "not applied"
    return f"{told}, dirty or locked" if cell.stuck else told

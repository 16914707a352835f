"""From the record of a sweep to what reports tell; pure, and the same however often it is asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import dropwhile
from typing import Any

from harness.errors import ExitCode
from harness.record import timeline
from harness.record.run_folder import RunFolder, as_json
from harness.record.timeline import Event, structured
from harness.sweep.events import (
    FILE_NAME,
    OF_A_SWEEP,
    AllPendingRun,
    BeganFromCache,
    Broken,
    CellStruck,
    LeftOut,
    OfSweep,
    Referred,
    RuleAudited,
    SeedRefused,
    StateHealed,
    SweptToEnd,
    WayBackTried,
)
from harness.sweep.rollback import Rollback
from harness.sweep.verdicts import Attempt, Grade, grade_of_rivals, worst


@dataclass(frozen=True)
class SweepHeader:
    """What is known of a sweep before its first cell (docs/record.md, header.json).

    ``took_ms`` and ``interrupted``, the number of a signal, are added at its end.
    """

    run: str = ""
    started: str = ""
    version: str = ""
    command: str = ""
    sweep: Mapping[str, Any] = field(default_factory=dict)
    """What the command line asked for, by option."""
    folder: str = ""
    layout: str = ""
    tool: str = ""
    emulated: bool = False
    plain_for: str = ""
    """The tool that keeps a record of this folder, where one was swept with that keeps none."""
    notes: str = ""
    engine: str = ""
    server_version: str = ""
    image: str = ""
    backend: str = ""
    backend_because: str = ""
    planned: tuple[str, ...] = ()
    prints: Mapping[str, str] = field(default_factory=dict)
    took_ms: float = 0.0
    interrupted: int | None = None
    crashed: str = ""
    """The error of ours, or of the machine, that ended it; with the exit code that it carries."""
    crashed_with: int = ExitCode.BUG

    @property
    def as_plain_sql(self) -> str:
        """What is not known where a tool keeps a record and the sweep's kept none; else empty."""
        if not self.plain_for:
            return ""
        return f"swept as plain SQL: what {self.plain_for} itself would leave is not known"

    @property
    def asked_for_its_tool(self) -> bool:
        """Whether the command line named the tool, so that nobody takes it for another."""
        return bool(self.sweep.get("tool"))


@dataclass(frozen=True)
class CellResult(CellStruck):
    """A cell with what its state asks of a person."""

    grade: Grade = Grade.INCONCLUSIVE
    heals: str = ""
    """The first recovery that healed its state."""


@dataclass(frozen=True)
class MigrationResult:
    """Everything that was found out about one migration."""

    version: str
    reference: Referred
    cells: tuple[CellResult, ...]
    """Of the way up."""
    healings: tuple[StateHealed, ...]
    way_back: WayBackTried
    down_cells: tuple[CellResult, ...]
    down_healings: tuple[StateHealed, ...]
    finished: bool
    broken: str

    @property
    def name(self) -> str:
        return self.reference.name or self.version

    @property
    def rollback(self) -> Rollback:
        """How far its way down leads back."""
        return self.way_back.rollback

    @property
    def every_cell(self) -> tuple[CellResult, ...]:
        """Of both ways."""
        return (*self.cells, *self.down_cells)

    @property
    def atomic(self) -> bool:
        """No crash that struck left anything between before and after."""
        struck = [cell for cell in self.cells if not cell.missed]
        return bool(struck) and all(cell.left.name in ("before", "after") for cell in struck)

    @property
    def worst(self) -> Grade:
        """The loudest grade of its cells, and of whether it goes through on rows."""
        grades = [cell.grade for cell in self.every_cell]
        if self.reference.fails_on_rows:
            grades.append(Grade.FAILS_ON_ROWS)
        return worst(grades)


@dataclass(frozen=True)
class Finding:
    """Something of a migration that counts against a sweep, or that is not known."""

    migration: str
    point: str
    """A crash point, or what else it is about."""
    grade: Grade
    says: str = ""


@dataclass(frozen=True)
class SweepResult(SweepHeader):
    """A sweep as its reports tell it (docs/record.md, sweep.json)."""

    migrations: tuple[MigrationResult, ...] = ()
    all_pending: AllPendingRun | None = None
    """All of them in one run, where there were several and the sweep came so far."""
    from_cache: BeganFromCache | None = None
    """Where the state before the first of them came from, if no run of this sweep made it."""
    seed_refused: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Names by version of what there was no time for, or not for all of it."""
    audited: int = 0
    """Cells of which a rule says what they leave, and that were struck all the same."""
    revoked: tuple[str, ...] = ()
    """Rules that such a cell has shown to be wrong here."""
    findings: tuple[Finding, ...] = ()
    """What was found out, or was not, besides the cells."""
    fail_on: Grade = Grade.LOSES_DATA
    baseline: bool = False
    """Whether an earlier sweep was compared with."""
    against: tuple[Finding, ...] = ()
    unknown: tuple[Finding, ...] = ()
    exit_code: int = ExitCode.NOTHING

    @property
    def every_cell(self) -> list[CellResult]:
        return [cell for migration in self.migrations for cell in migration.every_cell]

    @property
    def by_rule(self) -> dict[str, int]:
        """How many cells follow by each rule, and were not struck."""
        return dict(Counter(cell.rule for cell in self.every_cell if cell.rule))

    @property
    def healed_by_rule(self) -> int:
        """How many states are healed as an earlier one was, and nothing was tried on them."""
        every = [h for m in self.migrations for h in (*m.healings, *m.down_healings)]
        return sum(bool(healing.rule) for healing in every)

    @property
    def grades(self) -> dict[Grade, int]:
        """How many cells have each grade, from harmless to harmful."""
        counts = Counter(cell.grade for cell in self.every_cell)
        return {grade: counts[grade] for grade in Grade if grade in counts}

    @property
    def worst(self) -> Grade:
        return worst([migration.worst for migration in self.migrations])

    @property
    def broken(self) -> list[MigrationResult]:
        return [migration for migration in self.migrations if migration.broken]

    @property
    def unfinished(self) -> list[str]:
        """The planned versions that were not swept to their end, and do not fail by themselves.

        What a dump had applied before is not swept, and comes before all that is.
        """
        told = {m.version: m.finished or bool(m.broken) for m in self.migrations}
        planned = list(self.planned)
        if self.sweep.get("seed_dump"):
            planned = list(dropwhile(lambda version: version not in told, planned))
        return [v for v in dict.fromkeys([*planned, *told]) if not told.get(v, False)]


@dataclass
class _Draft:
    """What is known so far of one migration; of two records of one thing the last counts."""

    reference: Referred = field(default_factory=Referred)
    way_back: WayBackTried = field(default_factory=WayBackTried)
    cells: dict[str, CellStruck] = field(default_factory=dict)
    healings: dict[str, StateHealed] = field(default_factory=dict)
    finished: bool = False
    broken: str = ""

    def finish(self, version: str, revoked: Collection[str]) -> MigrationResult:
        cells = [self._graded(self._not_by(cell, revoked)) for cell in self.cells.values()]
        return MigrationResult(
            version,
            self.reference,
            tuple(cell for cell in cells if not cell.down),
            tuple(state for state in self.healings.values() if not state.down),
            self.way_back,
            tuple(cell for cell in cells if cell.down),
            tuple(state for state in self.healings.values() if state.down),
            self.finished,
            self.broken,
        )

    def _not_by(self, cell: CellStruck, revoked: Collection[str]) -> CellStruck:
        """Nothing is known of a cell that follows by a rule which was shown to be wrong later, or
        whose state is healed by such a rule.
        """
        healing = self.healings.get(cell.state)
        for rule in (cell.rule, healing.rule if healing else ""):
            if rule in revoked:
                says = f"the rule {rule}, by which it follows, did not hold elsewhere"
                return replace(cell, missed=f"{says}: --exhaustive")
        return cell

    def _graded(self, cell: CellStruck) -> CellResult:
        healing = self.healings.get(cell.state)
        if cell.missed or healing is None:
            return CellResult(**vars(cell))
        heals = healed_by(healing)
        grade = grade_of_rivals(cell.rival, cell.left.name, healing.grade)
        return CellResult(**vars(cell), grade=grade, heals=heals.name if heals else "")


def healed_by(healing: StateHealed) -> Attempt | None:
    """The first recovery that healed the state."""
    return next((attempt for attempt in healing.attempts if attempt.healed), None)


def of(header: SweepHeader, events: Iterable[Event[Any]]) -> SweepResult:
    """Fold the events: for each migration its rows, states and cells."""
    drafts: dict[str, _Draft] = {}
    refused: Mapping[str, str] = {}
    all_pending: AllPendingRun | None = None
    from_cache: BeganFromCache | None = None
    audits: dict[tuple[str, str], RuleAudited] = {}
    left_out: dict[str, str] = {}
    for event in events:
        what = event.what
        if isinstance(what, SeedRefused):
            refused = what.refused
        elif isinstance(what, LeftOut):
            left_out[what.migration] = what.name
        elif isinstance(what, AllPendingRun):
            all_pending = what
        elif isinstance(what, BeganFromCache):
            from_cache = what
        elif isinstance(what, RuleAudited):
            audits[what.migration, what.point] = what
        elif isinstance(what, OfSweep):
            _enter(drafts.setdefault(what.migration, _Draft()), what)
    done = {version for version, draft in drafts.items() if draft.finished}
    revoked = tuple(sorted({audit.rule for audit in audits.values() if not audit.held}))
    return SweepResult(
        **vars(header),
        migrations=tuple(draft.finish(version, revoked) for version, draft in drafts.items()),
        all_pending=all_pending,
        from_cache=from_cache,
        seed_refused=refused,
        left_out={v: name for v, name in left_out.items() if v not in done},
        audited=len(audits),
        revoked=revoked,
    )


def _enter(draft: _Draft, what: OfSweep) -> None:
    match what:
        case Referred():
            draft.reference = what
        case WayBackTried():
            draft.way_back = what
        case CellStruck():
            draft.cells[what.point] = what
        case StateHealed():
            draft.healings[what.state] = what
        case Broken():
            draft.broken = what.says
            draft.reference = replace(draft.reference, name=draft.reference.name or what.name)
        case SweptToEnd():
            draft.finished = True


def header_of(folder: RunFolder) -> SweepHeader:
    """What was known when the sweep of that folder began."""
    return structured(SweepHeader, folder.header())


def of_folder(folder: RunFolder) -> SweepResult:
    """What the sweep of that folder has found out, from its record alone."""
    return of(header_of(folder), timeline.read(folder.path / FILE_NAME, OF_A_SWEEP))


def to_json(result: SweepResult) -> str:
    """The text of ``sweep.json``; what is counted stands beside what it was counted from."""
    told = asdict(result)
    for name in ("grades", "worst", "unfinished", "by_rule"):
        told[name] = getattr(result, name)
    told["cells"] = len(result.every_cell)
    for value, migration in zip(told["migrations"], result.migrations, strict=True):
        value |= {"name": migration.name, "worst": migration.worst, "atomic": migration.atomic}
    return as_json(told)

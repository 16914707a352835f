"""One worker's server, with everything that its trials share.

A fresh container for every trial is what a user would do, and it costs seconds. Here one server
is started, and each trial gets a database of its own, cloned from a template that was prepared
once; a trial that kills the server starts it again on the same data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from harness import loading
from harness.drill.migration_runs import MigrationJob, MigrationRunner
from harness.drill.target import LiveTarget
from harness.errors import DrillError
from harness.model import Scenario, Sql, in_dialect, words_of
from harness.ports import Answer, Backend, Engine, Session
from harness.record.timeline import Timeline
from harness.servers.throwaway import ThrowawayServer
from harness.state.difference import difference
from harness.state.snapshot import Snapshot, take
from harness.tools import scenario_tools
from harness.tools.adapter import Emulation, filled, for_dialect
from harness.tools.emulation import Job, Unit

CONTROL_DEADLINE_S = 300.0


@dataclass(frozen=True)
class Control:
    """What the migration does when nothing stops it."""

    ok: bool
    says: str
    migrated: Snapshot | None = None
    """What it leaves."""
    left_alone: Snapshot | None = None
    """What of the world before it neither changes nor removes."""


class DrillServer(ThrowawayServer):
    """A server, and the templates and control runs made on it so far."""

    def __init__(self, backend: Backend, engine: Engine, image: str | None = None) -> None:
        super().__init__(backend, engine, image)
        self.versioned = loading.our_tools()[scenario_tools.VERSIONED_BY]
        self._templates: dict[tuple[str, int | None], str] = {}
        self._controls: dict[tuple[str, str, int | None], Control] = {}
        self._count = 0

    def new_name(self, stem: str) -> str:
        """A database name that this server has not seen."""
        self._count += 1
        return f"{stem}_{self._count}"

    def template(self, scenario: Scenario, rows: int | None) -> str:
        """The name of a database in which the scenario's ``given`` holds; prepared once."""
        key = (scenario.id, rows)
        if key not in self._templates:
            name = self.new_name("given")
            self.create(name)
            session = self.guard.connect(name, "given")
            try:
                self._prepare(session, scenario, rows)
            finally:
                session.close()
            self._templates[key] = name
        return self._templates[key]

    def copy_of(self, template: str) -> str:
        """The name of a new copy."""
        name = self.new_name("trial")
        self.clone(template, name)
        return name

    def migration(self, scenario: Scenario, mode: str, database: str) -> MigrationJob:
        """What a migrator needs to know."""
        migration, given = scenario.migration, scenario.given
        tool = migration.tool
        sends = scenario_tools.emulation(
            tool, mode, self.versioned, self.engine.name, self.engine.dialect
        )
        units = [_unit(migration.version, self.texts(migration.statements))]
        if given.applied_version:
            units.insert(0, _unit(given.applied_version, self.texts(given.schema)))
        applied = self.versioned.applied if tool == "versioned" else ""
        job = Job(
            engine=self.engine.name,
            emulation=sends,
            units=tuple(units),
            applied=for_dialect(applied, self.engine.name, self.engine.dialect, ""),
            applied_up_to=True,
            address=self.address,
            database=database,
            nonce=self.guard.nonce,
            identity=self.guard.identity,
            steered=True,
        )
        return MigrationJob(job, tool, mode)

    def target(self, migration: MigrationJob, pristine: str, timeline: Timeline) -> LiveTarget:
        """The target of a trial on the migration's database."""
        runner = MigrationRunner(migration, self.guard, timeline, self.observer)
        return LiveTarget(self, migration.job.database, pristine, timeline, runner, self.versioned)

    def texts(self, statements: tuple[Sql, ...]) -> tuple[str, ...]:
        """The statements as this engine has them; those that it has not are left out."""
        found = (in_dialect(sql, self.engine.name, self.engine.dialect) for sql in statements)
        return tuple(text for text in found if text is not None)

    # ------------------------------------------------------------------ the control run

    def control(self, scenario: Scenario, mode: str, rows: int | None) -> Control:
        """Run the migration once with nothing in its way; remembered for this server."""
        key = (scenario.id, mode, rows)
        if key not in self._controls:
            self._controls[key] = self._run_control(scenario, mode, rows)
        return self._controls[key]

    def _run_control(self, scenario: Scenario, mode: str, rows: int | None) -> Control:
        pristine = self.template(scenario, rows)
        database = self.copy_of(pristine)
        target = self.target(self.migration(scenario, mode, database), pristine, Timeline())
        try:
            outcome = target.start_migration().outcome(CONTROL_DEADLINE_S)
            if not outcome.finished:
                met = f"{outcome.code} {outcome.message}"
                return Control(
                    False, f"it fails by itself: {met}; tell a failure by fail-statement instead"
                )
            before = take(self.engine, self.session(pristine))
            target.migrated = after = take(self.engine, self.session(database))
            wrong = [] if _is_bad(scenario) else unmet(target, scenario, mode)
            if wrong:
                return Control(False, f"without a fault this is wrong already: {wrong[0]}")
            return Control(
                True, "without a fault it goes through", after, _left_alone(before, after)
            )
        except DrillError as error:
            return Control(False, f"{type(error).__name__}: {error}")
        finally:
            target.end()
            self.leave(pristine)
            self.drop(database)

    # ------------------------------------------------------------------ the world before

    def _prepare(self, session: Session, scenario: Scenario, rows: int | None) -> None:
        """Make ``given`` true: schema, generated rows (``rows`` raises each count), extras."""
        given = scenario.given
        for text in self.texts(given.schema):
            session.run(text)
        for table, spec in given.rows.items():
            self._fill(session, table, max(rows or 0, spec.count), spec.values)
        for text in self.texts(given.after_rows):
            session.run(text)
        if given.applied_version is not None:
            sends: Emulation = for_dialect(
                self.versioned.emulation, self.engine.name, self.engine.dialect
            )
            for sql in (*sends.setup, *sends.after):
                session.run(filled(sql, {"version": given.applied_version}))

    def _fill(self, session: Session, table: str, count: int, values: Mapping[str, Sql]) -> None:
        columns, expressions = ", ".join(values), ", ".join(self.texts(tuple(values.values())))
        session.run(
            f"INSERT INTO {table} ({columns}) SELECT {expressions} "
            f"FROM {self.engine.databases.series(count)}"
        )


def _unit(version: int, statements: tuple[str, ...]) -> Unit:
    return Unit(str(version), "", "", ";\n".join(statements), statements)


def _left_alone(before: Snapshot, after: Snapshot) -> Snapshot:
    """What is the same in both."""
    gap = difference(before, after)
    other = gap.objects()
    return Snapshot(
        {k: v for k, v in before.objects.items() if after.objects.get(k) == v},
        {k: v for k, v in before.contents.items() if k not in other and k in after.contents},
        {k: v for k, v in before.counters.items() if after.counters.get(k) == v},
    )


def _is_bad(scenario: Scenario) -> bool:
    """True if the story is that the migration goes through and does harm."""
    return any(fault.kind.strikes_when_done for fault in scenario.faults)


def unmet(target: LiveTarget, scenario: Scenario, mode: str) -> list[str]:
    """The verify claims that do not hold, of those that need neither fault nor application."""
    words = words_of(target.engine.name, target.engine.traits, mode)
    wrong = []
    for claim in scenario.verify:
        if claim.probe.needs_app or claim.scope.faults or not claim.scope.covers(words, ""):
            continue
        finding = claim.probe.check(target)
        if finding.answer is not Answer.HELD:
            wrong.append(f"{claim.name}: found {finding.found}, wanted {finding.wanted}")
    return wrong

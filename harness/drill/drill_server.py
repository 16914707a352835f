"""One worker's server, with everything that its trials share.

A fresh container for every trial is what a user would do, and it costs seconds. A lane starts
one server and gives each trial a database of its own, cloned from a template that was
prepared once; a trial that kills the server starts it again on the same data.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from harness.drill.migration_runs import MigrationRunner, Spares
from harness.drill.target import LiveTarget, Observer
from harness.errors import DrillError
from harness.model import Scenario, in_dialect, words_of
from harness.ports import Answer, Backend, Engine, ServerFacts, Session
from harness.record.timeline import Timeline
from harness.servers.guard import Guard
from harness.tools import version_table

CONTROL_DEADLINE_S = 300.0


@dataclass(frozen=True)
class Control:
    """What the migration does when nothing stops it, and the schema it leaves."""

    ok: bool
    says: str
    fingerprint: str = ""


class DrillServer:
    """A server, its guard, and the templates and control runs made on it so far."""

    def __init__(self, backend: Backend, engine: Engine, image: str | None = None) -> None:
        self.engine = engine
        self._backend = backend
        self._image = image
        self._templates: dict[tuple[str, int | None], str] = {}
        self._controls: dict[tuple[str, str, int | None], Control] = {}
        self._count = 0
        self.spares = Spares()
        try:
            self.server = backend.start(engine.recipe, image)
        except BaseException:
            self.spares.end()
            raise
        try:
            self.guard = Guard(engine, self.server)
            version = self.guard.adopt()
            self.facts: ServerFacts = replace(self.server.facts, version=version)
            self.observer = Observer(self.guard)
        except BaseException:
            self.spares.end()
            self.server.destroy()
            raise

    def new_name(self, stem: str) -> str:
        """A database name that this server has not seen."""
        self._count += 1
        return f"{stem}_{self._count}"

    def template(self, scenario: Scenario, rows: int | None) -> str:
        """The name of a database in which the scenario's ``given`` holds; prepared once."""
        key = (scenario.id, rows)
        if key not in self._templates:
            name = self.new_name("given")
            self.engine.databases.create(self.observer(), name)
            session = self.guard.connect(name, "given")
            try:
                prepare(self.engine, session, scenario, rows)
            finally:
                session.close()
            self._templates[key] = name
        return self._templates[key]

    def clone(self, template: str) -> str:
        name = self.new_name("trial")
        self.engine.databases.clone(self.observer(), template, name)
        return name

    def drop(self, name: str) -> None:
        self.engine.databases.drop(self.observer(), name)

    def job(self, scenario: Scenario, mode: str, database: str) -> dict[str, Any]:
        """What a migrator needs to know, except where the server is."""
        migration, given = scenario.migration, scenario.given
        return {
            "engine": self.engine.name,
            "dialect": self.engine.dialect,
            "tool": migration.tool,
            "mode": mode,
            "version": migration.version,
            "statements": [self.text(sql) for sql in migration.statements],
            "applied_version": given.applied_version,
            "applied_statements": [self.text(sql) for sql in given.schema],
            "database": database,
        }

    def text(self, sql: Any) -> str:
        return in_dialect(sql, self.engine.name, self.engine.dialect)

    def control(self, scenario: Scenario, mode: str, rows: int | None) -> Control:
        """Run the migration once with nothing in its way; remembered for this server."""
        key = (scenario.id, mode, rows)
        if key not in self._controls:
            self._controls[key] = self._run_control(scenario, mode, rows)
        return self._controls[key]

    def _run_control(self, scenario: Scenario, mode: str, rows: int | None) -> Control:
        pristine = self.template(scenario, rows)
        database = self.clone(pristine)
        timeline = Timeline()
        conductor = MigrationRunner(
            self.job(scenario, mode, database), self.guard, timeline, self.observer, self.spares
        )
        target = LiveTarget(self.guard, self.observer, database, pristine, timeline, conductor)
        try:
            outcome = target.start_migration().outcome(CONTROL_DEADLINE_S)
            if not outcome.finished:
                met = f"{outcome.code} {outcome.message}"
                return Control(
                    False, f"it fails by itself: {met}; tell a failure by fail-statement instead"
                )
            with target.asking() as session:
                target.migrated_fingerprint = self.engine.catalog.fingerprint(session)
            wrong = [] if _is_bad(scenario) else unmet(target, scenario, self.engine, mode)
            if wrong:
                return Control(False, f"without a fault this is wrong already: {wrong[0]}")
            return Control(True, "without a fault it goes through", target.migrated_fingerprint)
        except DrillError as error:
            return Control(False, f"{type(error).__name__}: {error}")
        finally:
            conductor.end()
            target.close()
            self.drop(database)

    def close(self) -> None:
        """Remove the server and all it held; safe to call twice."""
        self.observer.close()
        self.spares.end()
        self.server.destroy()


def _is_bad(scenario: Scenario) -> bool:
    """True if the story is that the migration goes through and does harm."""
    return any(fault.kind.strikes_when_done for fault in scenario.faults)


def unmet(target: LiveTarget, scenario: Scenario, engine: Engine, mode: str) -> list[str]:
    """The verify claims that do not hold, of those that need neither fault nor application."""
    words = words_of(engine.name, engine.traits, mode)
    wrong = []
    for claim in scenario.verify:
        if claim.probe.needs_app or claim.scope.faults or not claim.scope.covers(words, ""):
            continue
        finding = claim.probe.check(target)
        if finding.answer is not Answer.HELD:
            wrong.append(f"{claim.name}: found {finding.found}, wanted {finding.wanted}")
    return wrong


def prepare(engine: Engine, session: Session, scenario: Scenario, rows: int | None) -> None:
    """Make ``given`` true: schema, generated rows (``rows`` raises each count), extras."""
    given = scenario.given

    def run(sql: Any) -> None:
        text = in_dialect(sql, engine.name, engine.dialect)
        if text is not None:
            session.run(text)

    for sql in given.schema:
        run(sql)
    for table, spec in given.rows.items():
        _fill(engine, session, table, max(rows or 0, spec.count), spec.values)
    for sql in given.after_rows:
        run(sql)
    if given.applied_version is not None:
        session.run(version_table.CREATE)
        version_table.set_version(session, engine.dialect, given.applied_version, False)


def _fill(
    engine: Engine, session: Session, table: str, count: int, values: Mapping[str, Any]
) -> None:
    columns = ", ".join(values)
    expressions = ", ".join(in_dialect(v, engine.name, engine.dialect) for v in values.values())
    session.run(
        f"INSERT INTO {table} ({columns}) SELECT {expressions} "
        f"FROM {engine.databases.series(count)}"
    )

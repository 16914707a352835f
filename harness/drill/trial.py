"""One trial as a visible tuple of phases; each adds to the timeline, none judges.

A phase may stop the trial (there is nothing left to prove); the last three always run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from harness import bundled
from harness.application.background import BackgroundApplication
from harness.drill import standing_claims
from harness.drill.ask import Questions
from harness.drill.drill_server import DrillServer
from harness.drill.procedure import check_ledger, follow
from harness.drill.striking import drive
from harness.drill.target import LiveTarget
from harness.errors import DeadlineExceeded, DrillError, EnvironmentProblem, Interrupted
from harness.model import Trial, word_of, words_of
from harness.ports import Pausable, Session
from harness.record.events import (
    BackupTaken,
    Cell,
    ControlRun,
    FaultFired,
    FaultMissed,
    Finished,
    ObjectivesSet,
    Phase,
    Problem,
    ServerLog,
    ServerUsed,
)
from harness.record.timeline import Event, Timeline, first
from harness.state.snapshot import Snapshot
from harness.waiting import until
from harness.wire import Proxy

QUIET_DEADLINE_S = 60.0
LOG_LIMIT = 60_000
LOG_MARK = 300


class TrialOver(Exception):
    """There is nothing left to prove in this trial."""


class TrialRun:
    """Runs one trial on a lane's server; ``run`` returns when everything of it is gone."""

    def __init__(
        self,
        trial: Trial,
        lane: DrillServer,
        folder: Path | None = None,
        listener: Callable[[Event[Any]], None] | None = None,
        by_hand: Callable[[TrialRun], None] | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.trial = trial
        self.lane = lane
        self.engine = lane.engine
        self.words = words_of(lane.engine.name, lane.engine.traits, trial.mode)
        self.timeline = Timeline(folder / "events.jsonl" if folder else None, listener)
        self.app: BackgroundApplication | None = None
        self.left_alone: Snapshot | None = None
        self._by_hand = by_hand
        self._stopping = stopping
        self._target: LiveTarget | None = None
        self._log_mark = ""

    @property
    def target(self) -> LiveTarget:
        """What the verbs act upon. EnvironmentProblem before there is one."""
        if self._target is None:
            raise EnvironmentProblem("the trial has no database yet")
        return self._target

    @property
    def questions(self) -> Questions:
        """What is asked about the target, on the record."""
        return Questions(self.target, self.words, self.trial.fault.id)

    # ------------------------------------------------------------------ the phases

    def run(self) -> Timeline:
        """Do every phase in order; afterwards nothing of this trial is left on the server."""
        statements = self.lane.texts(self.trial.scenario.migration.statements)
        self.timeline.add(described(self.trial, statements))
        try:
            for phase in (
                self.provision,
                self.guard,
                self.given,
                self.steady_state,
                self.snapshot,
                self.migrate_under_fault,
                self.damage,
                self.diagnose,
                self.recover,
                self.verify,
                self.untouched,
            ):
                with self.timeline.span(Phase(phase=phase.__name__)):
                    phase()
        except TrialOver:
            pass
        except Interrupted:
            self._aborted()
            raise
        except Exception as error:
            if not self._stopping():
                if not isinstance(error, DrillError):
                    raise
                self._problem("ERROR", type(error).__name__, str(error))
        finally:
            if self._stopping():
                self._aborted()
            for phase in (self.collect_logs, self.teardown):
                with self.timeline.span(Phase(phase=phase.__name__)):
                    phase()
            self.timeline.add(Finished())
            self.timeline.close()
        return self.timeline

    def provision(self) -> None:
        """A database of its own, cloned from the scenario's template, and the control run."""
        lane, trial = self.lane, self.trial
        self.timeline.redact(lane.address.password)
        pristine = lane.template(trial.scenario, trial.rows)
        control = lane.control(trial.scenario, trial.mode, trial.rows)
        self.timeline.add(ControlRun(control.ok, control.says))
        database = lane.copy_of(pristine)
        migration = lane.migration(trial.scenario, trial.mode, database)
        self._target = lane.target(migration, pristine, self.timeline)
        self._target.migrated = control.migrated
        self.left_alone = control.left_alone
        self._log_mark = lane.server.logs()[-LOG_MARK:]

    def guard(self) -> None:
        """Prove once more, for the record, that this is a server of ours."""
        facts = self.lane.facts
        self.timeline.add(
            ServerUsed(
                backend=facts.backend,
                engine=facts.engine,
                title=self.engine.title,
                image=facts.image,
                digest=facts.digest,
                version=facts.version,
                proof=self.lane.server.proof(),
            )
        )
        self.target.connect("verifier").close()

    def given(self) -> None:
        """The world of the story, with the application at work in it."""
        if self.trial.scenario.app:
            self.app = self.target.app = BackgroundApplication(
                self.trial.scenario.app,
                self._connect_application,
                engine=self.engine,
                timeline=self.timeline,
                seed=self.trial.seed,
            )
            self.app.start()
        hold = self.trial.fault.at.hold
        if hold and self._injected:
            hold.prepare(self.target)

    def steady_state(self) -> None:
        """What must hold before; a red baseline proves nothing about a recovery."""
        scenario = self.trial.scenario
        claims = [*standing_claims.before(scenario), *scenario.steady_state]
        if not self.questions.check("steady_state", claims):
            raise TrialOver

    def snapshot(self) -> None:
        """The dump taken before the migration, while the application's writers wait."""
        tables = self.trial.scenario.given.backup
        if tables:
            if self.app:
                self.app.hold_writers()
            dump = self.engine.backups.dump(self.lane.tools(), self.target.database, tables)
            self.target.shelf.backup = dump
            self.timeline.add(BackupTaken(tables, len(dump)))

    def migrate_under_fault(self) -> None:
        """Start the migration and strike at the moment; then wait until the victim is gone."""
        fault, target = self.trial.fault, self.target
        if fault.kind.strikes_when_done and not self._injected:
            self.timeline.add(FaultMissed(fault.id, "left out on purpose"))
            raise TrialOver
        run = target.start_migration(through=self._proxy())
        drive(target, run, fault, inject=self._injected)
        if self.app:
            self.app.release_writers()
        if first(self.timeline.events(), FaultFired) is None:
            raise TrialOver
        if fault.kind.session_ends() and fault.at.released == "after-strike":
            self._wait_until_quiet()

    def damage(self) -> None:
        """What must be seen broken before anybody repairs it."""
        claims = [
            claim
            for damage in self.trial.scenario.damage
            if damage.scope.covers(self.words, self.trial.fault.id)
            for claim in damage.claims
        ]
        if not self.questions.check("damage", claims):
            raise TrialOver

    def diagnose(self) -> None:
        """The diagnosis queries, side by side, with whose sessions each of them names."""
        for look in self.trial.scenario.diagnosis:
            self.questions.look(look)

    def recover(self) -> None:
        """The procedure under test, step by step; a step that fails ends it."""
        if self._by_hand:
            check_ledger(self.target, after="")
            self._by_hand(self)
        elif self.trial.procedure and self.trial.purpose != "nothing-done":
            follow(self.trial.procedure, self.target, self.words, self.trial.fault.id)

    def verify(self) -> None:
        """The end state; first whatever was still held in the database is let go."""
        if self.trial.fault.at.hold and self.trial.fault.at.released == "before-verify":
            self.trial.fault.at.hold.release(self.target)
            self._wait_until_quiet()
        self.questions.check("verify", self.trial.scenario.verify)
        if self.app and self.trial.scenario.app and self.trial.scenario.app.ledger:
            self.questions.ask("verify", standing_claims.LEDGER)

    def untouched(self) -> None:
        """No collateral: values nobody meant to change, and nothing left behind."""
        self.questions.check(
            "untouched", standing_claims.afterwards(self.trial.scenario, self.left_alone)
        )

    def collect_logs(self) -> None:
        with contextlib.suppress(DrillError):
            text = self.lane.server.logs()
            if self._log_mark:
                text = text.rpartition(self._log_mark)[2]
            self.timeline.add(ServerLog(text[-LOG_LIMIT:]))

    def teardown(self) -> None:
        """Let everything go and drop the database, whatever happened before."""
        target, hold = self._target, self.trial.fault.at.hold
        if target is None:
            return
        with contextlib.suppress(DrillError):
            if isinstance(self.lane.server, Pausable):
                self.lane.server.resume()
        if hold:
            with contextlib.suppress(DrillError):
                hold.release(target)
        try:
            with contextlib.ExitStack() as last_first:
                last_first.callback(self._drop, target.database)
                last_first.callback(target.end)
                if self.app:
                    last_first.callback(self.app.stop, self._end_session)
        except DrillError as error:
            self._problem("ERROR", type(error).__name__, f"teardown: {error}")

    def _drop(self, database: str) -> None:
        with contextlib.suppress(DrillError):
            self.lane.drop(database)

    # ------------------------------------------------------------------ their parts

    @property
    def _injected(self) -> bool:
        return self.trial.purpose != "no-injection"

    def _connect_application(self, role: str = "application") -> Session:
        return self.lane.guard.connect(self.target.database, role)

    def _end_session(self, pid: int) -> None:
        sessions, observer = self.engine.sessions, self.lane.observer()
        for info in sessions.listing(observer):
            if info.pid == pid:
                sessions.end(observer, pid, info.started)

    def _proxy(self) -> int | None:
        """The port of a proxy whose connections can be cut, if the fault wants one."""
        if not self.trial.fault.kind.through_proxy:
            return None
        address = self.lane.server.address()
        proxy = Proxy(self.engine.dialect, (address.host, address.port))
        self.target.shelf.proxy = proxy
        return proxy.port

    def _wait_until_quiet(self) -> None:
        """A dead client's statement may still run and commit: look only once it is gone."""
        target, hold = self.target, self.trial.fault.at.hold
        session = target.migration.session
        if session is None:
            return

        def gone() -> bool:
            found = self.engine.sessions.find(target.observer(), session.pid, session.started)
            return found is None or target.migration.alive()

        with contextlib.suppress(DeadlineExceeded):
            until("the migration's session to go", QUIET_DEADLINE_S, gone)
        if hold:
            hold.clear(target)

    def _aborted(self) -> None:
        """Whatever was found once the servers were being destroyed speaks against nobody."""
        self._problem("ABORTED", "interrupted", "the run was told to stop")

    def _problem(self, verdict: str, reason: str, message: str) -> None:
        self.timeline.add(Problem(verdict, reason, message))


def described(trial: Trial, statements: tuple[str, ...]) -> Cell:
    """The cell as the record has it; ``statements`` are those that its engine is sent."""
    scenario, procedure = trial.scenario, trial.procedure
    return Cell(
        id=trial.id,
        scenario=scenario.id,
        title=scenario.title,
        source=scenario.source,
        engine=trial.engine,
        mode=trial.mode,
        fault=trial.fault.id,
        fault_kind=word_of(trial.fault.kind),
        moment=str(trial.fault.at),
        procedure=procedure.id if procedure else "",
        procedure_title=procedure.title if procedure else "",
        purpose=trial.purpose,
        caught_by=procedure.caught_by if procedure and trial.purpose == "decoy" else (),
        seed=trial.seed,
        rows=trial.rows,
        objectives=ObjectivesSet(**vars(trial.objectives)),
        file=Path(scenario.file).name,
        own_file="" if bundled.is_ours(scenario.file) else scenario.file,
        sha256=scenario.sha256,
        statements=statements,
    )

"""One trial as a visible tuple of phases; each adds to the timeline, none judges.

A phase may stop the trial (there is nothing left to prove); the last three always run.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from harness import catalog
from harness.application.background import BackgroundApplication
from harness.conductor import Conductor, drive, until
from harness.errors import DatabaseError, DeadlineExceeded, DrillError, Interrupted, StepFailed
from harness.lane import Lane
from harness.model import Claim, Look, Procedure, Step, Trial, words_of
from harness.ports import Answer, Finding, Session
from harness.relay import Relay
from harness.target import LiveTarget
from harness.timeline import Timeline

QUIET_DEADLINE_S = 60.0
LOG_LIMIT = 60_000
LOG_MARK = 300
LOOK_ROWS = 20


class Stop(Exception):  # noqa: N818 - not an error: the trial has told all it can
    """There is nothing left to prove in this trial."""


class TrialRun:
    """Runs one trial on a lane's server; ``run`` returns when everything of it is gone."""

    def __init__(
        self,
        trial: Trial,
        lane: Lane,
        folder: Path | None = None,
        listener: Callable | None = None,
        by_hand: Callable[[TrialRun], None] | None = None,
        stopping: Callable[[], bool] = lambda: False,
    ) -> None:
        self.trial = trial
        self.lane = lane
        self.engine = lane.engine
        self.words = words_of(trial.engine, lane.engine.traits, trial.mode)
        self.timeline = Timeline(folder / "events.jsonl" if folder else None, listener)
        self.target: LiveTarget | None = None
        self._conductor: Conductor | None = None
        self._by_hand = by_hand
        self._stopping = stopping
        self._log_mark = ""

    # ------------------------------------------------------------------ the phases

    def run(self) -> Timeline:
        """Do every phase in order; afterwards nothing of this trial is left on the server."""
        self._describe()
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
                with self.timeline.span("trial", "phase", phase=phase.__name__):
                    phase()
        except Stop:
            pass
        except DrillError as error:
            if self._stopping() or isinstance(error, Interrupted):
                self._problem("ABORTED", "interrupted", "the run was told to stop")
            else:
                self._problem("ERROR", type(error).__name__, str(error))
            if isinstance(error, Interrupted):
                raise
        finally:
            for phase in (self.collect_logs, self.teardown):
                with self.timeline.span("trial", "phase", phase=phase.__name__):
                    phase()
            self.timeline.add("trial", "finished")
            self.timeline.close()
        return self.timeline

    def provision(self) -> None:
        """A database of its own, cloned from the scenario's template, and the control run."""
        lane, trial = self.lane, self.trial
        address = lane.server.address()
        self.timeline.redact(address.password)
        pristine = lane.template(trial.scenario, trial.rows)
        control = lane.control(trial.scenario, trial.mode, trial.rows)
        self.timeline.add("trial", "control", ok=control.ok, says=control.says)
        database = lane.clone(pristine)
        self._conductor = Conductor(
            lane.job(trial.scenario, trial.mode, database), lane.guard, self.timeline, lane.observer
        )
        self.target = LiveTarget(
            lane.guard, lane.observer, database, pristine, self.timeline, self._conductor
        )
        self.target.migrated_fingerprint = control.fingerprint
        self._log_mark = lane.server.logs()[-LOG_MARK:]

    def guard(self) -> None:
        """Prove once more, for the record, that this is a server of ours."""
        facts = self.lane.facts
        self.timeline.add(
            "server",
            "facts",
            backend=facts.backend,
            engine=facts.engine,
            title=self.engine.title,
            image=facts.image,
            digest=facts.digest,
            version=facts.version,
            proof=self.lane.server.proof(),
        )
        self.target.connect("verifier").close()

    def given(self) -> None:
        """The world of the story, with the application at work in it."""
        if self.trial.scenario.app:
            self.target.app = BackgroundApplication(
                self.trial.scenario.app,
                self._connect_application,
                engine=self.engine,
                timeline=self.timeline,
                seed=self.trial.seed,
            )
            self.target.app.start()
        gate = self.trial.fault.at.gate
        if gate and self._injected:
            gate.prepare(self.target)

    def steady_state(self) -> None:
        """What must hold before; a red baseline proves nothing about a recovery."""
        if self.target.app:
            traffic = self.target.app.works(2, QUIET_DEADLINE_S)
            healthy = traffic.errors == 0 and traffic.reached
            self._record_claim(
                "steady_state",
                "the application works",
                Finding(
                    Answer.HELD if healthy else Answer.NOT_HELD,
                    f"{traffic.ok} ok, {traffic.errors} errors {traffic.first_error}".strip(),
                    "every worker reads and writes without an error",
                    population=traffic.ok,
                ),
            )
        if not self._check("steady_state", self.trial.scenario.steady_state):
            raise Stop

    def snapshot(self) -> None:
        """The dump taken before the migration, while the application's writers wait."""
        tables = self.trial.scenario.given.backup
        if tables:
            if self.target.app:
                self.target.app.hold_writers()
            dump = self.engine.backups.dump(self.lane.server, self.target.database, tables)
            self.target.shelf["backup"] = dump
            self.timeline.add("recovery", "backup", tables=tables, bytes=len(dump))

    def migrate_under_fault(self) -> None:
        """Start the migration and strike at the moment; then wait until the victim is gone."""
        fault, target = self.trial.fault, self.target
        if fault.kind.strikes_when_done and not self._injected:
            self.timeline.add("fault", "missed", fault=fault.id, reason="left out on purpose")
            raise Stop
        run = target.start_migration(through=self._relay())
        drive(target, run, fault, inject=self._injected)
        if target.app:
            target.app.release_writers()
        if not any(event.kind == "fired" for event in self.timeline.events()):
            raise Stop
        if fault.kind.session_ends() and fault.at.opens == "after-strike":
            self._wait_until_quiet()

    def damage(self) -> None:
        """What must be seen broken before anybody repairs it."""
        claims = [
            claim
            for damage in self.trial.scenario.damage
            if damage.scope.covers(self.words, self.trial.fault.id)
            for claim in damage.claims
        ]
        if not self._check("damage", claims):
            raise Stop

    def diagnose(self) -> None:
        """The diagnosis queries, side by side, with whose sessions each of them names."""
        for look in self.trial.scenario.diagnosis:
            if look.scope.covers(self.words, self.trial.fault.id):
                self._look(look)

    def recover(self) -> None:
        """The procedure under test, step by step; a step that fails ends it."""
        if self._by_hand:
            self._by_hand(self)
        elif self.trial.procedure and self.trial.purpose != "nothing-done":
            follow(self.trial.procedure, self, self.timeline)

    def verify(self) -> None:
        """The end state; first whatever was still held in the database is let go."""
        if self.trial.fault.at.gate and self.trial.fault.at.opens == "before-verify":
            self.trial.fault.at.gate.open(self.target)
            self._wait_until_quiet()
        self._check("verify", self.trial.scenario.verify)
        if self.target.app and self.trial.scenario.app.ledger:
            self._ask("verify", Claim("ledger", _Ledger()))

    def untouched(self) -> None:
        """No collateral: values nobody meant to change, and nothing left behind."""
        like_before = catalog.kind("claims", "like-before")
        waiting = catalog.kind("claims", "waiting")
        for item in self.trial.scenario.untouched:
            self._ask("untouched", Claim(f"{item} is as before", like_before(item)))
        self._ask(
            "untouched",
            Claim("nobody waits for a lock", waiting("anybody", exists=False)),
        )
        self._ask("untouched", Claim("no index is invalid", _NoInvalidIndex()))

    def collect_logs(self) -> None:
        with contextlib.suppress(DrillError):
            text = self.lane.server.logs()
            if self._log_mark:
                text = text.rpartition(self._log_mark)[2]
            self.timeline.add("trial", "log", text=text[-LOG_LIMIT:])

    def teardown(self) -> None:
        """Let everything go and drop the database, whatever happened before."""
        target, gate = self.target, self.trial.fault.at.gate
        if target is None:
            return
        with contextlib.suppress(DrillError):
            if self.trial.fault.id and hasattr(self.lane.server, "resume"):
                self.lane.server.resume()
        if gate:
            with contextlib.suppress(DrillError):
                gate.open(target)
        if target.app:
            target.app.stop(self._end_session)
        if "relay" in target.shelf:
            target.shelf["relay"].close()
        self._conductor.end()
        target.close()
        with contextlib.suppress(DrillError):
            self.lane.drop(target.database)

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

    def _relay(self) -> tuple[str, int] | None:
        if not self.trial.fault.kind.through_relay:
            return None
        address = self.lane.server.address()
        relay = Relay(address.host, address.port)
        self.target.shelf["relay"] = relay
        return ("127.0.0.1", relay.port)

    def _wait_until_quiet(self) -> None:
        """A dead client's statement may still run and commit: look only once it is gone."""
        target, gate = self.target, self.trial.fault.at.gate
        session = target.migration.session
        if session is None:
            return

        def gone() -> bool:
            found = self.engine.sessions.find(target.observer(), session.pid, session.started)
            return found is None or target.migration.alive()

        with contextlib.suppress(DeadlineExceeded):
            until("the migration's session to go", QUIET_DEADLINE_S, gone)
        if gate:
            gate.clear(target)

    def _check(self, section: str, claims: Iterable[Claim]) -> bool:
        """Ask every claim that is for this cell; True if all of them hold."""
        answers = [
            self._ask(section, claim)
            for claim in claims
            if claim.scope.covers(self.words, self.trial.fault.id)
        ]
        return all(answer is Answer.HELD for answer in answers)

    def look_at(self, claim: Claim) -> Finding:
        """A claim's finding; a server's error is an answer, a lost connection is none."""
        try:
            return claim.probe.check(self.target)
        except DatabaseError as error:
            answer = Answer.UNANSWERABLE if error.lost else Answer.NOT_HELD
            return Finding(answer, f"the server says {error}", claim.name)

    def _ask(self, section: str, claim: Claim) -> Answer:
        begun = self.timeline.now_ns()
        finding = self.look_at(claim)
        return self._record_claim(section, claim.name, finding, begun, claim.line)

    def _record_claim(
        self, section: str, name: str, finding: Finding, begun: int | None = None, line: int = 0
    ) -> Answer:
        now = self.timeline.now_ns()
        self.timeline.add(
            "claims",
            "claim",
            section=section,
            name=name,
            answer=str(finding.answer),
            found=finding.found,
            wanted=finding.wanted,
            population=finding.population,
            lost=finding.lost,
            line=line,
            took_ns=now - (begun if begun is not None else now),
        )
        return finding.answer

    def _look(self, look: Look) -> None:
        engine, target = self.engine, self.target
        text = engine.sessions.look_sql[look.builtin] if look.builtin else self.lane.text(look.sql)
        with target.session("operator") as session:
            engine.connector.limit(session, lock_ms=1000, statement_ms=5000)
            try:
                rows = session.run(text)
                error = ""
            except DatabaseError as refused:
                rows, error = None, str(refused)
        pids = _numbers(rows.rows) if rows else set()
        named = sorted({target.whose(pid) for pid in pids} - {"other"})
        right = set(look.finds) <= set(named) and not set(look.misses) & set(named)
        self.timeline.add(
            "recovery",
            "look",
            name=look.name,
            sql=text,
            columns=rows.columns if rows else (),
            rows=[[str(v) for v in row] for row in rows.rows[:LOOK_ROWS]] if rows else [],
            error=error,
            finds=look.finds,
            misses=look.misses,
            named=named,
            teaches=look.teaches,
            ok=right,
        )

    def perform(self, step: Step, n: int) -> None:
        """One step of a procedure, on the record."""
        verb = _word(step.action)
        about: dict[str, Any] = {"n": n, "name": step.name, "verb": verb, "line": step.line}
        with self.timeline.span("recovery", "step", **about) as found:
            reason = self._skip(step)
            if reason:
                found["skipped"] = reason
                return
            try:
                found["did"] = step.action.perform(self.target, step.deadline_s)
            except DatabaseError as error:
                raise StepFailed(str(error)) from error

    def _skip(self, step: Step) -> str:
        for claim, unless in ((step.only_if, False), (step.unless, True)):
            if claim is not None:
                finding = claim.probe.check(self.target)
                if (finding.answer is Answer.HELD) is unless:
                    return f"not needed: found {finding.found}"
        return ""

    def _problem(self, verdict: str, reason: str, message: str) -> None:
        self.timeline.add("trial", "problem", verdict=verdict, reason=reason, message=message)

    def _describe(self) -> None:
        trial, scenario = self.trial, self.trial.scenario
        procedure = trial.procedure
        self.timeline.add(
            "trial",
            "cell",
            id=trial.id,
            scenario=scenario.id,
            title=scenario.title,
            source=scenario.source,
            engine=trial.engine,
            mode=trial.mode,
            fault=trial.fault.id,
            fault_kind=_word(trial.fault.kind),
            moment=str(trial.fault.at),
            procedure=procedure.id if procedure else "",
            procedure_title=procedure.title if procedure else "",
            purpose=trial.purpose,
            caught_by=procedure.caught_by if procedure and trial.purpose == "decoy" else (),
            seed=trial.seed,
            rows=trial.rows,
            objectives={
                "rto_s": trial.objectives.rto_s,
                "lost_writes": trial.objectives.lost_writes,
                "lost_values": trial.objectives.lost_values,
            },
            file=scenario.file,
            sha256=scenario.sha256,
            statements=[self.lane.text(sql) for sql in scenario.migration.statements],
        )


def follow(procedure: Procedure, run: TrialRun, timeline: Timeline) -> None:
    """Perform the steps of a procedure that are for this cell, until one of them fails."""
    with contextlib.suppress(StepFailed):
        for n, step in enumerate(procedure.steps, 1):
            if step.scope.covers(run.words, run.trial.fault.id):
                run.perform(step, n)


def _word(kind: Any) -> str:
    """The word of the YAML behind a kind's value."""
    return type(kind).__module__.rpartition(".")[2].replace("_", "-")


def _numbers(rows: Iterable[Iterable[Any]]) -> set[int]:
    """Every whole number in a query's output, whichever column a person would read it from."""
    found = set()
    for row in rows:
        for value in row:
            text = str(value)
            if text.isdigit():
                found.add(int(text))
    return found


class _Ledger:
    """The ledger as a claim: every acknowledged write is there, unchanged; no deleted row is back."""

    needs_app = True

    def check(self, target: LiveTarget) -> Finding:
        with target.asking() as session:
            return target.app.settle_ledger(session)


class _NoInvalidIndex:
    """No index exists that costs writes and serves no query."""

    needs_app = False

    def check(self, target: LiveTarget) -> Finding:
        with target.asking() as session:
            catalog = target.engine.catalog
            every = [
                (table, index)
                for table in catalog.tables(session)
                for index in catalog.indexes(session, table).values()
            ]
        invalid = [f"{table}.{index.name}" for table, index in every if not index.valid]
        return Finding(
            Answer.NOT_HELD if invalid else Answer.HELD,
            ", ".join(invalid) or f"all {len(every)} are valid",
            "every index valid",
            population=len(every),
        )

"""Tries recoveries on copies of one crash state, and judges each by what it leaves.

In the order in which a person would: the tool again; its documented repairs, each followed by the
tool again; down, then up; and statements that complete what is missing, made from the migration.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness import sqltext
from harness.errors import DatabaseError, DeadlineExceeded, EnvironmentProblem
from harness.layouts import Migration
from harness.ports import Belief
from harness.state.snapshot import Snapshot
from harness.sweep import verdicts
from harness.sweep.reference import Reference
from harness.sweep.sweep_server import SweepServer, TrialDatabase
from harness.sweep.verdicts import Attempt, LeftState
from harness.tools.adapter import Adapter, Repair, filled, for_dialect
from harness.tools.belief import believes
from harness.tools.client import Client, ClientEnded, RunRequest

KEPT = "crash"
PROBES = 8
"""Queries that a person is given to tell a state; more would not be read in an emergency."""


@dataclass(frozen=True)
class Crash:
    """One state that a crash left, standing in the trial."""

    migration: Migration
    previous: str
    reference: Reference
    left: LeftState
    snapshot: Snapshot


@dataclass(frozen=True)
class Recovery:
    """One thing to try on a copy of the state."""

    name: str
    kind: str
    """As :class:`Attempt` has it."""
    commands: tuple[str, ...]
    """What a person would do, step by step."""
    act: Callable[[TrialDatabase], str]
    """Does it; returns what went wrong, "" if nothing did."""


class RecoveryTrials:
    """Tries every recovery on one crash state."""

    def __init__(
        self, server: SweepServer, tool: Adapter, client: Client, tables: Collection[str]
    ) -> None:
        self._server = server
        self._tool = tool
        self._client = client
        self._tables = tuple(tables)
        self._kept: dict[str, TrialDatabase] = {}

    def believes(self, database: str) -> Belief:
        """What the tool's own table says in that database."""
        server = self._server
        return believes(self._tool, server.engine, server.session(database), database)

    def _of(self, value: Any, otherwise: Any = ()) -> Any:
        engine = self._server.engine
        return for_dialect(value, engine.name, engine.dialect, otherwise)

    def settled(self, migration: Migration, database: str) -> bool:
        """True if the tool takes the migration for applied and is neither dirty nor locked."""
        belief = self.believes(database)
        if belief.stuck:
            return False
        return not self._of(self._tool.applied, "") or migration.version in belief.applied

    def probe(self, reference: Reference, database: str) -> list[dict[str, Any]]:
        """The queries that tell the migration's states apart, and what each finds in this one."""
        found = []
        for key in reference.landmarks():
            sql = self._server.engine.probing.probe_sql(key)
            if sql:
                count = self._server.session(database).run(sql).scalar()
                found.append({"object": key, "sql": sql, "found": int(count)})
        return found[:PROBES]

    def heal(self, crash: Crash, trial: TrialDatabase) -> list[Attempt]:
        """Every recovery, each on its own copy of the state; all of them, also after one heals."""
        kept = self._kept.setdefault(trial.database, TrialDatabase(f"{KEPT}_of_{trial.database}"))
        self._server.prepare(kept, trial.database, crash.snapshot)
        trial.holds = crash.snapshot
        tried = []
        for recovery in self._recoveries(crash):
            self._server.prepare(trial, kept.database, crash.snapshot)
            trial.holds = None
            tried.append(self._attempt(crash, trial, recovery))
        return tried

    def _attempt(self, crash: Crash, trial: TrialDatabase, recovery: Recovery) -> Attempt:
        blocked, said = False, ""
        try:
            said = recovery.act(trial)
        except DeadlineExceeded as error:
            blocked, said = True, str(error)
        except (DatabaseError, EnvironmentProblem) as error:
            said = str(error)
        snapshot = self._server.snapshot(trial.database, crash.reference.volatile)
        trial.holds = snapshot
        healed, differs = verdicts.judge(snapshot, crash.reference, self._tables)
        settled = self.settled(crash.migration, trial.database)
        if healed and not settled:
            healed, differs = False, "the tool does not take it for applied"
        lost = verdicts.lost(snapshot, crash.reference, self._tables)
        why = "" if healed else "; ".join(part for part in (_short(said), differs) if part)
        return Attempt(recovery.name, recovery.kind, healed, why, recovery.commands, blocked, lost)

    # ------------------------------------------------------------------ recoveries

    def _recoveries(self, crash: Crash) -> Iterator[Recovery]:
        again = f"run {self._tool.title} again"
        yield Recovery(again, "re-run", (again,), partial(self._rerun, crash))
        for repair in self._tool.repairs:
            name = filled(repair.name, self._values(crash))
            act = partial(self._repair, crash, repair)
            yield Recovery(f"{name}, then run again", "repair", (name, again), act)
        if self._can_go_back(crash.migration):
            steps = ("make the tool take it for applied", "down", again)
            yield Recovery("down, then up", "down-up", steps, partial(self._down_up, crash))
        completion = self.completion(crash)
        if completion:
            act = partial(self._complete, crash, completion)
            yield Recovery("complete by hand", "completion", tuple(completion), act)
        if crash.left.name == "after" and (self._tool.mark_applied or self._tool.mark_command):
            yield from self._marks(crash)

    def _marks(self, crash: Crash) -> Iterator[Recovery]:
        """All the work is there, and only the tool does not know it."""
        mark = "make the tool take it for applied"
        yield Recovery(mark, "mark", (mark,), partial(self._mark, crash))
        for repair in self._tool.repairs:
            name = filled(repair.name, self._values(crash))
            act = partial(self._repair_and_mark, crash, repair)
            yield Recovery(f"{name}, then {mark}", "mark", (name, mark), act)

    def _values(self, crash: Crash) -> dict[str, Any]:
        migration = crash.migration
        return {
            "version": migration.version,
            "previous": crash.previous,
            "name": migration.name,
        }

    def _rerun(self, crash: Crash, trial: TrialDatabase, *, down: bool = False) -> str:
        run = self._client.start(
            RunRequest(crash.migration, down), self._server.address, trial.database
        )
        return _told(run.outcome(self._tool.rerun_timeout_s))

    def _repair(self, crash: Crash, repair: Repair, trial: TrialDatabase) -> str:
        return self._only_repair(crash, repair, trial) or self._rerun(crash, trial)

    def _repair_and_mark(self, crash: Crash, repair: Repair, trial: TrialDatabase) -> str:
        return self._only_repair(crash, repair, trial) or self._mark(crash, trial)

    def _only_repair(self, crash: Crash, repair: Repair, trial: TrialDatabase) -> str:
        self._run_sql(self._of(repair.sql), crash, trial)
        return self._command(self._of(repair.run), crash, trial)

    def _command(self, words: Sequence[str], crash: Crash, trial: TrialDatabase) -> str:
        """Run another command of the tool; none, if there are no words."""
        if not words:
            return ""
        run = self._client.command(words, crash.migration, self._server.address, trial.database)
        return _told(run.outcome(self._tool.rerun_timeout_s))

    def _can_go_back(self, migration: Migration) -> bool:
        return migration.down is not None if self._tool.how == "emulated" else bool(self._tool.down)

    def _down_up(self, crash: Crash, trial: TrialDatabase) -> str:
        """The way back as a person would force it: first the tool has to believe in the version."""
        self._mark(crash, trial)
        back = self._rerun(crash, trial, down=True)
        return back or self._rerun(crash, trial)

    def completion(self, crash: Crash) -> list[str]:
        """The statements that are missing, after what stands half done is taken away."""
        if crash.migration.up is None:
            return []
        engine = self._server.engine
        cut = crash.migration.up.cut(engine.dialect)
        rest = [
            statement.text
            for statement in cut[crash.left.done :]
            if not sqltext.is_transaction_control(statement)
        ]
        debris = engine.snapshot.remove_sql(crash.left.differs)
        return [*debris, *rest]

    def _complete(self, crash: Crash, statements: Sequence[str], trial: TrialDatabase) -> str:
        session = self._server.session(trial.database)
        for sql in statements:
            session.run(sql)
        return self._mark(crash, trial)

    def _mark(self, crash: Crash, trial: TrialDatabase) -> str:
        """Make the tool take the migration for applied, as its adapter says."""
        if self.settled(crash.migration, trial.database) and self._tool.applied:
            return ""
        self._run_sql(self._of(self._tool.mark_applied), crash, trial)
        return self._command(self._of(self._tool.mark_command), crash, trial)

    def _run_sql(self, statements: Sequence[str], crash: Crash, trial: TrialDatabase) -> None:
        session = self._server.session(trial.database)
        for sql in statements:
            session.run(filled(sql, self._values(crash)))


def _told(ended: ClientEnded) -> str:
    """What went wrong; "" if nothing did."""
    if ended.status == 0:
        return ""
    return _short(ended.said) or f"the tool ended with status {ended.status}"


def _short(text: str, limit: int = 300) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = " | ".join(lines[-4:])
    return told if len(told) <= limit else f"…{told[-limit:]}"

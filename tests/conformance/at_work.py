"""A migration at work in a copy of the conformance world, with all that a verb may ask for."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import pytest
from conftest import TEMPLATE, Bench

from harness import loading
from harness.backends.local import LocalBackend
from harness.drill.migration_runs import Checkpoint, MigrationJob, MigrationRunner, SteeredRun
from harness.drill.striking import drive
from harness.drill.target import LiveTarget
from harness.model import Fault, Moment
from harness.record.timeline import Edge, P, Timeline, told
from harness.tools import scenario_tools
from harness.tools.emulation import Job, Unit
from harness.waiting import until

DEADLINE_S = 60.0
STATEMENTS = (
    "ALTER TABLE users ADD COLUMN phone varchar(20)",
    "UPDATE users SET phone = 'none' WHERE id <= 50",
    "CREATE INDEX users_phone ON users (phone)",
)
ROW = 7
"""A row that statement 2 reaches."""


def _once(bench: Bench) -> None:
    """What does not depend on where a server comes from is tried once for each engine."""
    elsewhere = LocalBackend("tests").cannot_run(bench.engine.recipe)
    if bench.server.facts.backend != "local" and elsewhere is None:
        pytest.skip(f"{bench.engine.title} is tried on the local backend already")


class AtWork:
    """The target that a trial would hand to its verbs, made for one test."""

    def __init__(
        self,
        bench: Bench,
        statements: Sequence[str] = STATEMENTS,
        *,
        on_every_backend: bool = False,
        tool: str = "plain",
        mode: str = "autocommit",
        version: int = 1,
        nonce: str = "",
    ) -> None:
        if not on_every_backend:
            _once(bench)
        self.bench = bench
        self.engine = bench.engine
        self.statements = list(statements)
        self.timeline = Timeline()
        self.observer = bench.host.observer
        self.database = bench.new_name()
        bench.engine.databases.clone(self.observer(), TEMPLATE, self.database)
        versioned = loading.our_tools()[scenario_tools.VERSIONED_BY]
        engine = bench.engine
        unit = Unit(str(version), "-1", "", ";\n".join(statements), tuple(statements))
        job = Job(
            engine=engine.name,
            emulation=scenario_tools.emulation(tool, mode, versioned, engine.name, engine.dialect),
            units=(unit,),
            applied=str(versioned.applied) if tool == "versioned" else "",
            applied_up_to=True,
            address=bench.server.address(),
            database=self.database,
            nonce=bench.guard.nonce,
            identity=bench.guard.identity,
            steered=True,
        )
        guard = bench.guard
        if nonce:
            guard = copy(guard)
            guard.nonce = nonce
        self.runner = MigrationRunner(
            MigrationJob(job, tool, mode), guard, self.timeline, self.observer
        )
        self.target = LiveTarget(
            bench.host, self.database, TEMPLATE, self.timeline, self.runner, versioned
        )

    def start(self, **changes: Any) -> SteeredRun:
        return self.target.start_migration(**changes)

    def drive(self, kind: Any, moment: Moment, **changes: Any) -> None:
        """Let the fault strike at its moment, as a trial does."""
        if moment.hold:
            moment.hold.prepare(self.target)
        drive(self.target, self.start(**changes), Fault("fault", kind, moment))

    def go_to(self, where: str, n: int) -> Checkpoint:
        """Let the migrator run up to there; it waits at the checkpoint that is returned."""
        run = self.target.migration
        while (point := run.next_checkpoint()) is not None:
            if point.where == where and n in (point.first, point.last):
                return point
            run.go(point)
        raise AssertionError(f"the migration was over before it was {where} statement {n}")

    def is_parked(self) -> bool:
        info = self.target.migration.session
        seen = self.engine.sessions.find(self.observer(), info.pid, info.started)
        return seen is not None and self.engine.sessions.waits_for_lock(seen)

    def wait_until_parked(self) -> None:
        until("the migration to be parked", DEADLINE_S, self.is_parked)

    def wait_until_gone(self) -> None:
        info, find = self.target.migration.session, self.engine.sessions.find
        until(
            "the migration's session to be gone",
            DEADLINE_S,
            lambda: find(self.observer(), info.pid, info.started) is None,
        )

    def ask(self, sql: str) -> Any:
        with self.target.session("verifier") as session:
            return session.run(sql).scalar()

    def columns(self) -> set[str]:
        with self.target.session("verifier") as session:
            return set(self.engine.catalog.columns(session, "users"))

    def indexes(self) -> set[str]:
        with self.target.session("verifier") as session:
            return set(self.engine.catalog.indexes(session, "users"))

    def applied(self) -> list[bool]:
        """Which of the three statements the database shows, read from outside."""
        has_column = "phone" in self.columns()
        filled = has_column and self.ask("SELECT count(*) FROM users WHERE phone = 'none'") == 50
        return [has_column, filled, "users_phone" in self.indexes()]

    def told(self, kind: type[P], edge: Edge = "") -> list[P]:
        """What the events of a kind tell, in order; of spans at that edge."""
        return [e.what for e in told(self.timeline.events(), kind) if e.edge == edge]

    def close(self) -> None:
        """End every process and session that belongs to it; the database goes with the bench."""
        if self.target.shelf.hold:
            self.target.shelf.hold.release(self.target)
        self.target.end()

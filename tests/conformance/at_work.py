"""A migration at work in a copy of the conformance world, with all that a verb may ask for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from conftest import TEMPLATE, Bench

from harness.backends.local import LocalBackend
from harness.drill.migration_runs import Checkpoint, MigrationRunner, Spares, WorkerRun
from harness.drill.striking import drive
from harness.drill.target import LiveTarget, Observer
from harness.model import Fault, Moment
from harness.record.timeline import Event, Timeline
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
        **job: Any,
    ) -> None:
        if not on_every_backend:
            _once(bench)
        self.bench = bench
        self.engine = bench.engine
        self.statements = list(statements)
        self.timeline = Timeline()
        self.observer = Observer(bench.guard)
        self.database = bench.new_name()
        bench.engine.databases.clone(self.observer(), TEMPLATE, self.database)
        whole = {
            "engine": bench.engine.name,
            "dialect": bench.engine.dialect,
            "tool": tool,
            "mode": mode,
            "version": 1,
            "statements": self.statements,
            "applied_version": None,
            "applied_statements": [],
            "database": self.database,
            **job,
        }
        self.spares = Spares()
        self.conductor = MigrationRunner(
            whole, bench.guard, self.timeline, self.observer, self.spares
        )
        self.target = LiveTarget(
            bench.guard, self.observer, self.database, TEMPLATE, self.timeline, self.conductor
        )

    def start(self, **changes: Any) -> WorkerRun:
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

    def events(self, kind: str) -> list[Event]:
        return [event for event in self.timeline.events() if event.kind == kind]

    def close(self) -> None:
        """End every process and session that belongs to it; the database goes with the bench."""
        if "relay" in self.target.shelf:
            self.target.shelf["relay"].close()
        hold = self.target.shelf.get("hold")
        if hold:
            hold.open(self.target)
        self.conductor.end()
        self.spares.end()
        self.target.close()
        self.observer.close()

"""What an unbroken run of a migration does: its messages, and each state it passes through.

The states are those that another session sees, so an open transaction's work is in none of them.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from harness.errors import DrillError
from harness.layouts import Script
from harness.state.difference import difference
from harness.state.snapshot import Snapshot
from harness.sweep import unsteady
from harness.sweep.emptiness import empty_parts
from harness.sweep.held_run import first_line
from harness.sweep.points import Row, kind_of
from harness.sweep.steps import steps
from harness.sweep.sweep_server import SweepServer, TrialDatabase
from harness.sweep.unsteady import Used
from harness.tools.client import Client, ClientEnded, RunRequest
from harness.wire import Breakpoint, Message, Proxy

RUN_DEADLINE_S = 300.0
SHUTS_OUT = re.compile(r"^\W*LOCK\s+TABLES?\b", re.IGNORECASE)
LETS_IN = re.compile(r"^\W*(UNLOCK\s+TABLES?|START\s+TRANSACTION|BEGIN)\b", re.IGNORECASE)


class ReferenceFailed(DrillError):
    """The migration fails with nothing in its way, so no crash of it can be judged."""


@dataclass(frozen=True)
class State:
    """One state of the database on the migration's way."""

    done: int
    """How many statements of the migration had been sent and answered by then."""
    snapshot: Snapshot
    empty: tuple[str, ...] = ()
    """New columns and tables in which there is nothing yet."""


@dataclass(frozen=True)
class Reference:
    """An unbroken run."""

    rows: tuple[Row, ...]
    states: tuple[State, ...]
    """Distinct states in order; the first is ``before``, the last ``after``."""
    statements: int
    applied: tuple[str, ...]
    """What the tool takes for applied afterwards."""
    volatile: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What differs from run to run and is never compared: by table columns (now(), random()) and
    the numbers that the server gave, by object parts of its definition."""
    texts: tuple[str, ...] = ()
    """The whole SQL of each of its rows."""

    @property
    def before(self) -> Snapshot:
        return self.states[0].snapshot

    @property
    def after(self) -> Snapshot:
        return self.states[-1].snapshot

    def landmarks(self) -> list[str]:
        """Objects that come or go on the way, in that order."""
        found: dict[str, None] = {}
        for one, other in pairwise(self.states):
            gap = difference(one.snapshot, other.snapshot)
            found.update(dict.fromkeys((*gap.new, *gap.gone)))
        return list(found)


class ReferenceRunner:
    """Runs migrations undisturbed and writes down what they do."""

    def __init__(self, server: SweepServer, client: Client, tables: Collection[str]) -> None:
        self._server = server
        self._client = client
        self._tables = tuple(tables)

    def plainly(self, request: RunRequest, database: str) -> None:
        """Run it with nothing between it and the server. ReferenceFailed if it fails."""
        self._server.leave(database)
        run = self._client.start(request, self._server.address, database)
        _check(run.outcome(RUN_DEADLINE_S))

    def watch(
        self,
        request: RunRequest,
        trial: TrialDatabase,
        before: Snapshot,
        volatile: Mapping[str, tuple[str, ...]],
    ) -> Reference:
        """Run it message by message on a prepared trial, and take each state it shows. The trial
        ``holds`` the last of them, with the tool's own tables.
        """
        proxy = self._proxy()
        states = [State(0, before.without(self._tables))]
        try:
            proxy.stop_at(Breakpoint(1, "before"))
            address = self._server.through(proxy.port)
            run = self._client.start(request, address, trial.database)
            trial.holds = None
            n = 1
            while (message := proxy.wait_stopped(RUN_DEADLINE_S, run.ended)) is not None:
                self._look(states, proxy.messages[: n - 1], trial, volatile)
                n = message.n + 1
                proxy.release(Breakpoint(n, "before"))
            ended = run.outcome(RUN_DEADLINE_S)
            messages, connected = list(proxy.messages), bool(proxy.sessions())
        finally:
            proxy.close()
        _check(ended)
        if not connected:
            raise ReferenceFailed(
                "the tool ended well without a connection to the server it was given, so nothing "
                "can be struck; its adapter must hand it {url}, or {host} and {port}"
            )
        trial.holds = self._server.snapshot(trial.database, volatile)
        self._add(states, trial.holds.without(self._tables), 0, trial)
        rows = self.rows(messages, request.script, trial.database)
        total = sum(row.statements for row in rows)
        states[-1] = replace(states[-1], done=total)
        texts = tuple(message.text for message in messages)
        return Reference(tuple(rows), tuple(states), total, (), dict(volatile), texts)

    def _proxy(self) -> Proxy:
        engine, address = self._server.engine, self._server.address
        return Proxy(
            engine.dialect,
            (address.host, address.port),
            paced="implicit-commit-ddl" in engine.traits,
            split=self._server.split,
        )

    def _look(
        self,
        states: list[State],
        sent: Sequence[Message],
        trial: TrialDatabase,
        volatile: Mapping[str, tuple[str, ...]],
    ) -> None:
        """Take the state if the last message may have changed what others see, and they see it.

        What the tool writes to its own tables does not, and those are not read: Sqitch holds them
        by LOCK TABLES on MySQL.
        """
        kinds = [kind_of(message, self._tables) for message in sent]
        own = [message for message, kind in zip(sent, kinds, strict=True) if kind == "statement"]
        if not sent or sent[-1].in_transaction or _tables_are_locked(own):
            return
        if kinds[-1] == "bookkeeping":
            return
        snapshot = self._server.snapshot(trial.database, volatile, self._tables)
        self._add(states, snapshot.without(self._tables), self._count(sent), trial)

    def _add(self, states: list[State], seen: Snapshot, done: int, trial: TrialDatabase) -> None:
        """One more state, if it differs from the last."""
        if difference(states[-1].snapshot, seen):
            session = self._server.session(trial.database)
            empty = empty_parts(self._server.engine, session, states[0].snapshot, seen)
            states.append(State(done, seen, empty))

    def _count(self, messages: Sequence[Message]) -> int:
        kinds = [(m, kind_of(m, self._tables)) for m in messages]
        return sum(self._steps(m.text) for m, kind in kinds if kind == "statement")

    def _steps(self, text: str) -> int:
        """How many steps a message of the migration is; one, if it cannot be cut."""
        return len(steps(self._server.cut(text), self._server.engine.dialect)) or 1

    def rows(self, messages: Sequence[Message], script: Script | None, database: str) -> list[Row]:
        """The rows of the matrix: what each message is, and where it stands in the file."""
        places = self._places(script)
        rows: list[Row] = []
        done = 0
        for message in messages:
            kind = kind_of(message, self._tables)
            count = self._steps(message.text) if kind == "statement" else 0
            place = places.pop(0) if count and places else ""
            del places[: max(0, count - 1)]
            verb = self._server.verb(message.text)
            label = first_line(message.text)
            is_open = bool(message.in_transaction)
            row = Row(message.n, label, kind, count, done, place, verb, is_open)
            within = bool(rows) and rows[-1].open_after and is_open
            if kind == "statement" and not within:
                row = replace(row, waits=self._waits(message, messages, database))
            rows.append(row)
            done += count
        return rows

    def _waits(self, message: Message, messages: Sequence[Message], database: str) -> int:
        """How often its first change can be held; ``messages`` may make what it calls."""
        holds, texts = self._server.engine.statement_holds, [m.text for m in messages]
        parts = [(one.kind, one.text) for one in self._server.cut(message.text)]
        return holds.waits(self._server.session(database), parts, texts)

    def _places(self, script: Script | None) -> list[str]:
        dialect = self._server.engine.dialect
        cut = steps(script.cut(dialect), dialect) if script else ()
        return [f"{statement.file}:{statement.line}" for statement in cut]

    def watch_twice(
        self,
        request: RunRequest,
        trials: tuple[TrialDatabase, TrialDatabase],
        template: str,
        before: Snapshot,
    ) -> tuple[Reference, Snapshot]:
        """Run it message by message on one trial and plainly on the other, both equal to
        ``template``, which holds ``before``; what differs between the two is volatile. The answer
        has ``before`` without that.

        Where anything is, it is run message by message once more, for states without it. Some
        clocks tell whole seconds: where rows changed, the second run waits for the next one.
        """
        one, other = trials
        self._server.prepare(other, template, before)
        reference = self.watch(request, other, before, {})
        assert other.holds is not None
        if other.holds.contents != before.contents:
            self._server.wait_tick()
        used = unsteady.numbers_used(before, other.holds, self._tables)
        try:
            self._once_more(request, one, template, before, used)
        except ReferenceFailed:
            if not used:
                raise
            used = {}
            self._once_more(request, one, template, before, used)
        volatile = self.volatile(one, other, used)
        if not volatile:
            return reference, before
        one.holds = self._server.snapshot(one.database, volatile)
        before = self._server.snapshot(template, volatile)
        self._server.prepare(other, template, before)
        return self.watch(request, other, before, volatile), before

    def _once_more(
        self,
        request: RunRequest,
        trial: TrialDatabase,
        template: str,
        before: Snapshot,
        used: Mapping[str, Used],
    ) -> None:
        """Plainly, as after a run that was cut off and had used up all the numbers it was given."""
        self._server.prepare(trial, template, before)
        trial.holds = None
        onward = {name: numbers.onward for name, numbers in used.items()}
        self._server.engine.databases.give_next(self._server.session(trial.database), onward)
        self.plainly(request, trial.database)
        trial.holds = self._server.snapshot(trial.database)

    def volatile(
        self,
        one: TrialDatabase,
        other: TrialDatabase,
        used: Mapping[str, Used] | None = None,
    ) -> dict[str, tuple[str, ...]]:
        """What differs between the two databases after an unbroken run in each; see
        :func:`harness.sweep.unsteady.between`.
        """
        holds = [trial.holds or self._server.snapshot(trial.database) for trial in (one, other)]
        first, second = (snapshot.without(self._tables) for snapshot in holds)
        sessions = (self._server.session(one.database), self._server.session(other.database))
        return unsteady.between(self._server.engine, sessions, first, second, used or {})


def _tables_are_locked(own: Sequence[Message]) -> bool:
    """Whether the migration itself has shut everybody out: LOCK TABLES of MySQL, not undone yet."""
    shut = False
    for message in own:
        shut = bool(SHUTS_OUT.match(message.text)) or (shut and not LETS_IN.match(message.text))
    return shut


def _check(ended: ClientEnded) -> None:
    """ReferenceFailed if the tool says that it failed."""
    if ended.status != 0:
        raise ReferenceFailed(ended.said or f"the tool ended with status {ended.status}")

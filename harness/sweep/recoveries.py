"""What can be tried on a crash state, in the order in which a person would.

The tool again; its documented repairs, each followed by the tool again; down, then up; statements
that complete what is missing, made from the migration; and where all is there and only the tool
does not know it, telling it so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from harness.layouts import Migration
from harness.ports import Belief
from harness.sweep.steps import missing
from harness.sweep.subject import Crash, Subject
from harness.sweep.sweep_server import SweepServer, TrialDatabase
from harness.tools.adapter import (
    Adapter,
    Repair,
    Words,
    filled,
    for_dialect,
    in_sql,
    sha256_of,
)
from harness.tools.belief import keeps_a_record
from harness.tools.by_hand import ByHand
from harness.tools.client import Client, ClientEnded, RunRequest

Act = Callable[[TrialDatabase], str]
"""Does it in that database; returns what went wrong, "" if nothing did."""


@dataclass(frozen=True)
class Recovery:
    """One thing to try on a copy of the state."""

    name: str
    kind: str
    """As :class:`harness.sweep.verdicts.Attempt` has it."""
    commands: tuple[str, ...]
    """What a person pastes for it, step by step."""
    act: Act


class Recoveries:
    """Makes the recoveries of a crash, and does their parts."""

    def __init__(self, server: SweepServer, tool: Adapter, client: Client, by_hand: ByHand) -> None:
        self._server = server
        self._tool = tool
        self._client = client
        self._by_hand = by_hand

    # ------------------------------------------------------------------ what the tool believes

    def believes(self, database: str) -> Belief:
        """What the tool's own table says in that database."""
        return self._server.believes(self._tool, database)

    def settled(self, migration: Migration, database: str, *, down: bool = False) -> bool:
        """True if the tool knows that the way was gone, and is neither dirty nor locked."""
        belief = self.believes(database)
        if belief.stuck:
            return False
        return self._keeps_nothing or (migration.version in belief.applied) is not down

    @property
    def _keeps_nothing(self) -> bool:
        return not keeps_a_record(self._tool, self._server.engine)

    # ------------------------------------------------------------------ what can be tried

    def of(self, crash: Crash) -> Iterator[Recovery]:
        """Every recovery of that crash."""
        values, tool, by_hand = self._values(crash.subject), self._tool, self._by_hand
        down = crash.subject.down
        line = by_hand.down(values) if down else by_hand.up(values)
        again = f"run {tool.title} again"
        yield Recovery(again, "re-run", line, partial(self._run, crash.subject.request))
        for repair in tool.repairs:
            name = filled(repair.name, values)
            commands = (*by_hand.repair(repair, values), *line)
            act = partial(self._repair_and_run, crash, repair)
            yield Recovery(f"{name}, then run again", "repair", commands, act)
        if not down and self._can_go_back(crash.subject.migration):
            commands = (*self._told(crash), *by_hand.down(values), *line)
            yield Recovery("down, then up", "down-up", commands, partial(self._down_up, crash))
        yield from self._finishing(crash)
        yield from self._completion(crash)
        if crash.left.name == "after":
            yield from self._marks(crash)

    def _finishing(self, crash: Crash) -> Iterator[Recovery]:
        """What ends a statement that was begun, then those that are missing: the one that is ended
        so may be told as done, or as the first that is not.
        """
        engine, script = self._server.engine, crash.subject.request.script
        finish = engine.snapshot.finish_sql(crash.left.differs)
        if not finish or script is None:
            return
        cut, done = script.cut(engine.dialect), crash.left.done
        rests = dict.fromkeys(tuple(missing(cut, n, engine.dialect)) for n in (done + 1, done))
        for rest in rests:
            name = f"finish by hand, then {len(rest)} more statements" if rest else "finish by hand"
            statements = (*finish, *rest)
            commands = (*self._by_hand.sql(statements), *self._told(crash))
            act = partial(self._complete, crash, statements)
            yield Recovery(name, "completion", commands, act)

    def _completion(self, crash: Crash) -> Iterator[Recovery]:
        """The statements that are missing, after what stands half done is taken away."""
        statements = self.missing(crash)
        if statements:
            commands = (*self._by_hand.sql(statements), *self._told(crash))
            act = partial(self._complete, crash, statements)
            yield Recovery("complete by hand", "completion", commands, act)

    def missing(self, crash: Crash) -> list[str]:
        """The statements of the way that are not done, after those that remove its debris."""
        engine, script = self._server.engine, crash.subject.request.script
        if script is None:
            return []
        rest = missing(script.cut(engine.dialect), crash.left.done, engine.dialect)
        return [*engine.snapshot.remove_sql(crash.left.differs), *rest]

    def _marks(self, crash: Crash) -> Iterator[Recovery]:
        """All the work is there, and only the tool does not know it."""
        commands = self._marking(crash.subject)
        if not commands:
            return
        mark = f"make the tool take it for {'reverted' if crash.subject.down else 'applied'}"
        yield Recovery(mark, "mark", commands, partial(self._mark, crash.subject))
        values = self._values(crash.subject)
        for repair in self._tool.repairs:
            name = filled(repair.name, values)
            act = partial(self._repair_and_mark, crash, repair)
            both = (*self._by_hand.repair(repair, values), *commands)
            yield Recovery(f"{name}, then {mark}", "mark", both, act)

    def _told(self, crash: Crash) -> tuple[str, ...]:
        """What the tool has to be told, if it does not know it."""
        return () if crash.settled else self._marking(crash.subject)

    def _marking(self, subject: Subject) -> tuple[str, ...]:
        values = self._values(subject)
        return self._by_hand.unmark(values) if subject.down else self._by_hand.mark(values)

    # ------------------------------------------------------------------ doing it

    def _run(self, request: RunRequest, trial: TrialDatabase) -> str:
        run = self._client.start(request, self._server.address, trial.database)
        return _told(run.outcome(self._tool.rerun_timeout_s))

    def _repair_and_run(self, crash: Crash, repair: Repair, trial: TrialDatabase) -> str:
        return self._repair(crash, repair, trial) or self._run(crash.subject.request, trial)

    def _repair_and_mark(self, crash: Crash, repair: Repair, trial: TrialDatabase) -> str:
        return self._repair(crash, repair, trial) or self._mark(crash.subject, trial)

    def _repair(self, crash: Crash, repair: Repair, trial: TrialDatabase) -> str:
        self._run_sql(self._of(repair.sql), crash.subject, trial)
        return self._command(self._of(repair.run), crash.subject, trial)

    def _command(self, words: Words, subject: Subject, trial: TrialDatabase) -> str:
        """Run another command of the tool; none, if there are no words."""
        if not words:
            return ""
        run = self._client.command(words, subject.migration, self._server.address, trial.database)
        return _told(run.outcome(self._tool.rerun_timeout_s))

    def _can_go_back(self, migration: Migration) -> bool:
        return migration.down is not None if self._tool.how == "emulated" else bool(self._tool.down)

    def _down_up(self, crash: Crash, trial: TrialDatabase) -> str:
        """The way back as a person would force it: first the tool has to believe in the version."""
        migration = crash.subject.migration
        self._mark(crash.subject, trial)
        back = self._run(RunRequest(migration, down=True), trial)
        return back or self._run(RunRequest(migration), trial)

    def _complete(self, crash: Crash, statements: Sequence[str], trial: TrialDatabase) -> str:
        session = self._server.guard.connect(trial.database, "completion")
        try:
            for sql in statements:
                session.run(sql)
        finally:
            session.close()
        return self._mark(crash.subject, trial)

    def _mark(self, subject: Subject, trial: TrialDatabase) -> str:
        """Make the tool take the way for gone, as its adapter says."""
        tool, down = self._tool, subject.down
        if self.settled(subject.migration, trial.database, down=down) and not self._keeps_nothing:
            return ""
        self._run_sql(self._of(tool.mark_reverted if down else tool.mark_applied), subject, trial)
        return self._command(() if down else self._of(tool.mark_command), subject, trial)

    def _run_sql(self, statements: Words, subject: Subject, trial: TrialDatabase) -> None:
        session = self._server.session(trial.database)
        for sql in statements:
            session.run(filled(sql, in_sql(self._values(subject))))

    def _values(self, subject: Subject) -> dict[str, str]:
        migration = subject.migration
        return {
            "version": migration.version,
            "previous": subject.previous,
            "name": migration.name,
            "sha256": sha256_of(migration.up.text) if migration.up else "",
        }

    def _of(self, value: Any, otherwise: Any = ()) -> Any:
        engine = self._server.engine
        return for_dialect(value, engine.name, engine.dialect, otherwise)


def _told(ended: ClientEnded) -> str:
    """What went wrong; "" if nothing did."""
    if ended.status == 0:
        return ""
    return shortened(ended.said) or f"the tool ended with status {ended.status}"


def shortened(text: str, limit: int = 300) -> str:
    """The end of what a tool said, on one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = " | ".join(lines[-4:])
    return told if len(told) <= limit else f"…{told[-limit:]}"

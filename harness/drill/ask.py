"""Asks claims and diagnosis queries, and puts every answer on the record."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from harness.errors import DatabaseError
from harness.model import Claim, Look
from harness.ports import Answer, Finding, Rows
from harness.record.events import ClaimAnswered, LookDone
from harness.verbs.protocols import Target, sql_for

LOOK_ROWS = 20
LOOK_LOCK_MS = 1000
LOOK_STATEMENT_MS = 5000


def find(target: Target, claim: Claim) -> Finding:
    """A claim's finding; a server's error is an answer, a lost connection is none."""
    try:
        finding: Finding = claim.probe.check(target)
    except DatabaseError as error:
        answer = Answer.UNANSWERABLE if error.lost else Answer.NOT_HELD
        return Finding(answer, f"the server says {error}", claim.name)
    return finding


class Questions:
    """Everything that one trial asks about its target, in the cells it is meant for."""

    def __init__(self, target: Target, words: frozenset[str], fault: str) -> None:
        self._target = target
        self._words = words
        self._fault = fault

    def check(self, section: str, claims: Iterable[Claim]) -> bool:
        """Ask every claim that is for this cell; True if all of them hold."""
        answers = [
            self.ask(section, claim)
            for claim in claims
            if claim.scope.covers(self._words, self._fault)
        ]
        return all(answer is Answer.HELD for answer in answers)

    def ask(self, section: str, claim: Claim) -> Answer:
        """Ask one claim and record what was found."""
        timeline = self._target.timeline
        begun = timeline.now_ns()
        finding = find(self._target, claim)
        timeline.add(
            ClaimAnswered(
                section=section,
                name=claim.name,
                answer=str(finding.answer),
                found=finding.found,
                wanted=finding.wanted,
                population=finding.population,
                lost=finding.lost,
                line=claim.line,
                took_ns=timeline.now_ns() - begun,
            )
        )
        return finding.answer

    def look(self, look: Look) -> None:
        """Run a diagnosis query as a person would, and record whose sessions it names."""
        if not look.scope.covers(self._words, self._fault):
            return
        target, engine = self._target, self._target.engine
        text = _text_of(look, target)
        found, error = Rows(), ""
        with target.session("operator") as session:
            engine.connector.limit(session, lock_ms=LOOK_LOCK_MS, statement_ms=LOOK_STATEMENT_MS)
            try:
                found = session.run(text)
            except DatabaseError as refused:
                error = str(refused)
        about_sessions = look.finds or look.misses or look.builtin
        pids = _numbers(found.rows) if about_sessions else set()
        named = {target.whose(pid) for pid in pids} - {"other"}
        target.timeline.add(
            LookDone(
                name=look.name,
                sql=text,
                columns=found.columns,
                rows=tuple(tuple(map(str, row)) for row in found.rows[:LOOK_ROWS]),
                error=error,
                finds=look.finds,
                misses=look.misses,
                named=tuple(sorted(named)),
                teaches=look.teaches,
                ok=set(look.finds) <= named and not set(look.misses) & named,
            )
        )


def _text_of(look: Look, target: Target) -> str:
    """The query as this engine has it; the loader sees to it that there is one."""
    if look.builtin:
        return target.engine.sessions.look_sql[look.builtin]
    assert look.sql is not None
    return sql_for(target, look.sql)


def _numbers(rows: Iterable[Iterable[Any]]) -> set[int]:
    """Every whole number in a query's output, whichever column a person would read it from."""
    return {int(str(value)) for row in rows for value in row if str(value).isdigit()}

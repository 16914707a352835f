"""A person in the place of the procedure: what they check, what they sent, how it ended.

All of it is on the record as it happens; the statements are those of the server's own log.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

from harness.drill import standing_claims
from harness.drill.ask import find
from harness.drill.procedure import follow
from harness.drill.trial import TrialRun
from harness.errors import DatabaseError, DrillError, Interrupted
from harness.model import Claim, Procedure
from harness.ports import Answer, Finding
from harness.record.events import (
    CheckedByHand,
    GivenUp,
    HintGiven,
    RepairedByHand,
    SentByHand,
    StepTaken,
)

STATEMENTS = 200
"""Statements of a person that are kept."""


class Handwork:
    """What a person does to the broken database of one trial."""

    def __init__(self, run: TrialRun) -> None:
        self._run = run
        self._begun = time.monotonic()
        host = run.lane
        host.engine.statement_log.begin(host.observer(), run.target.database)

    @property
    def took_s(self) -> float:
        """Since the database was handed over."""
        return time.monotonic() - self._begun

    def hint(self, text: str) -> None:
        """Note that a hint was asked for."""
        self._run.timeline.add(HintGiven(text))

    def check(self) -> list[tuple[Claim, Finding]]:
        """Ask every claim that the verdict will ask, in the same words."""
        found = [(claim, self._find(claim)) for claim in self._claims()]
        wrong = [claim.name for claim, finding in found if finding.answer is not Answer.HELD]
        self._run.timeline.add(CheckedByHand(tuple(wrong)))
        return found

    def repaired(self) -> None:
        """Everything held: put what the person did on the record, as the procedure."""
        timeline, took_s = self._run.timeline, self.took_s
        sent = self._sent()
        taken = StepTaken(n=1, name="repaired by hand", verb="by-hand")
        with timeline.span(taken) as found:
            count = f"{len(sent)} statement{'' if len(sent) == 1 else 's'}"
            found["did"] = f"a person repaired it in {took_s:.0f} s, by {count}"
        timeline.add(RepairedByHand(took_s))

    def give_up(self, recovery: Procedure) -> None:
        """The person stops; the recovery of the scenario is run, which repairs nothing for them."""
        run = self._run
        self._sent()
        run.timeline.add(GivenUp(self.took_s))
        follow(recovery, run.target, run.words, run.trial.fault.id)

    def _sent(self) -> list[str]:
        """What the person sent, put on the record; sessions of our own are left out."""
        run, host = self._run, self._run.lane
        try:
            logged = host.engine.statement_log.read(host.observer(), host.server.logs())
        except DatabaseError:
            return []
        ours = host.guard.own_pids | run.target.migration_pids
        sent = [statement for statement in logged if statement.pid not in ours][-STATEMENTS:]
        for statement in sent:
            run.timeline.add(SentByHand(statement.pid, statement.sql))
        return [statement.sql for statement in sent]

    def _claims(self) -> Iterator[Claim]:
        """What will be verified at the end."""
        run, scenario = self._run, self._run.trial.scenario
        ledger = [standing_claims.LEDGER] if scenario.app and scenario.app.ledger else []
        standing = standing_claims.afterwards(scenario, run.left_alone)
        for claim in (*scenario.verify, *ledger, *standing):
            if claim.scope.covers(run.words, run.trial.fault.id):
                yield claim

    def _find(self, claim: Claim) -> Finding:
        """The claim's finding; while the person has the server down, it cannot be answered."""
        try:
            return find(self._run.target, claim)
        except Interrupted:
            raise
        except DrillError as error:
            return Finding(Answer.UNANSWERABLE, str(error), "an answer")

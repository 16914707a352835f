"""Performs a procedure step by step, on the record; a step that fails ends it."""

from __future__ import annotations

import contextlib

from harness.errors import DatabaseError, DeadlineExceeded, StepFailed
from harness.model import Procedure, Step, word_of
from harness.ports import Answer
from harness.record.events import StepTaken
from harness.verbs.protocols import Target


def follow(procedure: Procedure, target: Target, words: frozenset[str], fault: str) -> None:
    """Perform the steps that are for this cell, in order, until one of them fails."""
    check_ledger(target, after="")
    with contextlib.suppress(StepFailed):
        for n, step in enumerate(procedure.steps, 1):
            if step.scope.covers(words, fault):
                try:
                    perform(step, n, target)
                except StepFailed:
                    check_ledger(target, after=step.name)
                    raise
                check_ledger(target, after=step.name)


def check_ledger(target: Target, after: str) -> None:
    """What the application was promised, before it can overwrite what a step has destroyed."""
    if target.app is not None and not target.shelf.frozen:
        target.app.check_ledger(target.asking, after, target.pristine)


def perform(step: Step, n: int, target: Target) -> None:
    """One step. StepFailed if it could not do what it says."""
    taken = StepTaken(n=n, name=step.name, verb=word_of(step.action), line=step.line)
    with target.timeline.span(taken) as found:
        reason = _needless(step, target)
        if reason:
            found["skipped"] = reason
            return
        try:
            found["did"] = step.action.perform(target, step.deadline_s)
        except (DatabaseError, DeadlineExceeded) as error:
            raise StepFailed(str(error)) from error


def _needless(step: Step, target: Target) -> str:
    """Why the step's condition rules it out; "" if it is to be done."""
    for claim, unless in ((step.only_if, False), (step.unless, True)):
        if claim is not None:
            finding = claim.probe.check(target)
            if (finding.answer is Answer.HELD) is unless:
                return f"not needed: found {finding.found}"
    return ""

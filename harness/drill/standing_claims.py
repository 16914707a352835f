"""The claims that every trial is asked, whatever its scenario says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from harness import registry
from harness.model import Claim, Scenario
from harness.ports import Answer, Finding
from harness.state.difference import difference
from harness.state.row_comparison import compare
from harness.state.snapshot import Snapshot, schema_of
from harness.verbs.protocols import Target

TOLD = 8
"""Differences that are named."""
HEALTHY_OPERATIONS = 2
HEALTHY_WITHIN_S = 30.0


def before(scenario: Scenario) -> Iterator[Claim]:
    """The application works before anything strikes."""
    if scenario.app:
        works = registry.kind("claims", "app")
        probe = works("works", operations=HEALTHY_OPERATIONS, within_s=HEALTHY_WITHIN_S)
        yield Claim("the application works", probe)


def afterwards(scenario: Scenario, left_alone: Snapshot | None) -> Iterator[Claim]:
    """Nobody's values changed, nobody is left waiting, no index is left invalid.

    ``left_alone`` is what the migration itself does not touch, as far as it is known.
    """
    like_before = registry.kind("claims", "like-before")
    for item in scenario.untouched:
        yield Claim(f"{item} is as before", like_before(item))
    waiting = registry.kind("claims", "waiting")
    yield Claim("nobody waits for a lock", waiting("anybody", exists=False))
    yield Claim("no index is invalid", NoInvalidIndex())
    if left_alone is not None:
        yield Claim("the rest is as before", LeftAlone(left_alone))


@dataclass(frozen=True)
class LeftAlone:
    """What the migration itself neither changes nor removes is as it was, whoever lists it."""

    kept: Snapshot
    needs_app: ClassVar[bool] = False

    def check(self, target: Target) -> Finding:
        engine, wanted = target.engine, "what the migration leaves alone is as before"
        with target.asking(target.pristine) as before, target.asking() as now:
            has = schema_of(engine, now)
            gap = difference(self.kept, has)
            told = [
                line
                for line in gap.lines(self.kept, has, engine.snapshot.DUPLICATE)
                if not line.startswith("new: ")
            ]
            lost = 0
            for table in sorted(self.kept.contents.keys() & engine.snapshot.tables(now).keys()):
                rows = compare(engine, before, now, table, without=partial(target.touched, table))
                if rows:
                    told.append(str(rows))
                    lost += rows.count
        many = len(self.kept.objects) + len(self.kept.contents)
        found = "; ".join(told[:TOLD]) or f"all {many} objects and tables are the same"
        answer = Answer.NOT_HELD if told else Answer.HELD
        return Finding(answer, found, wanted, population=many, lost=lost)


class Ledger:
    """Every acknowledged write is there, unchanged, and no deleted row is back; nor was any of
    them destroyed on the way, by a step or as the application read it."""

    needs_app: ClassVar[bool] = True

    def check(self, target: Target) -> Finding:
        with target.asking() as session:
            if target.app is None:
                return Finding(Answer.UNANSWERABLE, "no application runs", "a ledger", population=0)
            return target.app.settle_ledger(session)


class NoInvalidIndex:
    """No index is left that costs every write and serves no query."""

    needs_app: ClassVar[bool] = False

    def check(self, target: Target) -> Finding:
        with target.asking() as session:
            objects = target.engine.snapshot.objects(session)
        invalid = target.engine.snapshot.invalid(objects)
        many = sum(key.startswith("index ") for key in objects)
        return Finding(
            Answer.NOT_HELD if invalid else Answer.HELD,
            ", ".join(invalid) or f"all {many} are valid",
            "every index valid",
        )


LEDGER = Claim("ledger", Ledger())

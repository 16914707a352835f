"""The claims that every trial is asked, whatever its scenario says."""

from __future__ import annotations

from collections.abc import Iterator

from harness import registry
from harness.model import Claim, Scenario
from harness.ports import Answer, Finding, Target

HEALTHY_OPERATIONS = 2
HEALTHY_WITHIN_S = 30.0


def before(scenario: Scenario) -> Iterator[Claim]:
    """The application works before anything strikes."""
    if scenario.app:
        works = registry.kind("claims", "app")
        probe = works("works", operations=HEALTHY_OPERATIONS, within_s=HEALTHY_WITHIN_S)
        yield Claim("the application works", probe)


def afterwards(scenario: Scenario) -> Iterator[Claim]:
    """Nobody's values changed, nobody is left waiting, no index is left invalid."""
    like_before = registry.kind("claims", "like-before")
    for item in scenario.untouched:
        yield Claim(f"{item} is as before", like_before(item))
    waiting = registry.kind("claims", "waiting")
    yield Claim("nobody waits for a lock", waiting("anybody", exists=False))
    yield Claim("no index is invalid", NoInvalidIndex())


class Ledger:
    """Every acknowledged write is there, unchanged, and no deleted row is back."""

    needs_app = True

    def check(self, target: Target) -> Finding:
        with target.asking() as session:
            return target.app.settle_ledger(session)


class NoInvalidIndex:
    """No index is left that costs every write and serves no query."""

    needs_app = False

    def check(self, target: Target) -> Finding:
        catalogue = target.engine.catalog
        with target.asking() as session:
            every = [
                (table, index)
                for table in catalogue.tables(session)
                for index in catalogue.indexes(session, table).values()
            ]
        invalid = [f"{table}.{index.name}" for table, index in every if not index.valid]
        return Finding(
            Answer.NOT_HELD if invalid else Answer.HELD,
            ", ".join(invalid) or f"all {len(every)} are valid",
            "every index valid",
        )


LEDGER = Claim("ledger", Ledger())

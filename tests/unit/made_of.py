"""Small scenarios and trials out of nothing, for tests that need no server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.model import (
    Claim,
    Damage,
    Fault,
    Given,
    Migration,
    Moment,
    Procedure,
    Scenario,
    Scope,
    Step,
    Trial,
)
from harness.ports import Capability
from harness.testing import FakeServer, fake_engine


@dataclass(frozen=True)
class Word:
    """Stands where a kind's value stands; nothing is done with it."""

    strikes_when_done: bool = False
    needs_app: bool = False
    needs: frozenset[Capability] = frozenset()


def fault(name: str, moment: Moment | None = None, **more: Any) -> Fault:
    return Fault(name, Word(), moment or Moment(after=1), **more)


def procedure(name: str, *, caught_by: tuple[str, ...] = (), **more: Any) -> Procedure:
    return Procedure(name, (Step("mend it", Word()),), caught_by=caught_by, **more)


def scenario(name: str = "outage", **changes: Any) -> Scenario:
    values: dict[str, Any] = {
        "id": name,
        "title": name,
        "story": "",
        "given": Given(("CREATE TABLE t (id int)",)),
        "steady_state": (Claim("calm", Word()),),
        "migration": Migration(("ONE", "TWO", "THREE"), modes=("autocommit", "one-transaction")),
        "faults": (fault("early"), fault("late", Moment(after=2))),
        "damage": (Damage((Claim("broken", Word()),)),),
        "recoveries": (procedure("redo"), procedure("undo")),
        "decoys": (procedure("hope", caught_by=("mended",)),),
        "verify": (Claim("mended", Word()),),
    }
    return Scenario(**{**values, **changes})


def engine(name: str = "fake", *traits: str) -> Any:
    made = fake_engine(FakeServer(), frozenset(traits))
    made.name = made.label = name
    return made


def trial(identity: str = "redo", **changes: Any) -> Trial:
    story = scenario()
    values = {
        "scenario": story,
        "engine": "fake",
        "mode": "autocommit",
        "fault": story.faults[0],
        "procedure": procedure(identity),
    }
    return Trial(**{**values, **changes})


where = Scope

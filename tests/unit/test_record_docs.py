"""docs/record.md tells every event and every value of a record as the code has it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path

import pytest

from harness.drill.results import RunHeader, RunResult, TrialResult
from harness.record.events import (
    OF_A_TRIAL,
    ObjectivesSet,
    Payload,
    ProgressRow,
    Span,
    WaitingPair,
    WitnessSeen,
)
from harness.rollback.events import OF_A_ROLLBACK
from harness.rollback.results import Finding as RolledFinding
from harness.rollback.results import MigrationBack, RollbackHeader, RollbackResult, Verdict
from harness.row_generation import Filled
from harness.sqltext.losses import Sign
from harness.sweep.events import OF_A_SWEEP, StateSeen
from harness.sweep.points import Row
from harness.sweep.results import Finding, MigrationResult, SweepHeader, SweepResult
from harness.sweep.rivalry import RivalSeen
from harness.sweep.rollback import Leads, Rollback
from harness.sweep.threshold import AS_ITS_OWN_TOOL, ON_ROWS, TO_ITS_END, WAY_BACK
from harness.sweep.verdicts import Attempt, LeftState, Probe

TEXT = (Path(__file__).parents[2] / "docs" / "record.md").read_text("utf-8")
WORD = re.compile(r"`([^`]+)`")


def section(title: str) -> str:
    """What stands below a heading, up to the next."""
    return re.split(rf"^## {re.escape(title)}.*$", TEXT, flags=re.M)[1].split("\n## ")[0]


def table(title: str) -> list[list[str]]:
    """The cells of the rows of the section's table."""
    rows = [line for line in section(title).splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


def names_of(kind: type, *without: type) -> list[str]:
    left_out = {field.name for base in without for field in fields(base)}
    return [field.name for field in fields(kind) if field.name not in left_out]


def told(title: str) -> dict[str, tuple[str, list[str], bool]]:
    """Kind → its lane, its fields, and whether it is a span."""
    found = {}
    for lane, kinds, names, *_ in table(title):
        for kind in WORD.findall(kinds):
            assert kind not in found, f"{kind} stands there twice"
            found[kind] = (lane, WORD.findall(names), "(span)" in kinds)
    return found


@pytest.mark.parametrize(
    "title, kinds",
    [("events.jsonl", OF_A_TRIAL), ("sweep.jsonl", OF_A_SWEEP)],
    ids=["a trial", "a sweep"],
)
def test_every_kind_of_event_stands_there_with_exactly_its_fields(
    title: str, kinds: Mapping[str, type[Payload]]
) -> None:
    """In its lane; what lasts is marked, and the fields that every end adds are told once."""
    wanted = {
        word: (kind.LANE, names_of(kind, *([Span] if issubclass(kind, Span) else [])),
               issubclass(kind, Span))
        for word, kind in kinds.items()
    }  # fmt: skip
    assert told(title) == wanted


def test_every_kind_of_a_rollback_run_stands_there_with_exactly_its_fields() -> None:
    """Those that a sweep has as well are only named."""
    own = {kind: of for kind, of in OF_A_ROLLBACK.items() if kind not in OF_A_SWEEP}
    assert told("rollback.jsonl") == {
        word: (kind.LANE, names_of(kind), False) for word, kind in own.items()
    }
    begin = section("rollback.jsonl").split(" are those of a sweep")[0]
    assert set(WORD.findall(begin)) == OF_A_ROLLBACK.keys() & OF_A_SWEEP.keys()


INSIDE = {
    "`cell`: `objectives`": ObjectivesSet,
    "`progress`: each of `rows`": ProgressRow,
    "`waiting`: each of `pairs`": WaitingPair,
    "`reference`, `way-back`: each of `rows`": Row,
    "`reference`: each of `states`": StateSeen,
    "`reference`: each of `filled`": Filled,
    "`cell`, `healing`: `left`": LeftState,
    "`cell`: `rival`": RivalSeen,
    "`cell` of a sweep: each of `witnesses`": WitnessSeen,
    "`healing`: each of `attempts`": Attempt,
    "`healing`: each of `probes`": Probe,
    "`way-back`: `rollback`": Rollback,
    "`foretold`: each of `signs`": Sign,
}


def test_every_value_inside_an_event_stands_there_with_exactly_its_fields() -> None:
    """And every word that tells where a way down leads."""
    found = {where: WORD.findall(names) for where, names in table("Values inside events")}
    assert found == {where: names_of(kind) for where, kind in INSIDE.items()}
    words = " ".join(section("Values inside events").split())
    assert re.search(r"`leads` is (.*?);", words)[1].replace(" or ", ", ").split(", ") == list(
        Leads
    )


def first_level(text: str) -> list[str]:
    """The fields that a sentence lists, without what stands in brackets behind one of them."""
    plain = re.sub(r"\([^()]*\)", "", text)
    return WORD.findall(plain.split(".\n")[0].split(". ")[0])


def paragraphs(title: str) -> list[str]:
    return section(title).strip().split("\n\n")


def test_trial_json_has_the_fields_that_are_told() -> None:
    """All of them, in their order."""
    assert first_level(paragraphs("trial.json:")[0]) == names_of(TrialResult)


def test_run_json_has_the_fields_that_are_told() -> None:
    """Those of the header first; header.json lacks what is known at the end only."""
    told = first_level(paragraphs("run.json:")[0])
    assert told == names_of(RunResult)
    late = WORD.findall(section("header.json").split(";")[0])
    assert [name for name in told if name not in late] == names_of(RunHeader)


def test_sweep_json_has_the_fields_that_are_told() -> None:
    """With what is counted beside what it was counted from, and what a finding is about."""
    whole, migrations, findings = paragraphs("sweep.json:")
    told = first_level(whole)
    assert set(told) == {
        *names_of(SweepResult),
        "grades",
        "worst",
        "unfinished",
        "by_rule",
        "cells",
    }
    assert set(told[: told.index("crashed_with") + 1]) == set(names_of(SweepHeader))
    counted = {"name", "worst", "atomic"}
    assert set(first_level(migrations.partition(": ")[2])) == {*names_of(MigrationResult), *counted}
    assert first_level(findings.partition(": ")[2]) == names_of(Finding)
    assert {ON_ROWS, WAY_BACK, TO_ITS_END, AS_ITS_OWN_TOOL} <= set(WORD.findall(findings))


def test_rollback_json_has_the_fields_that_are_told() -> None:
    """Beyond those of a sweep's header."""
    whole, migrations, findings = paragraphs("rollback.json:")
    own = [*names_of(RollbackHeader, SweepHeader), *names_of(RollbackResult, RollbackHeader)]
    assert set(WORD.findall(whole)) - {"crashed_with"} == {*own, "counts"}
    counted = {"name", "verdict", "wrong", "unknown", "disagrees"}
    assert set(first_level(migrations.partition(": ")[2])) == {*names_of(MigrationBack), *counted}
    assert first_level(findings.partition(": ")[2]) == names_of(RolledFinding)
    words = re.search(r"`verdict`\s\((.*?)\)", migrations, re.S)[1]
    assert words.replace(" or ", ", ").split(", ") == list(Verdict)

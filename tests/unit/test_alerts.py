"""An alert of a scenario is silent before, loud in its damage, and silent at the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness import bundled, loading
from harness.errors import ScenarioError

HANG = bundled.folder("scenarios") / "1-hang.yaml"
BEGIN = "\nalerts:\n"


def test_it_is_three_claims():
    """Loud only where it says so; silent in every cell, for a rule that always fires is none."""
    story = loading.load_scenario(HANG)
    name = story.alerts[0].name
    (before,) = [c for c in story.steady_state if c.name == f"silent: {name}"]
    (after,) = [c for c in story.verify if c.name == f"silent: {name}"]
    (damage,) = [d for d in story.damage if d.claims[0].name == f"alert: {name}"]
    assert before == after
    assert (before.probe.fires, damage.claims[0].probe.fires) == (False, True)
    assert damage.scope.faults == ("queued-behind-a-reader",)
    assert before.scope.covers(frozenset(), "frozen-while-queued")
    assert {c.probe.alert["postgres"] for c in (before, damage.claims[0])} == {
        story.alerts[0].probe.alert["postgres"]
    }


def test_where_it_cannot_ring_its_silence_is_not_asked():
    """On an engine without such a thing it would be a check that cannot fail; in another mode of an
    engine that has it, it is none.
    """
    build, partial = (
        next(
            c for c in loading.load_scenario(HANG.parent / name).verify
            if c.name.startswith("silent: ")
        )
        for name in ("7-long-index-build.yaml", "2-partial-failure.yaml")
    )  # fmt: skip
    assert not build.scope.covers(frozenset({"mysql"}), "at-its-very-end")
    assert build.scope.covers(frozenset({"postgres", "concurrent-index"}), "at-its-very-end")
    assert partial.scope.covers(frozenset({"postgres", "atomic"}), "client-killed-after-1")


def test_every_documented_failure_has_one():
    """Each of the six would have been told by a monitoring."""
    stories = {s.id: s for s in loading.load_all(HANG.parent)}
    six = ("hang", "partial-failure", "app-break", "data-corruption", "slow-index", "dirty-state")
    assert [name for name in six if not stories[name].alerts] == []


@pytest.mark.parametrize(
    ("alert", "says"),
    [
        ("  - claim: a\n    waiting: anybody\n", "found no 'alert'"),
        ("  - claim: a\n    alert: SELECT 1\n    fires: true\n", "found 'fires', wanted none"),
        ("  - claim: a\n    alert: SELECT 1\n    over: 5\n", "wanted a duration"),
    ],
)
def test_what_is_no_alert_is_refused_with_its_line(tmp_path: Path, alert: str, says: str):
    text = HANG.read_text("utf-8")
    begin = text.index(BEGIN)
    end = text.index("\ndiagnosis:\n")
    file = tmp_path / "1-hang.yaml"
    file.write_text(f"{text[:begin]}{BEGIN}{alert}{text[end:]}", "utf-8")
    with pytest.raises(ScenarioError) as refused:
        loading.load_scenario(file)
    line = text[:begin].count("\n") + 3
    (problem,) = refused.value.problems
    assert says in problem.message
    assert line <= problem.line <= line + 2

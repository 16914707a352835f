"""Which tool a folder is swept with, by what is on this machine."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.cli import sweep_selection
from harness.errors import UsageError
from harness.layouts import LAYOUTS

FOLDERS = Path(__file__).parents[1] / "fixtures" / "layouts"


def options(**asked: Any) -> SimpleNamespace:
    nothing = dict.fromkeys(("tool", "program", "layout", "only", "range_", "since", "seed_dump"))
    return SimpleNamespace(**{**nothing, "engine": "postgres", "placeholder": (), **asked})


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No program is on this machine; what is told meanwhile."""
    lines: list[str] = []
    monkeypatch.setattr(sweep_selection, "program", lambda name, folder: None)
    monkeypatch.setattr(sweep_selection.selection, "say", lines.append)
    return lines


WITHOUT_PROGRAMS = {
    "dbmate": "dbmate-emulated",
    "diesel": "diesel",
    "drizzle": "drizzle-emulated",
    "flyway": "flyway",
    "golang-migrate": "golang-migrate",
    "goose": "goose",
    "numbered": "psql",
    "prisma": "prisma",
    "sql-migrate": "sql-migrate",
    "sqitch": "psql",
    "version-folders": "psql",
}
"""Layout: the tool; a folder of any other one needs its program."""


@pytest.mark.parametrize("layout", LAYOUTS)
def test_without_its_program_a_folder_is_swept_by_what_that_sends(
    layout: str, said: list[str]
) -> None:
    """Never as plain SQL where an emulation is known; where there is none, it says so."""
    if layout not in WITHOUT_PROGRAMS:
        with pytest.raises(UsageError, match=r"no tool can run .*no program .*--program names it"):
            sweep_selection.plan(FOLDERS / layout, options(layout=layout))
        return
    plan = sweep_selection.plan(FOLDERS / layout, options(layout=layout))
    assert (plan.tool.id, plan.program) == (WITHOUT_PROGRAMS[layout], "")
    assert plan.plain_for == ("Sqitch" if layout == "sqitch" else "")
    plain = [line for line in said if "swept as plain SQL" in line]
    assert bool(plain) is (layout == "sqitch")


@pytest.mark.parametrize("layout", ["dbmate", "drizzle"])
def test_that_an_emulation_stands_in_is_told(layout: str, said: list[str]) -> None:
    """With what would bring the program itself."""
    sweep_selection.plan(FOLDERS / layout, options(layout=layout))
    (line,) = [line for line in said if "stands in" in line]
    assert "no program" in line
    assert "--program names it" in line


@pytest.mark.parametrize("layout", ["dbmate", "drizzle"])
def test_the_program_comes_before_its_emulation(
    layout: str, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it is."""
    monkeypatch.setattr(sweep_selection, "program", lambda name, folder: f"/bin/{name}")
    plan = sweep_selection.plan(FOLDERS / layout, options(layout=layout))
    assert plan.tool.id == layout
    assert plan.program
    assert not [line for line in said if "stands in" in line]


def test_a_program_that_was_asked_for_and_is_not_here_names_what_does_without(
    said: list[str],
) -> None:
    """Nothing else is taken in its place."""
    with pytest.raises(UsageError, match="--tool dbmate-emulated does without"):
        sweep_selection.plan(FOLDERS / "dbmate", options(layout="dbmate", tool="dbmate"))


def test_plain_sql_that_was_asked_for_names_the_program_of_the_folder(said: list[str]) -> None:
    """And not the emulation of it."""
    plan = sweep_selection.plan(FOLDERS / "dbmate", options(layout="dbmate", tool="psql"))
    assert plan.plain_for == "dbmate"


def test_djangos_record_is_told_by_the_app_of_the_folder(
    said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it believes, and what takes that back."""
    monkeypatch.setattr(sweep_selection, "program", lambda name, folder: "/bin/python3")
    folder = FOLDERS.parent / "tools" / "django" / "shop" / "migrations"
    plan = sweep_selection.plan(folder, options())
    assert "app = 'shop'" in str(plan.tool.applied)
    assert "app = 'shop'" in plan.tool.mark_reverted[0]
    assert plan.named["app"] == "shop"
    assert plan.named["marker"] == "manage.py"


def test_values_for_placeholders_reach_the_emulation_alone(said: list[str]) -> None:
    """A tool that fills in none, or that has settings of its own, is not asked to."""
    with pytest.raises(UsageError, match=r"dbmate .* fills in none from here; wanted flyway"):
        sweep_selection.plan(FOLDERS / "dbmate", options(layout="dbmate", placeholder=("a=1",)))
    plan = sweep_selection.plan(FOLDERS / "flyway", options(layout="flyway", placeholder=("a=1",)))
    assert plan.tool.id == "flyway"
    assert "--placeholder a: no file has it" in said


def test_a_sweep_runs_on_one_engine_which_may_have_a_version(said: list[str]) -> None:
    """The layout is the engine's, whatever its version."""
    folder = FOLDERS / "golang-migrate"
    planned = sweep_selection.plan(folder, options(engine="postgres:15"))
    assert planned.engine.label == "postgres:15"
    with pytest.raises(UsageError, match="one engine"):
        sweep_selection.plan(folder, options(engine="postgres:15,postgres:17"))

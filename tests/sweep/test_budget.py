"""A sweep that may take only so long: what it leaves out is told everywhere, and is never green."""

from __future__ import annotations

import json
import re

from swept import arguments, run, run_here, write

from harness.sweep import budget
from harness.sweep.striker import Striker

FILES = {
    "1_users.up.sql": "CREATE TABLE users (id integer PRIMARY KEY, name varchar(50) NOT NULL);",
    "2_more.up.sql": "ALTER TABLE users ADD COLUMN a integer; UPDATE users SET a = id;",
    "3_fax.up.sql": "ALTER TABLE users ADD COLUMN fax varchar(60);",
    "4_end.up.sql": "ALTER TABLE users ADD COLUMN b integer;",
}
WORST = "2"
WAYS = ("--ways", "client-sigkill", "--rows", "7")


def test_what_is_left_out_is_told_everywhere_and_swept_later(tmp_path, some_engine, monkeypatch):
    """The state before a migration is reached through those that are left out."""
    monkeypatch.setattr(budget.Budget, "_a_cell_s", lambda self: 1000.0)
    folder, out = write(tmp_path / "migrations", FILES), tmp_path / "out"
    first = run_here(arguments(folder, some_engine, out, *WAYS, "--budget", "10m"))
    assert first.result.exit_code == 3
    struck = {m.version for m in first.result.migrations if m.cells}
    assert WORST in struck
    assert "1" not in struck
    assert first.result.left_out["1"] == "1_users"
    assert set(first.result.unfinished) == set(first.result.left_out) == {*"1234"} - struck
    assert all(cell.left.name for cell in first.cells(WORST) if not cell.missed)
    record = (out / "latest").resolve()
    for name in ("sweep.html", "sweep.md", "plan.md", "plan-evidence.md", "readiness.md"):
        assert "Left out by the budget of 10m: " in (record / name).read_text("utf-8")
    assert "left out, for the sweep may take 10m" in (record / "junit.xml").read_text("utf-8")
    assert "go on with: mdrill sweep --resume" in first.err
    assert "1_users  left out, for there is no time" in first.err
    resumed = run("sweep", "--resume", str(record), "--json")
    assert (resumed.code, resumed.result.left_out, resumed.result.unfinished) == (0, {}, [])
    assert all(m.cells for m in resumed.result.migrations)


def test_a_migration_that_is_cut_off_by_the_budget_is_not_swept_to_its_end(tmp_path, monkeypatch):
    """What was struck of it is told; those after it are reached, and left out."""
    plain, struck = Striker._alone, []

    def slow(self, subject, point, trial) -> None:
        plain(self, subject, point, trial)
        struck.append(point)
        if len(struck) == 3:
            monkeypatch.setattr(budget.Budget, "left_s", lambda self: -1.0)

    monkeypatch.setattr(Striker, "_alone", slow)
    folder, out = write(tmp_path / "migrations", FILES), tmp_path / "out"
    told = run_here(arguments(folder, "postgres", out, *WAYS, "--budget", "1h", "--jobs", "1"))
    assert told.result.exit_code == 3
    (first,) = told.result.migrations
    assert (first.version, len(first.every_cell), first.finished) == ("1", 3, False)
    assert list(told.result.left_out) == ["1", "2", "3", "4"]
    assert re.search(r"1/4 1_users  3 cells: .*, and no time for the rest of it\n", told.err)
    assert "not swept to its end, for the sweep may take 1h" in told.result.findings[0].says
    events = (out / "latest" / "sweep.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(e)["migration"] for e in events if '"kind": "left-out"' in e] == [*"1234"]


def test_what_is_no_duration_is_refused(tmp_path):
    """Before a server is started."""
    folder = write(tmp_path / "migrations", FILES)
    for text in ("2", "soon", "0s"):
        told = run(*arguments(folder, "postgres", tmp_path / "out", "--budget", text))
        assert told.code == 2
        assert f"wants a duration with its unit, such as 30s, 2m or 1h; found '{text}'" in told.err

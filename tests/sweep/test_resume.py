"""A sweep that is cut off goes on where it stopped: nothing lost, nothing counted twice."""

from __future__ import annotations

import json
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest
from swept import MDRILL, arguments, run, told, until, write

USERS = "CREATE TABLE users (id integer PRIMARY KEY, name varchar(50) NOT NULL);"
FILES = {
    "1_users.up.sql": USERS,
    "2_phone.up.sql": "ALTER TABLE users ADD COLUMN phone varchar(60);",
    "3_fax.up.sql": "ALTER TABLE users ADD COLUMN fax varchar(60);",
}
WAYS = ("--ways", "client-sigkill", "--ways", "session-kill", "--ways", "server-sigkill")


def events(folder: Path) -> list[dict]:
    """What is written so far, without a line that is being written."""
    text = (folder / "sweep.jsonl").read_text("utf-8") if (folder / "sweep.jsonl").exists() else ""
    return [json.loads(line) for line in text.split("\n")[:-1]]


def unanswered(record: list[dict]) -> set[tuple[str, str]]:
    """Cells that left a state whose healing was cut off."""
    healed = {(e["migration"], e["state"]) for e in record if e["kind"] == "healing"}
    return {
        (e["migration"], e["point"])
        for e in record
        if e["kind"] == "cell" and not e["missed"] and (e["migration"], e["state"]) not in healed
    }


def answers(result) -> dict[tuple[str, str], tuple[str, str, str]]:
    return {
        (m.version, c.point): (c.left.name, c.grade, c.heals)
        for m in result.migrations
        for c in m.every_cell
    }


@pytest.mark.parametrize(
    ("engine", "how"),
    [
        ("postgres", signal.SIGINT),
        ("mysql", signal.SIGTERM),
        ("mariadb", signal.SIGKILL),
    ],
)
@pytest.mark.matrix(of=2)
def test_it_goes_on_where_it_stopped(sweep, tmp_path, engine, how):
    whole = sweep(FILES, engine, *WAYS)
    folder, out = write(tmp_path / "migrations", FILES), tmp_path / "out"
    with subprocess.Popen(
        [*MDRILL, *arguments(folder, engine, out, *WAYS)],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    ) as cut_off:  # fmt: skip
        until(
            "the middle of the second migration",
            lambda: (
                cut_off.poll() is not None
                or sum(e["kind"] == "cell" for e in events(out / "latest"))
                > len(answers(whole.result)) // 2
            ),
        )
        assert cut_off.poll() is None, "it ended before it could be cut off"
        cut_off.send_signal(how)
    record = (out / "latest").resolve()
    if how is not signal.SIGKILL:
        assert told(record).exit_code == cut_off.returncode == 128 + how
        assert "good enough" not in (record / "sweep.md").read_text("utf-8")
    waiting = unanswered(events(record))
    resumed = run("sweep", "--resume", str(record), "--json")
    assert resumed.code == 0, resumed.err
    assert answers(resumed.result) == answers(whole.result)
    struck = Counter((e["migration"], e["point"]) for e in events(record) if e["kind"] == "cell")
    assert max(struck.values()) <= 2
    assert {cell for cell, times in struck.items() if times > 1} == waiting
    assert len(resumed.result.every_cell) == len(struck)
    if how is signal.SIGKILL:
        run("gc")


def test_a_finished_sweep_is_not_struck_again(tmp_path):
    folder, out = write(tmp_path / "migrations", FILES), tmp_path / "out"
    first = run(*arguments(folder, "postgres", out, *WAYS))
    before = (out / "latest" / "sweep.jsonl").read_bytes()
    again = run("sweep", "--resume", str(out / "latest"), "--json")
    assert (out / "latest" / "sweep.jsonl").read_bytes() == before
    assert answers(again.result) == answers(first.result)


def test_a_half_written_line_is_cut_away(tmp_path):
    folder, out = write(tmp_path / "migrations", FILES), tmp_path / "out"
    whole = run(*arguments(folder, "postgres", out, *WAYS))
    record = out / "latest" / "sweep.jsonl"
    lines = record.read_bytes().splitlines(keepends=True)
    cells = [at for at, line in enumerate(lines) if b'"kind": "cell"' in line]
    cut = cells[len(cells) // 2]
    record.write_bytes(b"".join(lines[:cut]) + lines[cut][:40])
    again = run("sweep", "--resume", str(out / "latest"), "--json")
    assert again.code == 0, again.err
    assert answers(again.result) == answers(whole.result)
    assert all(json.loads(line) for line in record.read_text("utf-8").splitlines())


def test_what_has_changed_since_is_refused(tmp_path):
    """Cells of two different migrations under one name would be told as one sweep."""
    folder, out = write(tmp_path / "migrations", FILES), tmp_path / "out"
    run(*arguments(folder, "postgres", out, "--only", "1", "--ways", "client-sigkill"))
    write(folder, {"2_phone.up.sql": "ALTER TABLE users ADD COLUMN phone varchar(61);"})
    write(folder, {"4_more.up.sql": "ALTER TABLE users ADD COLUMN more varchar(61);"})
    before = (out / "latest" / "sweep.jsonl").read_bytes()
    again = run("sweep", "--resume", str(out / "latest"))
    assert again.code == 2
    assert "2_phone" in again.err
    assert "4_more" in again.err
    assert "1_users" not in again.err
    assert (out / "latest" / "sweep.jsonl").read_bytes() == before


def test_a_folder_that_is_no_sweep_is_refused(tmp_path):
    again = run("sweep", "--resume", str(tmp_path))
    assert again.code == 2
    assert str(tmp_path) in again.err

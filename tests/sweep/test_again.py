"""The reports of a sweep are made again from its record, and say the same."""

from __future__ import annotations

import subprocess

from swept import MDRILL, arguments, run, write

FILES = {
    "1_users.up.sql": "CREATE TABLE users (id integer PRIMARY KEY, name varchar(50) NOT NULL);",
    "2_gone.up.sql": "DROP INDEX IF EXISTS nothing; SELECT 1;",
}


def mdrill(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*MDRILL, *words], capture_output=True, text=True, check=False)


def test_reports_are_made_again_from_the_record(tmp_path):
    """Every file that was lost is there again, byte for byte; none of another kind is added."""
    folder, out = write(tmp_path / "migrations", FILES), tmp_path / "out"
    done = run(*arguments(folder, "postgres", out, "--fail-on", "self-heals"))
    assert done.code == 1, done.err
    made = {path.name: path.read_bytes() for path in (out / "latest").iterdir()}
    for name in made.keys() - {"header.json", "sweep.jsonl"}:
        (out / "latest" / name).unlink()
    again = mdrill("report", str(out / "latest"))
    assert again.returncode == 0, again.stderr
    assert {path.name: path.read_bytes() for path in (out / "latest").iterdir()} == made
    judged = mdrill("replay", str(out / "latest"))
    assert judged.returncode == 1
    assert judged.stdout == again.stdout
    assert mdrill("replay", str(out / "latest"), "--trial", "x").returncode == 2

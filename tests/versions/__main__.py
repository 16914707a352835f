"""``make versions``: drills and sweeps on every version that is here, and writes
``docs/versions.md``; ``ARGS=postgres`` does one engine's alone. Nothing is built or pulled;
``mdrill images`` lists what is here.

Each engine's versions are compared with the one that runs unasked: a sweep of the folder in
``folder.py`` has to find the same states, crash points and ways down on all of them.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from folder import files

from harness import registry
from harness.cli import rendering, versions
from harness.cli.versions import PROGRAMS, Found
from harness.drill import results
from harness.drill.results import RunResult
from harness.ports import Engine
from harness.record.run_folder import RunFolder
from harness.sweep.results import MigrationResult, SweepResult

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "versions.md"
MDRILL = [sys.executable, "-c", "from harness.cli import main; main()"]
HEAD = """# Versions

Written by `make versions` from real runs; do not edit. `mdrill run quick --engine postgres:17`
names a version, `mdrill images` lists those of this machine, and a server that says that it is
another version is refused. A stand-in is built of the packages of a Debian suite.

**quick** are the trials of `mdrill run quick`, **teeth** the counter-checks of `mdrill teeth`.
**sweep** says whether a sweep of a small folder finds the states, crash points and ways down that
it finds on the version that runs unasked (in bold).

| version | where from | quick | teeth | sweep: the same states | day |
|---|---|---|---|---|---|
"""


@dataclass
class Version:
    """What was found out about one."""

    found: Found
    server: str = "?"
    quick: str = "no result"
    teeth: str = "no result"
    swept: list[Any] = field(default_factory=list)

    @property
    def engine(self) -> Engine:
        return self.found.engine

    @property
    def backend(self) -> str:
        return "local" if self.found.runs == PROGRAMS else "docker"

    @property
    def is_usual(self) -> bool:
        """Whether it is the one that runs unasked."""
        return self.engine.recipe.image == registry.engine(self.engine.name).recipe.image


def main() -> int:
    """Run everything, or the engines named, and write their part of the page as each is done; 1 if
    a version is not as it should be."""
    parser = argparse.ArgumentParser(prog="make versions", description=__doc__)
    parser.add_argument("engines", nargs="*", help="only these (ARGS=postgres)")
    asked = parser.parse_args().engines
    done = True
    with tempfile.TemporaryDirectory() as out:
        for engine in map(registry.engine, asked or registry.engines()):
            every = [Version(found) for found in versions.of(engine) if found.runs]
            for backend in ("docker", "local"):
                group = [version for version in every if version.backend == backend]
                if group:
                    _drilled(group, Path(out))
            for version in every:
                _swept(version, Path(out))
            _written(engine, [_row(version, every) for version in every])
            done = done and all(_is_good(version, every) for version in every)
    print(PAGE.read_text("utf-8"))
    return int(not done)


def _written(engine: Engine, rows: Sequence[str]) -> None:
    """Put the rows of an engine in the place of those that it had."""
    told = PAGE.read_text("utf-8").splitlines() if PAGE.exists() else []
    kept = [row for row in told if re.match(r"\| \**\d", row) and f"| {engine.title}, " not in row]
    PAGE.write_text(HEAD + "\n".join(sorted([*kept, *rows], key=_place)) + "\n", "utf-8")


def _place(row: str) -> tuple[str, list[int]]:
    """By engine, then by version."""
    version, where = row.split("|")[1:3]
    return where.partition(",")[0], [int(n) for n in re.findall(r"\d+", version)[:2]]


def _is_good(version: Version, every: Sequence[Version]) -> bool:
    return not any(
        " of " in told or told == "no result" or "**no**" in told
        for told in (version.quick, version.teeth, _compared(version, _usual(every)))
    )


def _usual(every: Sequence[Version]) -> Version | None:
    return next((version for version in every if version.is_usual), None)


def _mdrill(out: Path, *words: str) -> RunFolder:
    """Run it to its end, whatever that is, and return the folder of the run."""
    print("mdrill", *words, file=sys.stderr, flush=True)
    subprocess.run(
        [*MDRILL, *words, "--out", str(out)],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    return RunFolder.open((out / "latest").resolve())


def _drilled(group: Sequence[Version], out: Path) -> None:
    """Quick and teeth on all of them, side by side."""
    names = ",".join(version.engine.label for version in group)
    where = ("--engine", names, "--backend", group[0].backend)
    quick = results.of_folder(_mdrill(out / "quick", "run", "quick", *where))
    teeth = results.of_folder(_mdrill(out / "teeth", "teeth", *where))
    for version in group:
        version.quick = _counted(quick, version)
        version.teeth = _counted(teeth, version)
        told = [t.server.version for t in quick.trials if t.cell.engine == version.engine.label]
        version.server = next(filter(None, told), "?")


def _counted(run: RunResult, version: Version) -> str:
    """``43 PASS``, or how many of how many are as they should be, and what the others are."""
    label = version.engine.label
    ours = [trial for trial in run.last_attempts() if trial.cell.engine == label]
    planned = [identity for identity in run.planned if identity.split("/")[1] == label]
    outcomes = Counter(trial.outcome for trial in ours)
    good = sum(trial.as_expected for trial in ours)
    if good == len(planned) and len(outcomes) == 1:
        return f"{good} {next(iter(outcomes))}"
    if not planned:
        return "no result"
    told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items()))
    return f"{good} of {len(planned)} ({told or 'none ended'})"


def _swept(version: Version, out: Path) -> None:
    """What a sweep of the small folder finds."""
    folder = out / f"migrations-{version.engine.dialect}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files(version.engine.dialect).items():
        (folder / name).write_text(text, "utf-8")
    words = ("sweep", str(folder), "--tool", "psql", "--engine", version.engine.label)
    run = _mdrill(out / "sweep", *words, "--backend", version.backend, "--rows", "50")
    version.swept = list(_seen(rendering.swept_before(run)))


def _seen(result: SweepResult) -> Iterator[Any]:
    """All that has to be the same on every version."""
    for migration in result.migrations:
        yield migration.version, migration.broken, migration.finished
        yield from _states(migration)
        for cell in (*migration.cells, *migration.down_cells):
            yield cell.down, cell.point, cell.left.name, str(cell.grade)


def _states(migration: MigrationResult) -> Iterator[Any]:
    for state in migration.reference.states:
        yield state.done, state.rows, _named(state.differs)
    yield str(migration.rollback.leads), _named(migration.rollback.schema)


def _named(lines: Sequence[str]) -> tuple[str, ...]:
    """What is new, gone or changed; how a server writes its definition is a matter of its version,
    as the collation that it takes unasked."""
    return tuple(sorted(": ".join(line.split(": ")[:2]) for line in lines))


def _row(version: Version, every: Sequence[Version]) -> str:
    return (
        "| "
        + " | ".join(
            (
                f"**{version.server}**" if version.is_usual else version.server,
                _where(version),
                version.quick,
                version.teeth,
                _compared(version, _usual(every)),
                datetime.now(UTC).date().isoformat(),
            )
        )
        + " |"
    )


def _where(version: Version) -> str:
    recipe = version.engine.recipe
    if version.found.runs == recipe.stand_in:
        return f"{version.engine.title}, stand-in"
    return f"{version.engine.title}, {version.found.runs}"


def _compared(version: Version, usual: Version | None) -> str:
    if not version.swept or not (usual and usual.swept):
        return "no result"
    cells = sum(len(seen) == 4 for seen in version.swept)
    if version is usual:
        return f"{cells} cells"
    other = [seen for seen in version.swept if seen not in usual.swept]
    other += [seen for seen in usual.swept if seen not in version.swept]
    for seen in other:
        print(f"{version.engine.label} and {usual.engine.label} differ: {seen}", file=sys.stderr)
    return f"**no**, {len(other)} differ" if other else f"yes, {cells} cells"


if __name__ == "__main__":
    sys.exit(main())

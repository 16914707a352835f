"""The page "What each migration tool leaves behind when killed", from sweeps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from projects import Killed

from harness.reporting.words import one_line
from harness.sweep.points import Way, Where
from harness.sweep.results import CellResult, MigrationResult
from harness.sweep.verdicts import Attempt

COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
FOLDERS = re.compile(r"(?:file://|(?<![\w.:/]))(?:/[\w.@+-]+)+/(?=[\w.-])")
WAYS = {
    Way.CLIENT_SIGKILL: "the client is killed (SIGKILL)",
    Way.SESSION_KILL: "its session is ended",
}

HEAD = """# What each migration tool leaves behind when killed

Written by `make kills` from real sweeps; do not edit. Every tool runs the same migration: **1**
adds a column, **2** fills it, **3** makes an index. It is struck inside **2**. "There after" are
the statements whose work is in the database once nothing is at work any more, read from the
catalogue and the rows, never from the tool's word.

An emulated tool could not be installed here: what it sends comes from its adapter in
`harness/tools`. The others are the real programs.
"""


def text(every: Sequence[Killed], absent: Sequence[str]) -> str:
    """The whole page."""
    parts = [HEAD]
    for engine in dict.fromkeys(killed.result.engine for killed in every):
        own = [killed for killed in every if killed.result.engine == engine]
        parts.append(f"\n## {engine} {own[0].result.server_version}\n")
        for way, title in WAYS.items():
            parts.append(f"### When {title}\n")
            parts.append(
                "| tool | there after | what the tool believes | run again | what heals it |"
            )
            parts.append("|---|---|---|---|---|")
            parts += [_row(killed, way) for killed in own]
            parts.append("")
    if absent:
        parts.append(f"Not run, for the program was not there: {', '.join(absent)}.\n")
    return "\n".join(parts)


def _row(killed: Killed, way: Way) -> str:
    title = killed.result.tool
    if not killed.result.migrations:
        return f"| {title} | nothing was swept | | | |"
    migration = killed.result.migrations[0]
    if migration.broken:
        return f"| {title} | fails by itself: {_cell(migration.broken)} | | | |"
    cell = inside_the_second(migration, way)
    if cell is None:
        return f"| {title} | no such cell | | | |"
    if cell.missed:
        return f"| {title} | not struck: {_cell(cell.missed)} | | | |"
    healing = next(h for h in migration.healings if h.state == cell.state)
    again = next((a for a in healing.attempts if a.kind == "re-run"), None)
    return " | ".join(
        [
            f"| {title}",
            _there(cell, migration),
            _belief(cell, migration),
            _outcome(again),
            f"{_cell(cell.heals or 'nothing that was tried')} |",
        ]
    )


def inside_the_second(migration: MigrationResult, way: Way) -> CellResult | None:
    """The cell inside the second statement, or inside the one message that carries all three."""
    rows = [row for row in migration.reference.rows if row.kind == "statement"]
    n = next((row.n for row in rows if row.verb == "UPDATE" or row.statements == 3), None)
    wanted = (n, Where.INSIDE, way)
    return next((c for c in migration.cells if (c.n, c.where, c.way) == wanted), None)


def _there(cell: CellResult, migration: MigrationResult) -> str:
    done, every = cell.left.done, migration.reference.statements
    told = {0: "none", every: "**all**"}.get(done, ", ".join(map(str, range(1, done + 1))))
    differs = cell.left.differs
    return told if not differs else f"{told}; besides {_cell('; '.join(differs))}"


def _belief(cell: CellResult, migration: MigrationResult) -> str:
    told = "applied" if migration.version in cell.applied else "not applied"
    return f"{told}, **dirty or locked**" if cell.stuck else told


def _outcome(attempt: Attempt | None) -> str:
    if attempt is None:
        return "not tried"
    if attempt.healed:
        return "ends well"
    if attempt.blocked:
        return "**waits for its own lock**"
    return _cell(attempt.says)


def _cell(words: str, limit: int = 160) -> str:
    """One short line for a table, without colours and without folders of this machine."""
    plain = FOLDERS.sub("", COLOURS.sub("", words))
    told = one_line(plain.replace("|", "/"), 1000)
    return told if len(told) <= limit else f"…{told[-limit:]}"


def there(killed: Killed) -> Iterator[tuple[Way, str]]:
    """(way, there after) of one sweep, for tests."""
    for migration in killed.result.migrations:
        for way in WAYS:
            cell = inside_the_second(migration, way)
            if cell:
                yield way, _there(cell, migration)

"""The page "What each migration tool leaves behind when killed", from sweeps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.reporting.words import one_line

COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
FOLDERS = re.compile(r"(?:file://|(?<![\w.:/]))(?:/[\w.@+-]+)+/(?=[\w.-])")
WAYS = {"client-sigkill": "the client is killed (SIGKILL)", "session-kill": "its session is ended"}

HEAD = """# What each migration tool leaves behind when killed

Written by `make kills` from real sweeps; do not edit. Every tool runs the same migration: **1**
adds a column, **2** fills it, **3** makes an index. It is struck inside **2**. "There after" are
the statements whose work is in the database once nothing is at work any more, read from the
catalogue and the rows, never from the tool's word.

An emulated tool could not be installed here: what it sends comes from its adapter in
`harness/tools`. The others are the real programs.
"""


def text(results: Sequence[Mapping[str, Any]], absent: Sequence[str]) -> str:
    """The whole page."""
    parts = [HEAD]
    for engine in dict.fromkeys(result["engine"] for result in results):
        own = [result for result in results if result["engine"] == engine]
        parts.append(f"\n## {engine} {own[0]['server_version']}\n")
        for way, title in WAYS.items():
            parts.append(f"### When {title}\n")
            parts.append(
                "| tool | there after | what the tool believes | run again | what heals it |"
            )
            parts.append("|---|---|---|---|---|")
            parts += [_row(result, way) for result in own]
            parts.append("")
    if absent:
        parts.append(f"Not run, for the program was not there: {', '.join(absent)}.\n")
    return "\n".join(parts)


def _row(result: Mapping[str, Any], way: str) -> str:
    title = result["tool"]
    for migration in result["migrations"]:
        if migration["broken"]:
            return f"| {title} | fails by itself: {_cell(migration['broken'])} | | | |"
        cell = _inside_the_second(migration, way)
        if cell is None:
            return f"| {title} | no such cell | | | |"
        if cell["missed"]:
            return f"| {title} | not struck: {_cell(cell['missed'])} | | | |"
        healing = next(h for h in migration["healings"] if h["state"] == cell["state"])
        again = next((a for a in healing["attempts"] if a["kind"] == "re-run"), None)
        return " | ".join(
            [
                f"| {title}",
                _there(cell, migration["statements"]),
                _belief(cell, migration["version"]),
                _outcome(again),
                f"{_cell(cell['heals'] or 'nothing that was tried')} |",
            ]
        )
    return f"| {title} | nothing was swept | | | |"


def _inside_the_second(migration: Mapping[str, Any], way: str) -> Mapping[str, Any] | None:
    """The cell inside the second statement, or inside the one message that carries all three."""
    rows = [row for row in migration["rows"] if row["kind"] == "statement"]
    n = next((r["n"] for r in rows if r["verb"] == "UPDATE" or r["statements"] == 3), None)
    return next(
        (c for c in migration["cells"] if (c["n"], c["where"], c["way"]) == (n, "inside", way)),
        None,
    )


def _there(cell: Mapping[str, Any], statements: int) -> str:
    left = cell["left"]
    done = left["done"]
    told = {0: "none", statements: "**all**"}.get(done, ", ".join(map(str, range(1, done + 1))))
    return told if not left["differs"] else f"{told}; besides {_cell('; '.join(left['differs']))}"


def _belief(cell: Mapping[str, Any], version: str) -> str:
    told = "applied" if version in cell["applied"] else "not applied"
    return f"{told}, **dirty or locked**" if cell["stuck"] else told


def _outcome(attempt: Mapping[str, Any] | None) -> str:
    if attempt is None:
        return "not tried"
    if attempt["healed"]:
        return "ends well"
    if attempt["blocked"]:
        return "**waits for its own lock**"
    return _cell(attempt["says"])


def _cell(words: str, limit: int = 160) -> str:
    """One short line for a table, without colours and without folders of this machine."""
    plain = FOLDERS.sub("", COLOURS.sub("", words))
    told = one_line(plain.replace("|", "/"), 1000)
    return told if len(told) <= limit else f"…{told[-limit:]}"


def rows(results: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str, str, str]]:
    """(tool, engine, way, there after) of every sweep, for tests."""
    for result in results:
        for migration in result["migrations"]:
            for way in WAYS:
                cell = _inside_the_second(migration, way)
                if cell:
                    there = _there(cell, migration["statements"])
                    yield result["project"], result["engine"], way, there

"""The rooms of the house from the ground up, and what is in each.

The table that the tests read is the one that CONTRIBUTING.md shows: ``python
tests/architecture/floors.py`` writes it there anew.
"""

from __future__ import annotations

import re
from pathlib import Path

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"
FLOORS: tuple[dict[str, str], ...] = (
    {
        "errors": "the tree of exceptions, and the one table of exit codes",
    },
    {
        "bundled": "where scenarios, drills and templates lie: in the checkout or the wheel",
        "cache": "folders kept from run to run: bounded, checked, never half made",
        "model": "what the YAML becomes: frozen values",
        "record": "the append-only record of a run, what can happen in it, and its folder",
        "sqltext": "SQL files cut into statements, by each dialect's own rules",
        "waiting": "polling with a deadline, on the monotonic clock",
        "wire": "a proxy that follows both protocols and holds a run at one message",
    },
    {
        "layouts": "how each migration tool lays out its folder",
        "ports": "the protocols through which the rooms meet, and the values they exchange",
    },
    {
        "application": "the application in the background, and the ledger of its writes",
        "backends": "where servers come from: containers or local processes",
        "engines": "everything that is PostgreSQL's, MySQL's or MariaDB's alone",
        "registry": "kinds and engines by their names",
        "row_generation": "rows that fit a table, and meet what migrations do to rows",
        "servers": "one throwaway server: its guard, sessions, and what is done to its clients",
        "state": "what a database holds, and how that differs from what it held",
    },
    {
        "dumps": "dumps of the user's own: what their files tell, and how they are restored",
        "tools": "migration tools as data; run for real, or emulated in a process of their own",
        "verbs": "the words of the YAML: faults, holds, steps, claims; one file each",
    },
    {
        "loading": "YAML becomes the model; every problem with its line",
    },
    {
        "backup": "whether a backup is usable: restored, looked at, compared with one of before",
        "drill": "trials of a scenario: broken at a moment, repaired, judged from the record",
        "sweep": "every crash point of a user's own migrations, and what heals it",
    },
    {
        "rollback": "where every way down of a folder leads: executed, and foretold from its SQL",
    },
    {
        "reporting": "results as pages, texts and tables; one file a format",
    },
    {
        "cli": "the command line",
        "testing": "scenarios under a user's own pytest, and fakes of every protocol",
    },
)
NO_ROOM = frozenset({"__version__", "harness"})
"""The package itself."""


def table() -> str:
    """The rooms as CONTRIBUTING.md shows them."""
    rows = [
        f"| {floor} | `{room}` | {says} |"
        for floor, rooms in enumerate(FLOORS)
        for room, says in rooms.items()
    ]
    return "\n".join(["| floor | room | what is there |", "|---|---|---|", *rows])


def shown() -> str:
    """The table that CONTRIBUTING.md has now."""
    found = re.search(r"^\| floor \|.*?(?=\n\n)", CONTRIBUTING.read_text("utf-8"), re.M | re.S)
    return found[0] if found else ""


if __name__ == "__main__":
    CONTRIBUTING.write_text(CONTRIBUTING.read_text("utf-8").replace(shown(), table()), "utf-8")

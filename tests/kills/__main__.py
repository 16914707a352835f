"""``make kills``: sweeps a small project of every migration tool that runs here, and writes
``docs/kills.md``, "What each migration tool leaves behind when killed".

The projects are those of ``tests/fixtures/tools``: migration 2 adds a column, fills it, and makes
an index. The kill strikes inside the second of these three statements.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import page
from projects import PROJECTS, ROOT, TOOLS, environment, killed, program


def main() -> int:
    """Sweep what can be run and write the page; 1 if a sweep gave no result."""
    parser = argparse.ArgumentParser(prog="make kills", description=__doc__)
    parser.add_argument("--tools", type=Path, default=TOOLS, help="where `make tools` put them")
    parser.add_argument("--only", action="append", help="only this tool (repeatable)")
    parser.add_argument("--backend", default="auto")
    asked = parser.parse_args()
    variables = environment(asked.tools)
    every, absent, failed = [], [], False
    for project in PROJECTS:
        if asked.only and project.tool not in asked.only:
            continue
        if program(project, variables) is None:
            absent.append(project.tool)
            continue
        if project.stands_for and project.stands_for not in absent and not asked.only:
            continue
        for engine in project.engines:
            try:
                every.append(killed(project, engine, asked.backend, variables))
            except RuntimeError as error:
                failed = True
                print(error, file=sys.stderr)
    text = page.text(every, absent)
    if not asked.only:
        (ROOT / "docs" / "kills.md").write_text(text, "utf-8")
    print(text)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())

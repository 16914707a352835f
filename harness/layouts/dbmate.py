"""dbmate: both ways in one file, after ``-- migrate:up`` and ``-- migrate:down``.

Files are ``<digits>….sql`` in one folder, run in the order of their names; the version is those
digits as they are written. Each block goes to the server with its directive's line in front.
``transaction:false`` on that line, for each way on its own. Both directives are needed, up before
down, and only comments may stand before them. Newer versions take several pairs in one file, each
a transaction of its own; those are refused here.
Facts: https://github.com/amacneil/dbmate/blob/main/pkg/dbmate/migration.go and its README; the
refusals were tried with dbmate 2.36.0
"""

from __future__ import annotations

import re

from harness.layouts._folder import BOM, Folder, counted, left_out, line_at
from harness.layouts._pairs import told_twice
from harness.layouts._values import Kind, Migration, Script

_FILE = re.compile(r"(\d+).*\.sql", re.ASCII)
_BLANK = r"[\t\n\f\r ]"
_UP = re.compile(rf"^--{_BLANK}*migrate:up({_BLANK}*$|{_BLANK}+\S+)", re.MULTILINE)
_DOWN = re.compile(rf"^--{_BLANK}*migrate:down({_BLANK}*$|{_BLANK}+\S+)", re.MULTILINE)
_MARK = re.compile(r"^\ufeff?--\s*migrate:up\b", re.MULTILINE)


def matches(folder: Folder) -> str | None:
    """Evidence: how many files have the directive."""
    files = [name for name in folder.files if _FILE.fullmatch(name)]
    marked = folder.marked(files, _MARK)
    others = [name for name in folder.sql_files if name not in files]
    what = counted(len(marked), "file")
    return f"{what} with -- migrate:up{left_out(others)}" if marked else None


def read(folder: Folder) -> tuple[Migration, ...]:
    """By file name; see the module's docstring."""
    migrations, seen = [], dict[str, str]()
    for name in folder.files:
        found = _FILE.fullmatch(name)
        if not found:
            continue
        first = seen.setdefault(found[1], name)
        if first != name:
            told_twice(folder, name, found[1], first)
        migrations.append(_migration(folder, name, found[1]))
    return tuple(migrations)


def _migration(folder: Folder, name: str, version: str) -> Migration:
    text = folder.text(name)
    up, down = _UP.search(text), _DOWN.search(text)
    shown = folder.shown(name)
    if up and down and up.start() < down.start():
        _check_before(folder, name, text[: up.start()])
        if second := _UP.search(text, up.end()):
            folder.complain(
                name,
                "found a second -- migrate:up: one file is one migration here, so split it",
                line_at(text, second.start()),
            )
        ways = _block(shown, text, up.start(), down.start()), _block(shown, text, down.start())
        return Migration(version, name.removesuffix(".sql"), *ways, (shown,))
    _complain(folder, name, text, up, down)
    return Migration(version, name.removesuffix(".sql"), None, None, (shown,))


def _block(file: str, text: str, start: int, end: int | None = None) -> Script:
    block = text[start:end]
    options = [word.split(":") for word in block.split("\n", 1)[0].split()]
    return Script(file, line_at(text, start), block, ["transaction", "false"] not in options)


def _check_before(folder: Folder, name: str, before: str) -> None:
    for number, line in enumerate(before.split("\n"), 1):
        if line.strip() and not line.lstrip().startswith("--"):
            folder.complain(
                name,
                "found a statement before -- migrate:up, which dbmate refuses: move it below",
                number,
            )
            return


def _complain(
    folder: Folder,
    name: str,
    text: str,
    up: re.Match[str] | None,
    down: re.Match[str] | None,
) -> None:
    if up and down:
        line = line_at(text, down.start())
        folder.complain(name, "found -- migrate:down before -- migrate:up; swap them", line)
    elif up:
        folder.complain(
            name,
            "found no line '-- migrate:down', which dbmate requires; add one at the end",
            line_at(text, max(0, len(text) - 1)),
        )
    elif text.startswith(BOM):
        folder.complain(
            name,
            "found a byte order mark before the first line, which hides -- migrate:up from "
            "dbmate: save the file without it",
        )
    else:
        folder.complain(name, "found no line '-- migrate:up', which dbmate requires; add it")


KIND = Kind("dbmate", "dbmate", "1_name.sql with -- migrate:up", matches, read)

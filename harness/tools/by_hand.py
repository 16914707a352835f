"""What a person types in an emergency: the tool's own commands, or SQL, for this very folder.

Every line can be pasted as it stands: into a shell (bash or zsh), or, where it is SQL, into the
client of the server. SQL ends with a semicolon, and brings its own DELIMITER where the client would
cut a body in pieces.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness import sqltext
from harness.errors import ScenarioError
from harness.layouts import Migration, Script
from harness.ports import Engine
from harness.tools.adapter import Adapter, Line, Repair, Words, filled, for_dialect, in_sql

ADDRESS: Mapping[str, str] = {
    "url": '"$DATABASE_URL"',
    "host": '"$DATABASE_HOST"',
    "port": '"$DATABASE_PORT"',
    "user": '"$DATABASE_USER"',
    "password": '"$DATABASE_PASSWORD"',
    "database": '"$DATABASE_NAME"',
}
"""Stands for the address of the server that is to be mended, in the tool's own words; it is not
the one that was drilled on."""

FILES = {"{file}": "up", "{down_file}": "down"}
"""The words of a line that name a script of the migration, and which."""

OPTIONAL = re.compile(r" \[([^\[\]{}]*\{(\w+)\}[^\[\]{}]*)\]")
"""``[--to-change {previous}]``: left out if the value is empty."""

DELIMITERS = ("//", "$$", ";;;", "@@@@")


class ByHand:
    """Makes lines that can be pasted.

    ``values`` of each call are ``version``, ``previous``, ``name`` and ``sha256`` of the migration.
    """

    def __init__(
        self,
        tool: Adapter,
        engine: Engine,
        folder: Path,
        more: Mapping[str, str],
        migrations: Sequence[Migration] = (),
    ) -> None:
        """``more`` fills in what else the adapter's lines name: ``project``, ``app``, ``marker``.

        ``migrations`` are those whose scripts a line may name by ``{file}`` and ``{down_file}``.
        """
        self._tool = tool
        self._engine = engine
        self._migrations = {migration.version: migration for migration in migrations}
        self._in_sql = dict(more)
        self._more = {
            "program": shlex.quote(tool.program or tool.id),
            "folder": _quoted_path(str(folder)),
            **ADDRESS,
            **{name: shlex.quote(value) for name, value in more.items()},
        }

    def up(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Run the tool."""
        lines = self._lines(self._tool.shell.up, self._tool.apply, values)
        return lines or (f"# run {self._tool.title}",)

    def down(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Take the migration back, and make the tool know it where it does not by itself."""
        shell = self._tool.shell
        first = values["previous"] == self._tool.none and shell.down_first
        lines = self._lines(first or shell.down, self._tool.down, values)
        told = self.unmark(values) if self._tool.down_by_hand else ()
        return (*(lines or (f"# take {values['name']} back by {self._tool.title}",)), *told)

    def repair(self, repair: Repair, values: Mapping[str, Any]) -> tuple[str, ...]:
        """A documented way out."""
        sql = () if repair.shell else self._sql(repair.sql, values)
        return (*sql, *self._lines(repair.shell, repair.run, values))

    def mark(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Make the tool take the migration for applied."""
        lines = self._lines(self._tool.shell.mark, self._tool.mark_command, values)
        if lines:
            return lines
        sql = self._sql(self._tool.mark_applied, values)
        return (*sql, *self._lines(self._tool.shell.after_mark, (), values)) if sql else ()

    def unmark(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Make the tool take the migration for not applied."""
        lines = self._lines(self._tool.shell.unmark, (), values)
        return lines or self._sql(self._tool.mark_reverted, values)

    def sql(self, statements: Iterable[str]) -> tuple[str, ...]:
        """Statements as they are pasted into the server's client."""
        return tuple(sql_line(sql, self._engine.dialect) for sql in statements)

    # ------------------------------------------------------------------ the parts of a line

    def _lines(
        self, line: Line, argv: Words | Mapping[str, Words], values: Mapping[str, Any]
    ) -> tuple[str, ...]:
        """What is typed; else the command as it is run here; none if there is neither."""
        typed = self._of(line) or " ".join(_quoted(word) for word in self._of(argv))
        if not typed:
            return ()
        files = {}
        for word, way in FILES.items():
            script = self._script(way, values) if word in typed else None
            if script is None:
                continue
            if not self._client_reads(script):
                return self._one_by_one(script, way)
            files[word.strip("{}")] = in_shell(script)
        return (self._filled(typed, values, files),)

    def _filled(
        self, line: str, values: Mapping[str, Any], files: Mapping[str, str] | None = None
    ) -> str:
        own = {name: shlex.quote(str(value)) for name, value in values.items()}

        def kept(found: re.Match[str]) -> str:
            return f" {found[1]}" if str(values.get(found[2], "")) else ""

        return filled(OPTIONAL.sub(kept, line), {**self._more, **own, **(files or {})})

    def _sql(
        self, statements: Words | Mapping[str, Words], values: Mapping[str, Any]
    ) -> tuple[str, ...]:
        every = in_sql({**self._in_sql, **values})
        return self.sql(filled(sql, every) for sql in self._of(statements))

    def _of(self, value: Any) -> Any:
        found = for_dialect(value, self._engine.name, self._engine.dialect)
        return found or ()

    # ------------------------------------------------------------------ scripts

    def _script(self, way: str, values: Mapping[str, Any]) -> Script | None:
        migration = self._migrations.get(str(values["version"]))
        script: Script | None = getattr(migration, way, None)
        return script

    def _client_reads(self, script: Script) -> bool:
        """Whether the client, given that part of the file, sends the same statements."""
        if not script.as_in_file:
            return False
        cut, own = _cut(script.text, self._engine.dialect), script.cut(self._engine.dialect)
        return [_bare(one.text) for one in cut] == [_bare(one.text) for one in own]

    def _one_by_one(self, script: Script, way: str) -> tuple[str, ...]:
        """The statements as the tool sends them, where the client would send others."""
        sends = self._of(self._tool.emulation) or None
        around: tuple[Words, Words] = ((), ())
        if sends and way == "up":
            around = (sends.before, sends.after)
        elif sends:
            before, after = sends.before_down, sends.after_down
            around = (
                sends.before if before is None else before,
                sends.after if after is None else after,
            )
        statements = [one.text for one in script.cut(self._engine.dialect)]
        return self.sql((*around[0], *statements, *around[1]))


def in_shell(script: Script) -> str:
    """The script for a shell: its file, or those lines of a file that holds more."""
    path = Path(script.file)
    whole = script.line == 1 and path.read_bytes().decode(errors="replace") == script.text
    quoted = _quoted_path(script.file)
    if whole:
        return quoted
    last = script.line + max(0, script.text.rstrip("\n").count("\n"))
    return f"<(sed -n '{script.line},{last}p' {quoted})"


def sql_line(sql: str, dialect: sqltext.Dialect) -> str:
    """One statement as it is pasted into the server's client."""
    bare = _bare(sql)
    cut = _cut(f"{bare}\n;", dialect)
    if len(cut) == 1:
        # what follows its last token is a comment, which would hide the semicolon
        return f"{bare[: cut[0].end]};"
    mark = next(mark for mark in DELIMITERS if mark not in bare)
    delimited = f"DELIMITER {mark}\n{bare}\n{mark}\nDELIMITER ;"
    return delimited if len(_cut(delimited, dialect)) == 1 else f"{bare};"


def _cut(sql: str, dialect: sqltext.Dialect) -> Sequence[sqltext.Statement]:
    """The statements that the client would send; none if it could not read them."""
    try:
        return sqltext.split(sql, dialect)
    except ScenarioError:
        return ()


def _bare(sql: str) -> str:
    return sql.strip().rstrip(";").rstrip()


def _quoted_path(path: str) -> str:
    """A path that no command takes for an option."""
    return shlex.quote(f"./{path}" if path.startswith("-") else path)


def _quoted(word: str) -> str:
    """A word of a command; its placeholders stay bare, since what fills them is quoted."""
    parts = re.split(r"(\{\w+\})", word)
    return "".join(part if n % 2 else part and shlex.quote(part) for n, part in enumerate(parts))

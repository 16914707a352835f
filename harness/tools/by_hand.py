"""What a person types in an emergency: the tool's own commands, or SQL, for this very folder."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.ports import Engine
from harness.tools.adapter import Adapter, Repair, Words, filled, for_dialect

ADDRESS = '"$DATABASE_URL"'
"""Stands for the address of the server that is to be mended; every shell has a word for it."""


class ByHand:
    """Lines that can be pasted: for a shell, or SQL, which ends with a semicolon.

    ``values`` of each call are ``version``, ``previous`` and ``name`` of the migration.
    """

    def __init__(
        self, tool: Adapter, engine: Engine, folder: Path, more: Mapping[str, str]
    ) -> None:
        """``more`` fills in what else the adapter's lines name: ``project``, ``app``."""
        self._tool = tool
        self._engine = engine
        self._more = {
            "program": shlex.quote(tool.program or tool.id),
            "folder": shlex.quote(str(folder)),
            "url": ADDRESS,
            **{name: shlex.quote(value) for name, value in more.items()},
        }

    def up(self, values: Mapping[str, Any]) -> str:
        """Run the tool."""
        return self._line(self._tool.shell.up, self._tool.apply, values)

    def down(self, values: Mapping[str, Any]) -> str:
        """Take the migration back."""
        return self._line(self._tool.shell.down, self._tool.down, values)

    def repair(self, repair: Repair, values: Mapping[str, Any]) -> tuple[str, ...]:
        """A documented way out."""
        if repair.shell:
            return (self._filled(repair.shell, values),)
        argv = self._of(repair.run)
        commands = (self._argv(argv, values),) if argv else ()
        return (*self._sql(repair.sql, values), *commands)

    def mark(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Make the tool take the migration for applied."""
        command = self._of(self._tool.mark_command)
        if self._tool.shell.mark or command:
            return (self._line(self._tool.shell.mark, command, values),)
        return self._sql(self._tool.mark_applied, values)

    def unmark(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """Make the tool take the migration for not applied."""
        return self._sql(self._tool.mark_reverted, values)

    def _line(self, line: str, argv: Words | Mapping[str, Words], values: Mapping[str, Any]) -> str:
        return self._filled(line, values) if line else self._argv(self._of(argv), values)

    def _argv(self, argv: Iterable[str], values: Mapping[str, Any]) -> str:
        """A command as it was run, with the placeholders of our server in the shell's own words."""
        return " ".join(self._filled(_quoted(word), values) for word in argv)

    def _sql(
        self, statements: Words | Mapping[str, Words], values: Mapping[str, Any]
    ) -> tuple[str, ...]:
        return tuple(f"{filled(sql, values).strip()};" for sql in self._of(statements))

    def _filled(self, text: str, values: Mapping[str, Any]) -> str:
        own = {name: shlex.quote(str(value)) for name, value in values.items()}
        return filled(text, {**self._more, **own})

    def _of(self, value: Words | Mapping[str, Words]) -> Words:
        words: Words = for_dialect(value, self._engine.name, self._engine.dialect)
        return words


def _quoted(word: str) -> str:
    """As it is where a placeholder is all of it, since that brings its own quotes."""
    return word if word.startswith("{") and word.endswith("}") else shlex.quote(word)

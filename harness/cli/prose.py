"""A scenario told in prose, for ``mdrill explain`` and ``mdrill practice``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from harness.model import Procedure, Scenario, Sql, word_of


def explanation(scenario: Scenario) -> str:
    """The whole story, commands included: what will be run is never a surprise."""
    parts = [
        f"{scenario.title}  ({scenario.id}, level {scenario.level})",
        scenario.source and f"after: {scenario.source}",
        "",
        _wrapped(scenario.story),
        "",
        f"The migration ({scenario.migration.tool}, as: {', '.join(scenario.migration.modes)})",
        *(_sql(sql) for sql in scenario.migration.statements),
        "",
        "What strikes",
        *(f"  {fault.id}: {word_of(fault.kind)}, {fault.at}" for fault in scenario.faults),
        "",
        "Recoveries that must work",
        *_procedures(scenario.recoveries),
        "",
        "Decoys that must be caught",
        *_procedures(scenario.decoys),
        "",
        "PASS will mean",
        *(f"  - {claim.name}" for claim in scenario.verify),
        scenario.app and "  - ledger: no acknowledged write lost, changed or resurrected",
        *(f"  - {item} is as before" for item in scenario.untouched),
        "",
    ]
    return "\n".join(part for part in parts if isinstance(part, str))


def procedure(item: Procedure) -> str:
    """One procedure with every command in it."""
    return "\n".join(_procedures([item]))


def _procedures(procedures: Iterable[Procedure]) -> Iterable[str]:
    for item in procedures:
        yield f"  {item.id}: {item.title}"
        for step in item.steps:
            condition = " (only if needed)" if step.unless or step.only_if else ""
            yield f"      - {step.name}{condition}"
            sql = getattr(step.action, "sql", None)
            for text in sql if isinstance(sql, tuple) else (sql,) if sql else ():
                yield _sql(text, 10)
        if item.caught_by:
            yield f"      caught by: {', '.join(item.caught_by)}"


def _sql(sql: Sql, indent: int = 2) -> str:
    texts = {"": sql} if isinstance(sql, str) else sql
    lines = [(f"[{dialect}] " if dialect else "") + text.strip() for dialect, text in texts.items()]
    return textwrap.indent("\n".join(lines), " " * indent)


def _wrapped(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 88)

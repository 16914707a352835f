"""A scenario told in prose, for ``mdrill explain`` and ``mdrill practice``."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from dataclasses import fields
from typing import Any

from harness.model import Fault, Procedure, Scenario, Sql, word_of


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
        *map(_fault, scenario.faults),
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
        scenario.app and "    (at the end, after any step, or as the application reads it)",
        *(f"  - {item} is as before" for item in scenario.untouched),
        "",
    ]
    return "\n".join(part for part in parts if isinstance(part, str))


def _fault(item: Fault) -> str:
    """When it strikes, and what was deployed by then."""
    told = f"  {item.id}: {word_of(item.kind)}, {item.at}"
    deployed = (f"version {step.deploys} after statement {step.after}" for step in item.rollout)
    return told + (f"; deployed by then: {', '.join(deployed)}" if item.rollout else "")


def procedure(item: Procedure) -> str:
    """One procedure with every command in it."""
    return "\n".join(_procedures([item]))


def _procedures(procedures: Iterable[Procedure]) -> Iterable[str]:
    for item in procedures:
        yield f"  {item.id}: {item.title or 'no title'}"
        for step in item.steps:
            condition = " (only if needed)" if step.unless or step.only_if else ""
            yield f"      - {step.name}{condition}"
            yield from _command(step.action)
        if item.caught_by:
            yield f"      caught by: {', '.join(item.caught_by)}"


def _command(action: Any) -> Iterable[str]:
    """What a step will do, as its YAML says it: SQL in full, any other verb with its fields."""
    word = word_of(action).replace("-", "_")
    for field in fields(action):
        value = getattr(action, field.name)
        if field.name in ("sql", "end_listed"):
            for text in value if isinstance(value, tuple) else (value,):
                yield _sql(text, 10)
        elif field.name == word or value != field.default:
            shown = getattr(value, "probe", value)
            yield f"          {field.name}: {shown}"


def _sql(sql: Sql, indent: int = 2) -> str:
    texts = {"": sql} if isinstance(sql, str) else sql
    lines = [(f"[{dialect}] " if dialect else "") + text.strip() for dialect, text in texts.items()]
    return textwrap.indent("\n".join(lines), " " * indent)


def _wrapped(text: str) -> str:
    return textwrap.fill(" ".join(text.split()), 88)

"""What an engine's folder holds, and what its modules share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from harness.errors import StepFailed
from harness.ports import Recipe, ToolResult
from harness.ports.engine_contents import (
    CatalogModule,
    PlansModule,
    ProbingModule,
    SnapshotModule,
    TableSpecsModule,
)
from harness.ports.engine_sessions import (
    ConnectorModule,
    DatabasesModule,
    SessionsModule,
    StatementLogModule,
)
from harness.ports.engines import BackupsModule, HoldingModule, StatementHoldsModule
from harness.sqltext import Dialect


@dataclass(frozen=True)
class EngineFacts:
    """A value that satisfies :class:`harness.ports.Engine`; an engine's folder holds one.

    Its modules take the sessions of its own connector, and nobody else's.
    """

    name: str
    title: str
    dialect: Dialect
    traits: frozenset[str]
    recipe: Recipe
    connector: ConnectorModule[Any]
    databases: DatabasesModule[Any]
    sessions: SessionsModule[Any]
    statement_log: StatementLogModule[Any]
    catalog: CatalogModule[Any]
    plans: PlansModule[Any]
    backups: BackupsModule[Any]
    holding: HoldingModule[Any]
    statement_holds: StatementHoldsModule[Any]
    table_specs: TableSpecsModule[Any]
    snapshot: SnapshotModule[Any]
    probing: ProbingModule

    @property
    def label(self) -> str:
        return f"{self.name}:{self.recipe.asked}" if self.recipe.asked else self.name

    def at(self, version: str) -> EngineFacts:
        return replace(self, recipe=self.recipe.at(version))


def succeeded(result: ToolResult, tool: str) -> ToolResult:
    """The result itself; StepFailed with the tool's stderr unless it ended with exit code 0."""
    if result.exit_code != 0:
        said = result.stderr.decode("utf-8", "replace").strip()
        raise StepFailed(f"{tool} ended with exit code {result.exit_code}: {said}")
    return result

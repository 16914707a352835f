"""What was found out of each backup, and what it comes to; the only source of every report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from harness.backup.findings import Finding, Verdict, verdict
from harness.errors import ExitCode
from harness.record.run_folder import as_json


@dataclass(frozen=True)
class BackupResult:
    """One dump. Times are in ms, sizes in bytes; ``age_s`` is None where nothing tells it."""

    path: str
    engine: str = ""
    format: str = ""
    tool: str = ""
    dumped_from: str = ""
    taken: str = ""
    taken_by: str = ""
    """Whose word that is: the dump's, or its file's."""
    age_s: float | None = None
    size: int = 0
    sha256: str = ""
    server_version: str = ""
    image: str = ""
    read_ms: float = 0
    start_ms: float = 0
    restore_ms: float | None = None
    verify_ms: float | None = None
    tables: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    kinds: Mapping[str, int] = field(default_factory=dict)
    links: int = 0
    made: tuple[str, ...] = ()
    compared_with: str = ""
    manifest: str = ""
    """Where one was written."""
    findings: tuple[Finding, ...] = ()

    @property
    def verdict(self) -> Verdict:
        return verdict(self.findings)

    @property
    def rows(self) -> int:
        return sum(count for count, _ in self.tables.values())


@dataclass(frozen=True)
class BackupsResult:
    """All that were asked for, in the order of their age."""

    run: str
    started: str
    version: str
    command: str
    backups: tuple[BackupResult, ...]
    skipped: tuple[str, ...] = ()

    @property
    def exit_code(self) -> ExitCode:
        """Red if one is not usable, unknown if one is not proven; nothing is never green."""
        found = {backup.verdict for backup in self.backups}
        if not found:
            return ExitCode.NOTHING
        if Verdict.NOT_USABLE in found:
            return ExitCode.RED
        return ExitCode.UNKNOWN if Verdict.NOT_PROVEN in found else ExitCode.GREEN


def to_json(result: BackupsResult) -> str:
    """``backup.json``."""
    backups = [_told(backup) for backup in result.backups]
    return as_json({**asdict(result), "backups": backups, "exit_code": int(result.exit_code)})


def _told(backup: BackupResult) -> dict[str, Any]:
    return {
        **asdict(backup),
        "verdict": backup.verdict.value,
        "rows": backup.rows,
        "findings": _findings(backup.findings),
    }


def _findings(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    return [{**asdict(finding), "grade": finding.grade.value} for finding in findings]

"""backup.md: what fits a ticket, a pull request or the step summary of a CI job."""

from __future__ import annotations

import html
from collections.abc import Iterator

from harness.backup.findings import Grade
from harness.backup.results import BackupResult, BackupsResult
from harness.reporting import Format
from harness.reporting.backup import view
from harness.reporting.words import duration, number, one_line

FILE_NAME = "backup.md"
TABLES = 200
WORDS = {Grade.BROKEN: "broken", Grade.UNPROVEN: "not proven", Grade.NOTE: "note"}


def render(result: BackupsResult) -> str:
    """The verdicts, then each backup with its times, findings and tables."""
    lines = [
        "# Are these backups usable?", "", f"`{one_line(result.command, 400)}`, {result.started}, "
        f"migration-drill {result.version}", "",
        "| backup | verdict | made | size | start | restore | verify |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    lines += [
        f"| {_cell(b.path)} | **{b.verdict.value}** | {_cell(b.taken)} | {view.size(b.size)} | "
        f"{duration(b.start_ms)} | {duration(b.restore_ms)} | {duration(b.verify_ms)} |"
        for b in result.backups
    ]
    for backup in result.backups:
        lines += _of_one(backup)
    lines += [f"\nSkipped, no dump: {_cell(name)}" for name in result.skipped]
    return "\n".join(lines) + "\n"


def _of_one(backup: BackupResult) -> Iterator[str]:
    yield from ("", f"## {_cell(backup.path)}", "")
    yield f"**{backup.verdict.value}**: {view.MEANS[backup.verdict]}."
    yield ""
    for line in view.facts(backup):
        yield f"- {_cell(line, 400)}"
    if backup.sha256:
        yield f"- sha256 `{backup.sha256}`"
    if backup.findings:
        yield from ("", "| | finding | found, wanted | next |", "|---|---|---|---|")
    for finding, told in view.findings(backup):
        yield (
            f"| {WORDS[finding.grade]} | {finding.name} | {_cell(told, 600)} | "
            f"{_cell(finding.next_move, 300)} |"
        )
    if backup.tables:
        yield from ("", "| table | rows | checksum |", "|---|---|---|")
    for name, (rows, checksum) in sorted(backup.tables.items())[:TABLES]:
        yield f"| {_cell(name)} | {number(rows)} | {_cell(checksum)} |"
    if len(backup.tables) > TABLES:
        yield f"\n… and {len(backup.tables) - TABLES} more, in backup.json"


def _cell(text: str, limit: int = 200) -> str:
    return html.escape(one_line(text, limit), quote=False).replace("|", "\\|")


KIND = Format(FILE_NAME, render)

"""Backups as text for a terminal: the verdict, what was read, what speaks against it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from harness.backup.results import BackupResult, BackupsResult
from harness.reporting.backup import view
from harness.reporting.words import one_line


def text(result: BackupsResult) -> str:
    """Each backup, the oldest first; then how many came out how."""
    lines = [line for backup in result.backups for line in _of_one(backup)]
    lines += [one_line(f"skipped, no dump: {name}", 300) for name in result.skipped]
    counts = Counter(backup.verdict.value for backup in result.backups)
    if len(result.backups) != 1:
        told = ", ".join(f"{count} {word}" for word, count in counts.items())
        lines.append(told or "no dump was found, so nothing was proved")
    return "\n".join(lines)


def _of_one(backup: BackupResult) -> Iterator[str]:
    yield one_line(f"{backup.verdict.value}  {backup.path}: {view.MEANS[backup.verdict]}", 400)
    for line in view.facts(backup):
        yield f"  {line}"
    for finding, told in view.findings(backup):
        yield f"  {view.SIGNS[finding.grade]} {finding.name}: {told}"
        if finding.next_move:
            yield f"      next: {one_line(finding.next_move, 300)}"
    if backup.manifest:
        yield f"  manifest: {one_line(backup.manifest)}"
    yield ""

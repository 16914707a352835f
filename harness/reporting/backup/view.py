"""What every format says of one backup, in words."""

from __future__ import annotations

from collections.abc import Iterator

from harness.backup.findings import Finding, Grade, Verdict
from harness.backup.judging import hours
from harness.backup.results import BackupResult
from harness.reporting.words import duration, number, one_line, plural

SIGNS = {Grade.BROKEN: "✗", Grade.UNPROVEN: "?", Grade.NOTE: "·"}
MEANS = {
    Verdict.USABLE: "restored, read and asked; nothing speaks against it",
    Verdict.NOT_USABLE: "do not rely on it",
    Verdict.NOT_PROVEN: "nobody can tell yet",
}
UNITS = ("B", "kB", "MB", "GB", "TB")


def size(bytes_: float) -> str:
    """As people say it: ``13.3 kB``."""
    unit = 0
    while bytes_ >= 1000 and unit < len(UNITS) - 1:
        bytes_, unit = bytes_ / 1000, unit + 1
    return f"{bytes_:.0f} B" if unit == 0 else f"{bytes_:.1f} {UNITS[unit]}"


def of_file(backup: BackupResult) -> str:
    """What the file itself tells; "" if it could not be read."""
    if not backup.sha256:
        return ""
    told = [backup.format, f"by {backup.tool}" if backup.tool else ""]
    told.append(f"from version {backup.dumped_from}" if backup.dumped_from else "")
    age = f", {hours(backup.age_s)} old" if backup.age_s is not None else ""
    told.append(f"made {backup.taken} by {backup.taken_by}{age}")
    told.append(size(backup.size))
    return "; ".join(filter(None, told))


def of_restore(backup: BackupResult) -> str:
    """Where it was restored, and how long that took."""
    if not backup.server_version:
        return ""
    where = f"{backup.engine} {backup.server_version}"
    start = f"server {duration(backup.start_ms)}"
    if backup.restore_ms is None:
        return f"not restored into {where} ({start})"
    return (
        f"restored into {where} in {duration(backup.restore_ms)} "
        f"({start}, looked at in {duration(backup.verify_ms)})"
    )


def of_content(backup: BackupResult) -> str:
    """What was read; "" if nothing was."""
    if backup.restore_ms is None:
        return ""
    others = ("table", "sequence")
    kinds = [f"{number(n)} {kind}" for kind, n in backup.kinds.items() if kind not in others]
    return "; ".join(
        (
            f"{plural(backup.rows, 'row')} of {plural(len(backup.tables), 'table')} read",
            f"{plural(backup.links, 'foreign key')} asked",
            one_line(", ".join(kinds), 160) or "no other objects",
        )
    )


def of_comparison(backup: BackupResult) -> str:
    """What it was compared with, or what that leaves open."""
    if backup.restore_ms is None:
        return ""
    if backup.compared_with:
        return f"compared with {backup.compared_with}"
    return (
        "compared with nothing: that no table and no row is missing is not proved. "
        "Next: --manifest, and --against it later"
    )


def facts(backup: BackupResult) -> list[str]:
    """The lines that stand under the verdict."""
    told = [
        of_file(backup), of_restore(backup), of_content(backup), of_comparison(backup),
        *backup.made,
    ]  # fmt: skip
    return [one_line(line, 400) for line in told if line]


def findings(backup: BackupResult) -> Iterator[tuple[Finding, str]]:
    """The worst first, each with what was found and wanted."""
    order = list(Grade)
    for finding in sorted(backup.findings, key=lambda f: order.index(f.grade)):
        yield finding, one_line(str(finding), 600)

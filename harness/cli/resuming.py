"""``mdrill sweep --resume``: the wishes of an earlier sweep, if all is as it was."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.cli.sweep_selection import SweepPlan
from harness.errors import UsageError
from harness.record import timeline
from harness.record.run_folder import RunFolder
from harness.sweep import results
from harness.sweep.events import FILE_NAME, OF_A_SWEEP
from harness.sweep.results import SweepHeader
from harness.sweep.resumption import Known, known

PATHS = frozenset({"path", "seed_sql", "seed_dump", "out", "baseline", "junit"})
LISTS = ("image", "only", "ways", "placeholder")
ANEW = "sweep it anew, without --resume"


@dataclass(frozen=True)
class Earlier:
    """A sweep that is taken up again."""

    folder: Path
    header: SweepHeader
    wishes: Mapping[str, Any]
    """What its command line said, by option."""
    known: Known

    @property
    def chosen(self) -> dict[str, Any]:
        """What names the versions of that sweep, wherever a revision points to by now."""
        if not self.wishes.get("since"):
            return {}
        return {"only": self.header.planned, "range_": None, "since": None}

    def check_folder(self, planned: SweepPlan) -> None:
        """UsageError if a migration or the tool is another than it was."""
        had, has = self.header.prints, prints(planned)
        other = [name for name in {**had, **has} if had.get(name) != has.get(name)]
        if other:
            told = ", ".join(other[:5]) + (" …" if len(other) > 5 else "")
            raise UsageError(
                f"{self.folder}: {told}: changed since that sweep began; what it found out would "
                f"be told of something else. Next: {ANEW}"
            )

    def check_server(self, version: str) -> None:
        """UsageError if the server is of another version."""
        if version != self.header.server_version:
            raise UsageError(
                f"{self.folder}: that sweep began on version {self.header.server_version}, and "
                f"the server that can be had now is {version}. Next: --image or --backend as "
                f"then, or {ANEW}"
            )


def take_up(folder: Path) -> Earlier:
    """Read what an earlier sweep wished and found out. UsageError if it is none."""
    run = RunFolder.open(folder)
    header = results.header_of(run)
    record = run.path / FILE_NAME
    if not header.sweep or not header.prints:
        raise UsageError(f"{folder} is no sweep; `mdrill sweep` makes such folders")
    wishes = {k: _wish(k, v) for k, v in header.sweep.items()}
    events = timeline.read(record, OF_A_SWEEP) if record.exists() else ()
    return Earlier(folder, header, wishes, known(events))


def _wish(option: str, value: Any) -> Any:
    """An option's value as the command line gives it."""
    if option in LISTS:
        return tuple(value)
    return Path(value) if option in PATHS and value else value


def prints(planned: SweepPlan) -> dict[str, str]:
    """A short hash of each migration's files, and of how the tool is told to run them."""
    told = {
        migration.name: _short(*(_bytes(Path(file)) for file in migration.files))
        for migration in planned.migrations
    }
    return {**told, planned.tool.title: _short(repr(planned.tool).encode())}


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def _short(*texts: bytes) -> str:
    return hashlib.sha256(b"\0".join(texts)).hexdigest()[:12]

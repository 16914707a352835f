"""What a proven dump held, kept beside it so that it, and later ones, can be compared with that."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from harness.backup.content import Content
from harness.errors import UsageError
from harness.record.run_folder import as_json, write_atomically

ENDING = ".manifest.json"
FORMAT = 1


@dataclass(frozen=True)
class Manifest:
    """``tables`` has the number of rows and a checksum of each, ``objects`` are kinds with names,
    ``sequences`` what each gives next.
    """

    dump: str
    sha256: str
    size: int
    engine: str
    server_version: str
    taken: str
    proven: str
    tables: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    objects: tuple[str, ...] = ()
    sequences: Mapping[str, int] = field(default_factory=dict)
    format: int = FORMAT

    def to_json(self) -> str:
        return as_json(asdict(self))


def path_of(dump: Path) -> Path:
    """Where the manifest of a dump lies: beside it."""
    return dump.with_name(dump.name + ENDING)


def write(dump: Path, manifest: Manifest) -> Path:
    """Beside the dump; EnvironmentProblem if that cannot be written."""
    path = path_of(dump)
    write_atomically(path, manifest.to_json())
    return path


def read(path: Path) -> Manifest:
    """UsageError if it is none."""
    try:
        told: Any = json.loads(path.read_text("utf-8"))
        tables = {name: (int(rows), str(sum_)) for name, (rows, sum_) in told["tables"].items()}
        if told["format"] != FORMAT:
            raise UsageError(f"{path}: found format {told['format']}, wanted {FORMAT}")
        return Manifest(**{**told, "tables": tables, "objects": tuple(told["objects"])})
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{path} is no manifest of a dump; wanted one that `mdrill backup --manifest` wrote"
        ) from error


def sequences_of(content: Content) -> dict[str, int]:
    """What each sequence, or column that numbers itself, gives next."""
    return {name: counter.next for name, counter in content.counters.items()}

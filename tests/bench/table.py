"""Medians, quartiles and ratios: printed as a table, written as JSON."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

OURS = "mdrill"


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, quartiles and extremes; the values' own unit."""
    many = len(values) > 1
    low, middle, high = (
        statistics.quantiles(values, n=4, method="inclusive") if many else (values[0],) * 3
    )
    return {"median": middle, "q1": low, "q3": high, "least": min(values), "most": max(values)}


def compared(times: dict[str, list[float]]) -> dict[str, Any]:
    """Each way's seconds, and of each but ours how many times longer, round by round."""
    ours = times[OURS]
    return {
        "seconds": {way: {**spread(took), "rounds": took} for way, took in times.items()},
        "ratio": {
            way: spread([theirs / mine for theirs, mine in zip(took, ours, strict=True)])
            for way, took in times.items()
            if way != OURS
        },
    }


def lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The table, one line for each way of running a cell."""
    told = [f"{'engine':<12}{'cell':<14}{'way':<34}{'median':>9}{'quartiles':>15}  ratio"]
    for row in rows:
        for way, took in row["seconds"].items():
            line = (
                f"{row['engine']:<12}{row['cell']:<14}{way:<34}{took['median']:>7.2f} s"
                f"{took['q1']:>7.2f}-{took['q3']:.2f} s"
            )
            ratio = row["ratio"].get(way)
            if ratio:
                line += f"  {ratio['median']:.1f}x ({ratio['least']:.1f} to {ratio['most']:.1f})"
            told.append(line)
    return told


def phases(rows: Sequence[dict[str, Any]]) -> list[str]:
    """Where our own trial's time goes: the median of each phase, in milliseconds."""
    return [
        f"{row['engine']:<12}{row['cell']:<14}"
        + " · ".join(f"{name} {ms:.0f}" for name, ms in row["phases_ms"].items() if ms >= 1)
        for row in rows
    ]


def write(folder: Path, record: dict[str, Any]) -> Path:
    """``<folder>/<time>.json`` with the machine's class beside the numbers."""
    now = datetime.now(UTC)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{now:%Y%m%d-%H%M%S}.json"
    machine = {
        "when": now.isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "platform": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "load_1m": os.getloadavg()[0],
    }
    path.write_text(json.dumps({**machine, **record}, indent=1) + "\n", encoding="utf-8")
    return path

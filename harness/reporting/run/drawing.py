"""Bars, marks and lanes of a timeline, and where their labels find room; nothing of a record.

Horizontal places are percentages of the shown window, so that the picture fits a phone and
a wall screen alike, and can be stretched by making it wider. Vertical places are pixels.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.reporting.words import duration

ROW = 22
"""Height of a row of bars, in pixels; a bar is a little less high."""
PLOT_PX, LETTER_PX = 880, 6.4
"""What labels are measured by; a wrong guess only cuts a label shorter."""
LABEL_PX, MOST_ROWS = 190, 4


@dataclass(frozen=True)
class Bar:
    """A span: ``x`` and ``w`` in percent, ``row`` from 0; its label goes in it or to a side,
    where ``room`` percent are free."""

    x: float
    w: float
    row: int
    tone: str
    label: str
    title: str
    open_end: bool = False
    side: str = "in"
    room: float = 0.0


@dataclass(frozen=True)
class Mark:
    """A moment: a dot whose tone and title say what happened."""

    x: float
    tone: str
    title: str


@dataclass(frozen=True)
class Track:
    """A lane: where it begins (``y``), how high it is, and what is in it."""

    name: str
    note: str
    y: int
    height: int
    bars: Sequence[Bar] = ()
    marks: Sequence[Mark] = ()
    curves: Sequence[tuple[str, str]] = ()
    """(tone, path) in a box of 1000 × height, stretched to the lane's width."""
    hidden: int = 0


@dataclass(frozen=True)
class Plot:
    """Everything the picture needs. ``ticks`` are (x, text); ``strikes`` and ``shade`` mark the
    fault: where it struck, and from there until the claims held again."""

    lanes: Sequence[Track]
    height: int
    ticks: Sequence[tuple[float, str]]
    fine_ticks: Sequence[tuple[float, str]]
    strikes: Sequence[Mark]
    shade: tuple[float, float] | None
    shade_says: str
    caption: str


class Scale:
    """Times as places; time 0 is where the shown window begins."""

    def __init__(self, begin_ns: int, end_ns: int) -> None:
        margin = max((end_ns - begin_ns) // 50, 200_000)
        self.begin_ns = begin_ns - margin
        self.zero_ns = begin_ns
        self.length_ns = end_ns - begin_ns + 2 * margin

    def x(self, t_ns: float) -> float:
        share = 100 * (t_ns - self.begin_ns) / self.length_ns
        return round(min(100.0, max(0.0, share)), 2)

    def ms(self, t_ns: float) -> str:
        return duration((t_ns - self.zero_ns) / 1e6)


def ticks_of(scale: Scale, about: int) -> list[tuple[float, str]]:
    """Round times: 1, 2 or 5 × 10ⁿ ms apart, so that there are at most ``about`` of them."""
    length_ms = scale.length_ns / 1e6
    step = next(
        base * 10**power
        for power in range(-1, 9)
        for base in (1, 2, 5)
        if length_ms / (base * 10**power) <= about
    )
    found = []
    n = 0
    while (t_ns := scale.zero_ns + n * step * 1e6) <= scale.begin_ns + scale.length_ns:
        ms = n * step
        text = "0" if n == 0 else f"{ms / 1000:g} s" if length_ms > 2_000 else f"{ms:g} ms"
        found.append((scale.x(t_ns), text))
        n += 1
    return found


def place(bars: Sequence[Bar]) -> list[Bar]:
    """Give each bar the first row (of four) in which it and its label have room."""
    taken = [0.0]
    placed: list[Bar] = []
    for bar in bars:
        row, side = next(
            (
                (row, side)
                for row, end in enumerate([*taken, 0.0][:MOST_ROWS])
                if (side := _side(bar, end))
            ),
            (min(range(len(taken)), key=taken.__getitem__), "in"),
        )
        if row == len(taken):
            taken.append(0.0)
        before = taken[row]
        taken[row] = bar.x + bar.w + (_wanted(bar) if side == "right" else 0)
        room = min(bar.x - before, _full(bar)) if side == "left" else bar.w
        placed.append(replace(bar, row=row, side=side, room=round(room, 2)))
    return [replace(b, room=_room_right(b, placed)) if b.side == "right" else b for b in placed]


def _full(bar: Bar) -> float:
    """Room for the whole label, in percent."""
    return (len(bar.label) + 2) * LETTER_PX / PLOT_PX * 100


def _wanted(bar: Bar) -> float:
    """Room without which a label is not worth writing, in percent."""
    return min(_full(bar), LABEL_PX / PLOT_PX * 100)


def _side(bar: Bar, end: float) -> str:
    """Where the label can be written if the row is taken up to ``end``; "" if nowhere."""
    if bar.x < end - 0.01:
        return ""
    if bar.w >= _wanted(bar):
        return "in"
    if bar.x + bar.w + _wanted(bar) <= 100:
        return "right"
    return "left" if bar.x - _wanted(bar) >= end else ""


def _room_right(bar: Bar, placed: Sequence[Bar]) -> float:
    right = bar.x + bar.w
    starts = [
        other.x - (other.room if other.side == "left" else 0)
        for other in placed
        if other.row == bar.row and other.x >= right
    ]
    return round(min(starts, default=100.0) - right, 2)

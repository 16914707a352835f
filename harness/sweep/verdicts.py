"""What a crash leaves and what heals it, named; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from harness.state.difference import difference, rows_lost
from harness.state.snapshot import Snapshot
from harness.sweep.reference import Reference
from harness.sweep.rivalry import RivalSeen


class Grade(StrEnum):
    """What a crash asks of a person, from nothing to too much. The order is that of harm."""

    DONE = "done"
    """The migration is through and the tool knows it."""
    SELF_HEALS = "self-heals"
    """The tool, run again, ends where an unbroken run ends."""
    TOOL_REPAIR = "needs-tool-repair"
    """A documented command of the tool, then the tool again."""
    HAND_WORK = "needs-hand-work"
    """Statements that a person has to run."""
    STUCK = "stuck-on-own-lock"
    """The tool waits for a lock that it left itself, and no command of its own frees it."""
    LOSES_DATA = "loses-data"
    """Rows go that an unbroken run keeps: by the crash for good, or by the plain re-run."""
    UNHEALED = "unhealed"
    """Nothing that was tried heals it."""
    APPLIED_TWICE = "applied-twice"
    """Two runs at once leave what one alone does not: rows that are there twice, or a state that
    neither of them says anything about."""
    FAILS_IN_ONE_RUN = "fails-in-one-run"
    """With nothing in its way it passes by itself, and not in one run with those before it."""
    FAILS_ON_ROWS = "fails-on-rows"
    """With nothing in its way it fails on tables with rows, or makes the next INSERT fail."""
    INCONCLUSIVE = "inconclusive"
    """The fault did not strike, so nothing was learned."""


HARM = tuple(grade for grade in Grade if grade is not Grade.INCONCLUSIVE)
"""What was learned, from harmless to harmful."""

LOUDNESS = (*HARM[:2], Grade.INCONCLUSIVE, *HARM[2:])
"""By what a reader must see first: what is not known hides nothing that is worse."""


def worst(grades: Collection[Grade]) -> Grade:
    """The loudest; INCONCLUSIVE where there is none, for nothing was learned."""
    return max(grades, key=LOUDNESS.index, default=Grade.INCONCLUSIVE)


@dataclass(frozen=True)
class LeftState:
    """The state that a crash left, named from the catalogue and the rows."""

    name: str = ""
    """``before``, ``after``, ``k of n``, or ``other``."""
    done: int = 0
    """Statements of the migration whose work is there."""
    key: str = ""
    differs: tuple[str, ...] = ()
    """What is different from the named state, or for ``other`` from the nearest one."""
    explained: bool = True
    """False for an ``other`` that differs in an object its next statement does not touch."""


def name(snapshot: Snapshot, reference: Reference, tables: Collection[str]) -> LeftState:
    """Name a state by the states of the unbroken run."""
    seen = snapshot.without(tables)
    key = snapshot.key(counted=tables)
    last = len(reference.states) - 1
    for at, state in enumerate(reference.states):
        if not difference(state.snapshot, seen):
            if at == last:
                return LeftState("after", reference.statements, key)
            told = "before" if at == 0 else f"{state.done} of {reference.statements}"
            return LeftState(told, state.done, key)
    return _other(seen, reference, key)


def _other(seen: Snapshot, reference: Reference, key: str) -> LeftState:
    """The nearest state, and whether only what the run is about to touch is different."""
    gaps = [difference(state.snapshot, seen) for state in reference.states]
    at = min(range(len(gaps)), key=lambda n: gaps[n].size())
    touched: set[str] = set()
    for one, next_ in zip(reference.states[at:], reference.states[at + 1 :], strict=False):
        touched |= difference(one.snapshot, next_.snapshot).objects()
    for one, next_ in zip(reference.states, reference.states[1 : at + 1], strict=False):
        touched |= difference(one.snapshot, next_.snapshot).objects()
    state = reference.states[at]
    lines = tuple(gaps[at].lines(state.snapshot, seen))
    told = f"{state.done} of {reference.statements}, and debris"
    return LeftState(told, state.done, key, lines, gaps[at].objects() <= touched)


@dataclass(frozen=True)
class Attempt:
    """One recovery that was tried on a copy of the state, judged by the snapshot."""

    name: str = ""
    kind: str = ""
    """``re-run``, ``repair``, ``down-up``, ``completion``, ``mark``."""
    healed: bool = False
    says: str = ""
    """Why not: what differs, or the tool's last words."""
    commands: tuple[str, ...] = ()
    """What a person pastes, step by step: lines for a shell, SQL with its semicolon."""
    blocked: bool = False
    """The tool waited until its deadline."""
    lost: Mapping[str, int] = field(default_factory=dict)
    """Rows by table that an unbroken run keeps."""


@dataclass(frozen=True)
class Probe:
    """A query that tells the states of a migration apart, and what it finds in this one."""

    object: str = ""
    sql: str = ""
    found: int = 0


GRADE_OF: Mapping[str, Grade] = {
    "re-run": Grade.SELF_HEALS,
    "repair": Grade.TOOL_REPAIR,
    "down-up": Grade.TOOL_REPAIR,
    "completion": Grade.HAND_WORK,
    "mark": Grade.HAND_WORK,
}


def grade(
    left: LeftState, settled: bool, attempts: Sequence[Attempt], gone: Mapping[str, int]
) -> Grade:
    """What the crash asks of a person.

    ``settled``: the tool takes the migration for applied and holds no lock. ``gone`` are rows that
    the crash itself took away. A plain re-run that loses rows counts as loss even where something
    else heals, for it is what everybody tries first, and what many deployments do by themselves.
    """
    if left.name == "after" and settled:
        return Grade.DONE
    rerun = next((attempt for attempt in attempts if attempt.kind == "re-run"), None)
    if rerun and rerun.lost:
        return Grade.LOSES_DATA
    healed = next((attempt for attempt in attempts if attempt.healed), None)
    if healed:
        return GRADE_OF[healed.kind]
    if gone or any(attempt.lost for attempt in attempts):
        return Grade.LOSES_DATA
    if rerun and rerun.blocked:
        return Grade.STUCK
    return Grade.UNHEALED


def grade_of_rivals(seen: RivalSeen, left: str, healing: Grade) -> Grade:
    """What two runs at once ask of a person; ``healing`` is the grade of the state they left."""
    if not seen.meets:
        return healing
    found = [healing]
    if seen.doubled or (seen.both_say_done and left != "after"):
        found.append(Grade.APPLIED_TWICE)
    if seen.hung:
        found.append(Grade.STUCK)
    if (seen.first_status or 0) > 0 or (seen.second_status or 0) > 0:
        found.append(Grade.SELF_HEALS)  # an application that migrates as it starts does not start
    return max(found, key=LOUDNESS.index)


def judge(snapshot: Snapshot, reference: Reference, tables: Collection[str]) -> tuple[bool, str]:
    """Whether a recovery ended where an unbroken run ends; if not, what differs."""
    gap = difference(reference.after, snapshot.without(tables))
    if not gap:
        return True, ""
    return False, "; ".join(gap.lines(reference.after, snapshot.without(tables))[:4])


def lost(snapshot: Snapshot, reference: Reference, tables: Collection[str]) -> dict[str, int]:
    """Rows by table that were there, that an unbroken migration keeps, and that are gone."""
    return rows_lost(reference.before, snapshot.without(tables), reference.after)


def rows_removed(reference: Reference) -> dict[str, int]:
    """Rows by table that the unbroken migration itself takes away."""
    before, after = reference.before.contents, reference.after.contents
    return {
        table: had - after.get(table, (0, ""))[0]
        for table, (had, _) in before.items()
        if after.get(table, (0, ""))[0] < had
    }

"""How far the way down leads back to the state before the migration; pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from harness.state.difference import Difference, difference
from harness.state.rows_difference import RowsDifference
from harness.state.snapshot import Snapshot

IRREVERSIBLE = re.compile(r"^\s*(?:--|#|//)\s*mdrill:\s*irreversible:\s*(\S.*?)\s*$", re.I | re.M)
"""The comment by which a migration says that nothing leads back, and why."""


class Leads(StrEnum):
    """Where the way down leads to. In the order of harm."""

    BACK = "restores-everything"
    """Every object and every row is as it was."""
    BACK_IN_OTHER_ORDER = "restores-all-but-column-order"
    """A column that was taken away and brought back stands last."""
    IRREVERSIBLE = "declared-irreversible"
    """The migration says that nothing leads back, and why."""
    NOWHERE = "no-way-down"
    """There is none."""
    UNKNOWN = "not-tried"
    """The sweep was cut off, or the migration fails by itself."""
    LOSES_WRITES = "loses-what-was-written-meanwhile"
    """What was there before is as it was; rows or values that the application wrote since, into
    tables and columns that are there both times, are not."""
    LOSES_DATA = "restores-schema-loses-data"
    """Every object is as it was, and rows or values are not."""
    OTHER_SCHEMA = "schema-differs"
    """Objects are not as they were."""
    REMOVES_MORE = "removes-what-up-never-made"
    """An object is gone that was there before and that the migration did not touch."""
    PRETENDS = "pretends"
    """The migration says that nothing leads back; its way down is there, and ends well."""
    FAILS = "fails"
    """It ends with an error."""


IN_WORDS: Mapping[Leads, str] = {
    Leads.BACK: "the way down restores everything",
    Leads.BACK_IN_OTHER_ORDER: "the way down restores all but the order of columns",
    Leads.IRREVERSIBLE: "declared irreversible",
    Leads.NOWHERE: "there is no way down",
    Leads.UNKNOWN: "the way down was not tried",
    Leads.LOSES_WRITES: "the way down loses what was written meanwhile",
    Leads.LOSES_DATA: "the way down restores the schema and loses data",
    Leads.OTHER_SCHEMA: "the way down leaves another schema",
    Leads.REMOVES_MORE: "the way down removes what the way up never made",
    Leads.PRETENDS: "declared irreversible, and yet there is a way down that ends well",
    Leads.FAILS: "the way down fails",
}
LIES = (
    Leads.LOSES_WRITES,
    Leads.LOSES_DATA,
    Leads.OTHER_SCHEMA,
    Leads.REMOVES_MORE,
    Leads.PRETENDS,
    Leads.FAILS,
)
"""A way down that is there, and does not lead back."""


@dataclass(frozen=True)
class Rollback:
    """What came of the way down, executed from the migrated state."""

    leads: Leads = Leads.UNKNOWN
    schema: tuple[str, ...] = ()
    """Objects that are not as they were."""
    data: tuple[str, ...] = ()
    """Rows that were there before, and are not as they were."""
    written: int = 0
    """Rows that the application wrote between up and down."""
    meanwhile: tuple[str, ...] = ()
    """What is lost of those rows with what only the way up brought, as is to be expected."""
    undone: tuple[str, ...] = ()
    """What is lost of them in tables and columns that were there before."""
    says: str = ""
    """The reason that was declared, or the tool's error."""

    @property
    def lies(self) -> bool:
        """Whether there is a way down that does not lead back."""
        return self.leads in LIES

    @property
    def differences(self) -> tuple[str, ...]:
        """What is not as it was, or why nothing leads back."""
        return tuple(part for part in (*self.schema, *self.data, *self.undone, self.says) if part)

    def in_words(self) -> str:
        """Where it leads, and what is not as it was, on one line."""
        parts = self.differences
        told = f"{IN_WORDS[self.leads]}{': ' if parts else ''}{'; '.join(parts)}"
        if self.meanwhile:
            told += f"; of what was written meanwhile: {'; '.join(self.meanwhile)}"
        return told


def declared(text: str) -> str:
    """The reason why nothing leads back, as the migration's own comment gives it; else empty."""
    found = IRREVERSIBLE.search(text)
    return found[1] if found else ""


def judge(
    before: Snapshot,
    migrated: Snapshot,
    after: Snapshot,
    rows: Sequence[RowsDifference],
    duplicate: str,
    undone: Sequence[str] = (),
) -> Rollback:
    """Compare the state after the way down with the state before; ``rows`` differ in each table,
    and ``undone`` is what is lost of what was written meanwhile.

    Values that rows gave back may be given again: only a next value that is there already counts.
    ``duplicate`` is the engine's code for a value that comes twice.
    """
    before, after = replace(before, contents={}), replace(after, contents={})
    gap = difference(before, after)
    behind = tuple(name for name in gap.counters if after.counters[name].is_behind)
    gap = replace(gap, counters=behind)
    schema = gap.lines(before, after, duplicate)
    data = tuple(str(table) for table in rows)
    leads = _leads(gap, before, migrated, data)
    if undone and leads in (Leads.BACK, Leads.BACK_IN_OTHER_ORDER):
        leads = Leads.LOSES_WRITES
    return Rollback(leads, tuple(schema), data, undone=tuple(undone))


def _leads(gap: Difference, before: Snapshot, migrated: Snapshot, data: Collection[str]) -> Leads:
    if any(migrated.objects.get(key) == before.objects[key] for key in gap.gone):
        return Leads.REMOVES_MORE
    if gap:
        return Leads.OTHER_SCHEMA
    if data:
        return Leads.LOSES_DATA
    return Leads.BACK_IN_OTHER_ORDER if gap.order else Leads.BACK

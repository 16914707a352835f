"""How one snapshot differs from another, object by object, in words."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from harness.ports.contents import Counter
from harness.state.snapshot import Snapshot

ORDER = "column order "
"""The kind of object that only tells in which order a table's columns stand."""


@dataclass(frozen=True)
class Difference:
    """What has to be told of one snapshot to somebody who knows the other; false if nothing.

    ``order`` are tables whose columns stand in another order; that alone is no difference.
    """

    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()
    """Tables there in both whose rows differ."""
    counters: tuple[str, ...] = ()
    """Sequences that were set back, or give a value that is there already."""
    order: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.size() > 0

    def size(self) -> int:
        return len(self.objects())

    def objects(self) -> frozenset[str]:
        """What differs, by kind and name; a table's rows by its bare name."""
        counters = (f"next value {name}" for name in self.counters)
        return frozenset((*self.gone, *self.new, *self.changed, *self.contents, *counters))

    def lines(self, before: Snapshot, after: Snapshot, duplicate: str = "") -> list[str]:
        """One line an object, as people read it.

        ``duplicate`` is the code of the error that the engine gives for a value that comes twice.
        """
        told = [f"gone: {name}" for name in self.gone]
        told += [f"new: {name}" for name in self.new]
        told += [
            f"changed: {name}: {after.objects[name]} (was: {before.objects[name]})"
            for name in self.changed
        ]
        for name in self.contents:
            had, has = before.contents[name][0], after.contents[name][0]
            many = f"{had} rows, now {has}" if had != has else f"{has} rows, other values"
            told.append(f"data: {name}: {many}")
        for name in self.counters:
            says = _of_counter(before.counters[name], after.counters[name], duplicate)
            told.append(f"next value: {name}: {says}")
        return told


def _of_counter(before: Counter, after: Counter, duplicate: str) -> str:
    told = f"gives {after.next} next"
    if after.next != before.next:
        told += f" (was: {before.next})"
    if not after.is_behind:
        return f"{told}, so values that were given before are given again"
    told += f", and {after.column} is at {after.farthest} already"
    if after.unique:
        code = f" with {duplicate}" if duplicate else ""
        told += f": an INSERT fails{code} (duplicate key)"
    return told


def is_set_back(before: Counter, after: Counter) -> bool:
    """A gap forward is no damage; a value that was given already, or stands there, is."""
    backwards = (before.next - after.next) * after.step > 0
    return backwards or (after.is_behind and not before.is_behind)


def difference(before: Snapshot, after: Snapshot) -> Difference:
    """What has to be told of ``after`` to somebody who knows ``before``."""
    had, has = before.objects.keys(), after.objects.keys()
    tables = before.contents.keys() & after.contents.keys()
    counters = before.counters.keys() & after.counters.keys()
    changed = sorted(k for k in had & has if before.objects[k] != after.objects[k])
    return Difference(
        gone=_apart(had - has),
        new=_apart(has - had),
        changed=_apart(changed),
        contents=tuple(sorted(t for t in tables if before.contents[t] != after.contents[t])),
        counters=tuple(
            sorted(c for c in counters if is_set_back(before.counters[c], after.counters[c]))
        ),
        order=tuple(k.removeprefix(ORDER) for k in changed if k.startswith(ORDER)),
    )


def _apart(keys: Collection[str]) -> tuple[str, ...]:
    """Without the order of columns, which is told by itself."""
    return tuple(sorted(key for key in keys if not key.startswith(ORDER)))


def rows_lost(before: Snapshot, after: Snapshot, reference: Snapshot) -> dict[str, int]:
    """Rows by table that were there, that an unbroken migration keeps, and that are gone."""
    lost = {}
    for table, (had, _) in before.contents.items():
        wanted = min(had, reference.contents.get(table, (0, ""))[0])
        has = after.contents.get(table, (0, ""))[0]
        if has < wanted:
            lost[table] = wanted - has
    return lost

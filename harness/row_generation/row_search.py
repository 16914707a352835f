"""Which rows of one table a migration fails on, and with which it goes through."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence

from harness.row_generation.keys import Key
from harness.row_generation.mixing import EVERY
from harness.row_generation.search import OutOfTries, Tries, minimal

PARTS = (4, 12, 36)
"""Of the shortest rows such a part is tried, if it must be less and less."""


class RowSearch:
    """The rows of one table; ``known`` is the smallest set of them that is known to fail.

    More rows never help, and fewer never harm: what follows from that is not tried. ``named`` gives
    those of some rows that the last error names, ``size`` how long a row's values are.
    """

    def __init__(
        self,
        keys: Sequence[Key],
        fails: Callable[[Sequence[Key]], bool],
        named: Callable[[Sequence[Key]], list[Key]],
        size: Callable[[Key], int],
    ) -> None:
        self._keys, self._ask, self._named, self._size = list(keys), fails, named, size
        self._failing: list[frozenset[Key]] = []
        self._passing: list[frozenset[Key]] = []
        self.known: Sequence[Key] = keys
        self.sets: list[list[Key]] = []
        self.complete = self.any_row = False

    def run(self, tries: Tries) -> None:
        """Whether any row will do; else one set after the other, until the rest goes through.

        If tries end before that, the last of them look for many rows that go through.
        """
        with contextlib.suppress(OutOfTries), tries.some_kept():
            self._find()
        if not (self.complete or self.any_row):
            with contextlib.suppress(OutOfTries):
                self._look_for_passing()

    def passing(self) -> tuple[Key, ...]:
        """The most rows that went through, in their order."""
        most = max(self._passing, key=len, default=frozenset())
        return tuple(key for key in self._keys if key in most)

    def _find(self) -> None:
        tried = dict.fromkeys(self._keys[n] for n in (0, -1, len(self._keys) // 2))
        if all(self._fails([key]) for key in tried):
            self.any_row = self.complete = True
            return
        left = list(self._keys)
        while left and self._asked(left):
            found = minimal(left, self._fails, self._named)
            self.sets.append(found)
            left = [key for key in left if key not in found]
        self.complete = True

    def _look_for_passing(self) -> None:
        """All others; those that fill() makes usual, if the order of keys tells; short ones."""
        bad = {key for found in self.sets for key in found}
        others = [key for key in self._keys if key not in bad]
        if others and not self._fails(others):
            self.complete = True
            return
        usual = [key for n, key in enumerate(self._keys, 1) if n % EVERY and key not in bad]
        short = sorted(others, key=self._size)
        parts = [usual, *(short[: len(short) // part] for part in PARTS)]
        for part in parts:
            if len(part) > len(self.passing()) and not self._fails(part):
                return

    def _asked(self, some: Sequence[Key]) -> bool:
        failed = self._ask(some)
        (self._failing if failed else self._passing).append(frozenset(some))
        return failed

    def _fails(self, some: Sequence[Key]) -> bool:
        rows = frozenset(some)
        if any(rows <= passing for passing in self._passing):
            return False
        if any(failing <= rows for failing in self._failing):
            return True
        failed = self._asked(some)
        if failed and not self.sets and len(some) < len(self.known):
            self.known = list(some)
        return failed

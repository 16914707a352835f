"""The smallest part of a list that a test still fails on, in as few tests as can be."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

Item = TypeVar("Item")

AT_ROW = re.compile(r"\bat row (\d+)", re.IGNORECASE)
SHORTEST = 3
"""A value of fewer characters is recognised in a message only between quotes or brackets."""


class OutOfTries(Exception):
    """All tries are spent; what was found so far holds."""


class Tries:
    """Counts the tries and knows what was asked before; ``said`` is the last error."""

    def __init__(self, tries: int) -> None:
        self._tries = tries
        self._known: dict[Hashable, tuple[bool, str]] = {}
        self.spent = 0
        self.said = ""

    @contextlib.contextmanager
    def some_kept(self) -> Iterator[None]:
        """Meanwhile a sixth of the tries is kept for later."""
        kept = self._tries // 6
        self._tries -= kept
        try:
            yield
        finally:
            self._tries += kept

    def answer(self, asked: Hashable, ask: Callable[[], tuple[bool, str]]) -> bool:
        """The answer, from memory if it can be. OutOfTries instead of one try too many."""
        if asked not in self._known:
            if self.spent >= self._tries:
                raise OutOfTries
            self.spent += 1
            self._known[asked] = ask()
        failed, said = self._known[asked]
        self.said = said if failed else self.said
        return failed


def minimal(
    items: Sequence[Item],
    fails: Callable[[Sequence[Item]], bool],
    hints: Callable[[Sequence[Item]], list[Item]] = lambda some: [],
) -> list[Item]:
    """A part of the items on which the test fails and of which each is needed, in their order.

    It must fail on all of them, and on more than a part on which it fails. The end of the shortest
    beginning on which it fails is needed; so are the ends of the shortest beginnings on which it
    fails together with those. About log2(n) + 1 tests for each item that is found. ``hints`` gives
    items to try first.

    >>> minimal(range(100), lambda some: {17, 60} <= set(some))
    [17, 60]
    """
    found: list[Item] = []
    left = list(items)
    while not found or not fails(found):
        hinted = hints(left)
        if hinted and len(hinted) <= len(left) // 2 and fails([*hinted, *found]):
            left = hinted
        low, high = 1, len(left)
        while low < high:
            middle = (low + high) // 2
            if fails([*left[:middle], *found]):
                high = middle
            else:
                low = middle + 1
        if not left:
            return list(items)
        found.insert(0, left[high - 1])
        left = left[: high - 1]
    return found


def named_in(
    message: str, some: Sequence[Item], values: Mapping[Item, Sequence[Any]]
) -> list[Item]:
    """The items that a message names: by a value, or by their number among those that were there.

    Values that most of them share name nobody.
    """
    numbered = [int(n) - 1 for n in AT_ROW.findall(message)]
    found = [some[n] for n in numbered if 0 <= n < len(some)]
    folded = message.lower()
    found += [
        item
        for item in some
        if item not in found and any(_is_in(value, folded) for value in values.get(item, ()))
    ]
    return found if len(found) <= max(2, len(some) // 4) else []


def _is_in(value: Any, message: str) -> bool:
    text = str(value).strip().lower()
    if value is None or isinstance(value, bool) or not text:
        return False
    if len(text) < SHORTEST:
        return any(f"{a}{text}{b}" in message for a, b in ("''", '""', "()", "(,", ",)"))
    return re.search(rf"(?<!\w){re.escape(text)}(?!\w)", message) is not None

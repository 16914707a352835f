"""An order in which everything comes after what it depends on."""

from __future__ import annotations

import heapq
from collections.abc import Collection, Mapping


def in_order(needs: Mapping[str, Collection[str]]) -> tuple[list[str], list[str]]:
    """Names in order, and those that are in or behind a circle.

    Of several that may come next, the one that stands first in ``needs`` does. Needs that are not
    themselves in ``needs`` do not count.
    """
    rank = {name: number for number, name in enumerate(needs)}
    missing = {name: {need for need in needs[name] if need in rank} for name in needs}
    followers: dict[str, list[str]] = {name: [] for name in needs}
    for name, open_needs in missing.items():
        for need in open_needs:
            followers[need].append(name)
    ready = [rank[name] for name in needs if not missing[name]]
    names, done = list(needs), list[str]()
    while ready:
        name = names[heapq.heappop(ready)]
        done.append(name)
        for follower in followers[name]:
            missing[follower].discard(name)
            if not missing[follower]:
                heapq.heappush(ready, rank[follower])
    return done, [name for name in needs if missing[name]]

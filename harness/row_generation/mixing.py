"""Which rows have a seldom value instead of the usual one, and which of them.

Two rows of three are usual throughout. Each ninth is near the row before it, in columns that can
be; else the third have, column by column, one odd value after the other, and between them usual
ones. The columns go out of step with each other and with the rows in which a value is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from math import gcd

from harness.ports.table_specs import BEFORE, INDEX, USUAL, Variants

EVERY, NEAR = 3, 9
"""Each third row is a special one, and each third of those near the row before it."""
MISSING = 7
"""The period in which values are missing: see :class:`harness.row_generation.draft.Draft`."""
ONCE = "''"
"""A value that one row has and no second: else no unique index could be made, whatever it folds."""
ROW = "mdrill_row"
"""The column with a row's number, in a select that has it."""
NO_LIMIT = 10**9
"""Keeps the server from computing a usual value anew for each variant that is made of it."""


def counters(quotient: Callable[[str, int], str]) -> list[str]:
    """What the inner layer gives for :func:`value`: the row's number, and which special row it
    is among its kind."""
    near, special = quotient("series.n", NEAR), quotient("series.n", EVERY)
    return [
        "series.n AS n",
        f"{special} AS turn",
        f"{near} AS near_turn",
        f"{special} - 1 - {near} AS odd_turn",
    ]


def only_where_near(sql: str) -> str:
    """The value of the row before, where it is needed."""
    return f"CASE WHEN series.n % {NEAR} = 0 THEN {sql} END"


def is_reworked(of: Variants) -> bool:
    """Whether variants are made of the usual value so often that it is computed beforehand."""
    return bool(of) and (bool(of.near) or "".join(of.odd).count(USUAL) > 2)


def value(of: Variants, place: int, usual: str) -> str:
    """The column's value in the outer layer: usual, near the row before, or odd."""

    def made(sql: str) -> str:
        if sql == ONCE:
            return f"CASE WHEN mixed.n = {_row_of_once(of, place)} THEN {sql} ELSE {usual} END"
        sql = sql.replace(INDEX, "(mixed.n - 1)").replace(BEFORE, f"mixed.p{place}")
        return sql.replace(USUAL, usual)

    def one_of(texts: tuple[str, ...], turn: str, slots: int) -> str:
        cases = " ".join(
            f"WHEN {n} THEN {made(sql)}" for n, sql in enumerate(texts) if sql != USUAL
        )
        return f"CASE ({turn} + {place}) % {slots} {cases} ELSE {usual} END" if cases else usual

    cases = []
    if not of:
        return usual
    if of.near:
        near = one_of(of.near, "mixed.near_turn", near_slots(of))
        cases.append(f"WHEN mixed.n % {NEAR} = 0 THEN {near}")
    if of.odd:
        turn = "mixed.odd_turn" if of.near else "mixed.turn"
        odd = one_of(of.odd, turn, odd_slots(of))
        cases.append(f"WHEN mixed.n % {EVERY} = 0 THEN {odd}")
    return f"CASE {' '.join(cases)} ELSE {usual} END"


def variant_of(of: Variants, place: int, number: int) -> str | None:
    """The variant that row ``number`` has in the column at ``place``; None: the usual value."""
    sql = _whose_turn(of, place, number)
    return None if sql == ONCE and number != _row_of_once(of, place) else sql


def _row_of_once(of: Variants, place: int) -> int:
    """The first row whose turn it is and whose value cannot be missing."""
    least = MISSING * NEAR * odd_slots(of)
    return next(
        number
        for number in range(EVERY, 2 * least, EVERY)
        if _whose_turn(of, place, number) == ONCE and (number + place) % MISSING != 3
    )


def _whose_turn(of: Variants, place: int, number: int) -> str | None:
    if number % EVERY:
        return None
    turn, texts, slots = number // EVERY, of.odd, odd_slots(of)
    if of.near and number % NEAR == 0:
        turn, texts, slots = number // NEAR, of.near, near_slots(of)
    elif of.near:
        turn -= 1 + number // NEAR
    at = (turn + place) % slots if texts else 0
    return texts[at] if at < len(texts) and texts[at] != USUAL else None


def odd_slots(of: Variants) -> int:
    """After how many turns the odd values begin anew; a quarter of the turns are usual."""
    return _in_no_step(len(of.odd) + (len(of.odd) + 2) // 3)


def near_slots(of: Variants) -> int:
    """After how many turns the near-duplicates begin anew."""
    return _in_no_step(len(of.near))


def _in_no_step(slots: int) -> int:
    while gcd(slots, 2 * MISSING) > 1:
        slots += 1
    return max(slots, 1)

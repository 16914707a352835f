"""Crash points that leave the same: one is struck for all of them, and a share of the rest as well.

A rule says of a point that it leaves what another one leaves, its leader: the durable state of the
database, and what the tool believes. What is said is not taken on trust. The first and the last
point of each class are struck, a tool's own messages in full for the first migration of each shape,
and of all that follow by rule a share is drawn and struck all the same (an audit). One that leaves
anything else revokes the rule. Pure.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random

from harness.sweep.events import CellStruck
from harness.sweep.points import Point, Row, Way, Where

SHARE = 0.05
"""Of the points that follow by one rule, so many are struck all the same."""
ENDS_THE_SESSION = (
    Way.CLIENT_SIGKILL,
    Way.SESSION_KILL,
    Way.CONNECTION_LOST,
    Way.SERVER_SIGKILL,
    Way.CLIENT_SIGTERM,
)
"""By which a point before a message leads others, in that order."""
NOT_UNDONE = re.compile(
    r"\b(setval|nextval|dblink\w*|pg_(try_)?advisory\w*|lo_\w+|pg_notify|COPY|CALL|DO|COMMIT"
    r"|CONCURRENTLY|VACUUM|PREPARE\s+TRANSACTION|pg_(terminate|cancel)_backend)\b",
    re.IGNORECASE,
)
"""What a ROLLBACK of PostgreSQL may not take back, or what ends a transaction by itself."""


class Rule(StrEnum):
    """Why a point leaves what its leader leaves."""

    OPEN_TRANSACTION = "open-transaction"
    """1: a dead session's open transaction is undone as a whole, wherever in it the session died;
    and a tool that is stopped in it does the same at each of its statements."""
    OWN_MESSAGES = "own-messages"
    """2: the tool's own messages around a file are the same from migration to migration."""
    DEAD_SESSION = "dead-session"
    """3: between two messages, a session that was ended and a connection that was lost leave what
    a client that was killed leaves."""
    TOOL_STATE = "tool-state"
    """4: what heals a state in which nothing of a migration is there, or all of it and the tool
    knows that, is the same from migration to migration (:mod:`harness.sweep.cures`)."""
    TOOL_LOCK = "tool-lock"
    """5: a tool whose lock lets one run through at a time does so for every migration."""


@dataclass(frozen=True)
class Follower:
    """A point that follows by rule; ``like`` are points whose cells must equal the leader's."""

    point: Point
    rule: Rule
    leader: Point
    like: tuple[Point, ...] = ()


@dataclass(frozen=True)
class Plan:
    """What is struck in any case, and what follows if the rules hold."""

    struck: tuple[Point, ...]
    followers: tuple[Follower, ...] = ()


Role = tuple[str, ...]
Shape = tuple[Role, ...]


@dataclass
class Pruner:
    """Plans one way of one migration after the other, and remembers what held."""

    exhaustive: bool = False
    """Strike everything."""
    undoes_ddl: bool = True
    """An open transaction undoes DDL as well: there is no implicit commit."""
    draw: str = ""
    """Draws the audits."""
    revoked: set[Rule] = field(default_factory=set)
    _learned: dict[Shape, Mapping[Role, bool]] = field(default_factory=dict)
    _audited: set[Rule] = field(default_factory=set)
    _owed: dict[Rule, float] = field(default_factory=lambda: defaultdict(float))

    def plan(
        self, rows: Sequence[Row], texts: Sequence[str], points: Sequence[Point], *, down: bool
    ) -> Plan:
        """What of these points is to be struck. ``texts`` are the SQL of the rows."""
        if self.exhaustive:
            return Plan(tuple(points))
        map_ = _Map(rows, points)
        learned = self._learned.get(shape_of(rows, down), {})
        ends = _ends(rows, texts) if self.undoes_ddl else {}
        found: dict[Point, Follower] = {}
        for point in points:
            follower = _in_open_transaction(map_, ends, point) or _as_before(map_, learned, point)
            if follower and follower.rule not in self.revoked:
                found[point] = follower
        led = {follower.leader for follower in found.values()}
        followers = tuple(f for f in found.values() if f.point not in led)
        following = {f.point for f in followers}
        return Plan(tuple(p for p in points if p not in following), followers)

    def undone(
        self,
        rows: Sequence[Row],
        texts: Sequence[str],
        points: Sequence[Point],
        cells: Mapping[str, CellStruck],
    ) -> list[Follower]:
        """The insides of statements that no lock holds, within transactions that are undone as a
        whole: each leaves what the same death leaves elsewhere in its transaction. It cannot be
        shown of itself, so the rule must not have been revoked.
        """
        if not self.undoes_ddl or self.exhaustive or Rule.OPEN_TRANSACTION in self.revoked:
            return []
        map_, found = _Map(rows, points), []
        for group in _transactions(rows):
            if any(NOT_UNDONE.search(texts[n - 1]) for n in group):
                continue
            for point in (p for p in points if p.n in group and p.where is Where.INSIDE):
                cell = cells.get(point.id)
                leader = _elsewhere(map_, point, group, cells)
                if cell is not None and cell.unheld and leader is not None:
                    found.append(Follower(point, Rule.OPEN_TRANSACTION, leader))
        return found

    # ------------------------------------------------------------------ what was found

    def refuted(self, plan: Plan, cells: Mapping[str, CellStruck]) -> list[Follower]:
        """Followers whose leader, or whose like, did not leave what the rule says."""
        return [f for f in plan.followers if not _holds(f, cells)]

    def missed(self, audit: Follower) -> None:
        """Its fault did not strike, so it has shown nothing: the next migration owes another."""
        self._audited.discard(audit.rule)

    def audits(self, followers: Sequence[Follower], version: str) -> list[Follower]:
        """A share of each rule's followers; one at least of each rule."""
        drawn: list[Follower] = []
        for rule in sorted({follower.rule for follower in followers}):
            of_rule = [follower for follower in followers if follower.rule is rule]
            self._owed[rule] += SHARE * len(of_rule)
            count = max(math.floor(self._owed[rule]), rule not in self._audited)
            self._owed[rule] -= count
            self._audited.add(rule)
            drawn += Random(f"{self.draw} {version} {rule}").sample(of_rule, max(0, count))
        return drawn

    def learn(
        self,
        rows: Sequence[Row],
        points: Sequence[Point],
        cells: Mapping[str, CellStruck],
        *,
        down: bool,
    ) -> None:
        """From the first migration of a shape, struck in full: which points left what their leader
        did.
        """
        shape = shape_of(rows, down)
        if shape in self._learned:
            return
        map_, found = _Map(rows, points), dict[Role, bool]()
        for point in points:
            leader = map_.leader(point)
            if point.where is Where.INSIDE or leader is None or leader == point:
                continue
            if (cell := cells.get(point.id)) is None or cell.rule:
                continue  # what was not struck has shown nothing
            role = map_.role(point)
            found[role] = found.get(role, True) and is_same(cells, point, leader)
        self._learned[shape] = found


def _elsewhere(
    map_: _Map, point: Point, group: Sequence[int], cells: Mapping[str, CellStruck]
) -> Point | None:
    """A point in the same transaction at which the tool, or the server, meets the same.

    A tool that waits for an answer cannot know whether its statement has begun. One that is told of
    an error does what it does at any other statement.
    """
    if point.way is Way.QUERY_CANCEL:
        others = (Point(n, Where.INSIDE, point.way) for n in group if n != point.n)
        known = (p for p in others if (c := cells.get(p.id)) and not c.missed and not c.unheld)
        return next(known, None)
    before = Point(point.n, Where.BEFORE, point.way)
    cell = cells.get(before.id)
    if cell is None or cell.missed:
        before = map_.leader(point) or before
        cell = cells.get(before.id)
    return before if cell is not None and not cell.missed else None


def _in_open_transaction(
    map_: _Map, ends: Mapping[int, tuple[int, int]], point: Point
) -> Follower | None:
    """Of the messages of one kind within a transaction all but the first and the last follow."""
    first_and_last, leader = ends.get(point.n, (point.n,)), map_.leader(point)
    if leader is None or point.n in first_and_last:
        return None
    like = tuple(Point(n, point.where, point.way) for n in first_and_last)
    return Follower(point, Rule.OPEN_TRANSACTION, leader, like)


def _ends(rows: Sequence[Row], texts: Sequence[str]) -> dict[int, tuple[int, int]]:
    """Message → the first and the last of its kind within the same transaction, of transactions
    that are undone as a whole.
    """
    found = {}
    for group in _transactions(rows):
        if any(NOT_UNDONE.search(texts[n - 1]) for n in group):
            continue
        for kind in {rows[n - 1].kind for n in group}:
            alike = [n for n in group if rows[n - 1].kind == kind]
            found.update(dict.fromkeys(alike, (alike[0], alike[-1])))
    return found


def _as_before(map_: _Map, learned: Mapping[Role, bool], point: Point) -> Follower | None:
    """By what the first migration of this shape has shown."""
    leader, row = map_.leader(point), map_.rows[point.n - 1]
    if point.where is Where.INSIDE or leader in (None, point) or not learned.get(map_.role(point)):
        return None
    assert leader is not None
    if row.kind != "statement":
        return Follower(point, Rule.OWN_MESSAGES, leader)
    lost = (Way.SESSION_KILL, Way.CONNECTION_LOST)
    if point.where is Where.BEFORE and point.way in lost:
        return Follower(point, Rule.DEAD_SESSION, leader)
    return None


def _holds(follower: Follower, cells: Mapping[str, CellStruck]) -> bool:
    leader = cells.get(follower.leader.id)
    return (
        leader is not None
        and not leader.missed
        and all(is_same(cells, like, follower.leader) for like in follower.like)
    )


def is_same(cells: Mapping[str, CellStruck], one: Point, other: Point) -> bool:
    """Whether two cells left the same. What was missed, or never was, is like nothing."""
    a, b = cells.get(one.id), cells.get(other.id)
    if a is None or b is None or a.missed or b.missed:
        return False
    return (a.left.name, a.left.key, a.applied, a.stuck) == (
        b.left.name,
        b.left.key,
        b.applied,
        b.stuck,
    )


def by_rule(leader: CellStruck, point: Point, name: str, rule: Rule, like: str) -> CellStruck:
    """The cell of a point, under its ``name``, that leaves what the leader, ``like``, has left;
    nothing that was seen of the leader's own death.
    """
    return replace(
        leader,
        point=name,
        n=point.n,
        where=point.where,
        way=point.way,
        wait=point.wait,
        witnesses=(),
        exit_status=None,
        said="",
        rule=rule,
        like=like,
    )


class _Map:
    """Where the points of a run stand: behind how many messages whose work lasts."""

    def __init__(self, rows: Sequence[Row], points: Sequence[Point]) -> None:
        self.rows = rows
        self._done = [0]
        for row in rows:
            self._done.append(self._done[-1] + (not row.open_after))
        self._leaders: dict[int, Point] = {}
        for way in ENDS_THE_SESSION:
            for point in points:
                if point.way is way and point.where is Where.BEFORE:
                    self._leaders.setdefault(self._lasts(point), point)
        for point in points:
            if point.where is Where.ANSWERED:
                self._leaders.setdefault(self._lasts(point), point)

    def _lasts(self, point: Point) -> int:
        """How many messages' work lasts behind it, if its session dies."""
        return self._done[point.n if point.where is Where.ANSWERED else point.n - 1]

    def leader(self, point: Point) -> Point | None:
        """The point that leaves what this one should leave; may be the point itself."""
        return self._leaders.get(self._lasts(point))

    def role(self, point: Point) -> Role:
        """What it is in any migration of this shape."""
        return (*_role(self.rows[point.n - 1]), str(point.where), str(point.way))


def _transactions(rows: Sequence[Row]) -> Iterator[list[int]]:
    """The messages within each transaction, by number: those behind its begin, and not its end."""
    group: list[int] = []
    for at, row in enumerate(rows):
        if at and rows[at - 1].open_after and row.open_after:
            group.append(row.n)
        elif group:
            yield group
            group = []
    if group:
        yield group


def _role(row: Row) -> Role:
    """The row without what differs from migration to migration."""
    if row.kind == "statement":
        return (row.kind, str(row.open_after))
    label = re.sub(r"'(?:[^']|'')*'|\d+", "?", row.label)
    return (row.kind, str(row.open_after), label)


def shape_of(rows: Collection[Row], down: bool) -> Shape:
    """The tool's messages in their order; a file of any length is one."""
    found: list[Role] = [("down",) if down else ("up",)]
    for row in rows:
        role = _role(row)
        if row.kind != "statement" or found[-1] != role:
            found.append(role)
    return tuple(found)

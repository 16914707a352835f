"""The matrix of one way of a migration: what is struck of it, and what follows by rule."""

from __future__ import annotations

from collections.abc import Iterable

from harness.record.timeline import Timeline
from harness.sweep.events import Begun, CellStruck, RuleAudited
from harness.sweep.points import Point, Way, points
from harness.sweep.pruning import Follower, Pruner, by_rule, is_same
from harness.sweep.resumption import Known
from harness.sweep.striker import Striker
from harness.sweep.subject import Subject


class Matrix:
    """Has the cells of one migration after the other struck, or follow."""

    def __init__(self, striker: Striker, pruner: Pruner, record: Timeline, known: Known) -> None:
        self._striker = striker
        self._pruner = pruner
        self._record = record
        self._known = known

    def fill(self, subject: Subject, ways: frozenset[Way]) -> dict[str, CellStruck]:
        """Every cell, by point; what is not known yet is struck, or is by rule what another one has
        shown.
        """
        reference, version, down = subject.reference, subject.migration.version, subject.down
        every = points(reference.rows, ways, inert=len(reference.states) == 1)
        cells = {p.id: c for p in every if (c := self._known_cell(subject, p))}
        plan = self._pruner.plan(reference.rows, reference.texts, every, down=down)
        todo = len(every) - len(cells)
        self._record.add(Begun(version, subject.migration.name, down, todo))
        self._strike(subject, plan.struck, cells)
        refuted = set(self._pruner.refuted(plan, cells))
        self._strike(subject, [f.point for f in refuted], cells)
        self._follow(subject, [f for f in plan.followers if f not in refuted], cells)
        for held_by_none in self._pruner.undone(reference.rows, reference.texts, every, cells):
            cell = _by_rule(subject, held_by_none, cells[held_by_none.leader.id])
            cells[held_by_none.point.id] = cell
            self._record.add(cell)
        self._pruner.learn(reference.rows, every, cells, down=down)
        return cells

    def _known_cell(self, subject: Subject, point: Point) -> CellStruck | None:
        """From before the sweep was cut off."""
        return self._known.cells.get((subject.migration.version, subject.named(point.id)))

    def _strike(
        self, subject: Subject, todo: Iterable[Point], cells: dict[str, CellStruck]
    ) -> None:
        cells |= self._striker.strike(subject, [p for p in todo if p.id not in cells])

    def _follow(
        self, subject: Subject, followers: list[Follower], cells: dict[str, CellStruck]
    ) -> None:
        """Audit a share of them; where a rule did not hold, strike all that it says.

        What was struck before the sweep was cut off is an audit as well.
        """
        left = [f for f in followers if f.point.id not in cells]
        audits = self._pruner.audits(left, subject.migration.version)
        audits += [f for f in followers if f.point.id in cells and not cells[f.point.id].rule]
        self._strike(subject, [f.point for f in audits], cells)
        for audit in audits:
            if cells[audit.point.id].missed:
                self._pruner.missed(audit)
                continue
            held = is_same(cells, audit.point, audit.leader)
            self._record.add(_audited(subject, audit, held))
            if not held:
                self._pruner.revoked.add(audit.rule)
        wrong = [f.point for f in left if f.rule in self._pruner.revoked]
        self._strike(subject, wrong, cells)
        for follower in left:
            if follower.point.id not in cells:
                leader = cells[follower.leader.id]
                cells[follower.point.id] = cell = _by_rule(subject, follower, leader)
                self._record.add(cell)


def _audited(subject: Subject, audit: Follower, held: bool) -> RuleAudited:
    return RuleAudited(
        subject.migration.version,
        point=subject.named(audit.point.id),
        rule=audit.rule,
        like=subject.named(audit.leader.id),
        held=held,
    )


def _by_rule(subject: Subject, follower: Follower, leader: CellStruck) -> CellStruck:
    name, like = subject.named(follower.point.id), subject.named(follower.leader.id)
    return by_rule(leader, follower.point, name, follower.rule, like)

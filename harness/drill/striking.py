"""Lets a fault strike a migration at its exact moment, and records whether it struck.

Between statements the migrator stands at a checkpoint. Inside a statement a hold (a lock) holds
it, and an observer sees it parked before the fault strikes.
"""

from __future__ import annotations

from harness.drill.migration_runs import Checkpoint, SteeredRun
from harness.errors import DatabaseError, DeadlineExceeded, Missed
from harness.model import Fault
from harness.ports import SessionInfo
from harness.record.events import (
    FaultArmed,
    FaultFired,
    FaultMissed,
    StateBefore,
    WitnessSeen,
)
from harness.verbs.protocols import Target
from harness.waiting import until

START_DEADLINE_S = 30.0
DEPLOYED_OPERATIONS = 8
"""What each worker does with a version that was rolled out, so that it has really been used: a
writer inserts, updates twice and deletes in four of them."""
DEPLOYED_WITHIN_S = 30.0


def drive(target: Target, run: SteeredRun, fault: Fault, *, inject: bool = True) -> None:
    """Let the migration go up to the fault's moment, strike, and record whether it struck.

    Without ``inject`` the migration goes to its end unharmed; a fault that strikes a finished
    migration is then the migration itself, so it is not run at all.
    """
    if fault.kind.strikes_when_done and not inject:
        _missed(target, fault, "left out on purpose")
        return
    while (point := run.next_checkpoint(fault.kind.deadline_s)) is not None:
        problem = _roll_out(target, fault, point)
        if problem:
            _missed(target, fault, problem)
            return
        if inject and not fault.kind.strikes_when_done and point.is_at(fault.at):
            _at_the_moment(target, run, fault, point)
            return
        run.go(point)
    if fault.kind.strikes_when_done:
        _strike(target, fault)
        return
    _missed(
        target,
        fault,
        "the migration was over before the moment came" if inject else "left out on purpose",
    )


def _roll_out(target: Target, fault: Fault, point: Checkpoint) -> str:
    """Deploy what the rollout has for this place, and let it work; why it did not, or ""."""
    for step in fault.rollout:
        if point.where != "after" or point.last != step.after:
            continue
        if target.app is None:
            return f"no application runs, so version {step.deploys} cannot be deployed"
        target.app.release_writers()
        target.app.switch(step.deploys)
        traffic = target.app.works(DEPLOYED_OPERATIONS, DEPLOYED_WITHIN_S)
        if traffic.errors or not traffic.reached:
            met = traffic.first_error or f"{traffic.waiting} waiting"
            return f"version {step.deploys}, deployed after statement {step.after}, fails: {met}"
    return ""


def _at_the_moment(target: Target, run: SteeredRun, fault: Fault, point: Checkpoint) -> None:
    moment = fault.at
    order = fault.kind.order()
    if moment.inside is not None:
        moment.hold.arm(target)
        target.timeline.add(FaultArmed(fault.id, str(moment)))
        run.go(point, order)
        _wait_until_parked(target, run, fault)
        moment.hold.follow(target)
        _wait_until_parked(target, run, fault)
    elif order:
        run.go(point, order)
    _strike(target, fault)
    if moment.hold and moment.released == "after-strike":
        moment.hold.release(target)


def _wait_until_parked(target: Target, run: SteeredRun, fault: Fault) -> None:
    """Until an observer sees the migration's session wait at the hold."""
    engine, session = target.engine, run.session
    if session is None:
        raise DeadlineExceeded("the migrator has no server session to be parked")

    def parked() -> bool:
        info = engine.sessions.find(target.observer(), session.pid, session.started)
        return info is not None and engine.sessions.waits_for_lock(info)

    until(f"statement {fault.at.inside} to be parked at its hold", START_DEADLINE_S, parked)


def _strike(target: Target, fault: Fault) -> None:
    before = _state_before(target)
    try:
        witnesses = fault.kind.strike(target)
    except Missed as missed:
        _missed(target, fault, str(missed))
        return
    except (DatabaseError, DeadlineExceeded) as error:
        _missed(target, fault, f"{type(error).__name__}: {error}")
        return
    if before:
        target.timeline.add(StateBefore(before.state, before.wait, before.query))
    for witness in witnesses:
        target.timeline.add(WitnessSeen(witness.source, witness.says, witness.data))
    target.timeline.add(FaultFired(fault.id, str(fault.at)))
    fault.kind.heal(target)


def _state_before(target: Target) -> SessionInfo | None:
    """The victim just before the strike, as the server shows it."""
    run = target.run
    if run is None or run.session is None:
        return None
    session = run.session
    return target.engine.sessions.find(target.observer(), session.pid, session.started)


def _missed(target: Target, fault: Fault, reason: str) -> None:
    target.timeline.add(FaultMissed(fault.id, reason))
